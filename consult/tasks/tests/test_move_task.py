"""The order of a column: total, never out of room, and nothing lost or doubled by eight who move at once."""

import random
import threading

import pytest
from django.db import close_old_connections, connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from conftest import Cast, Database
from consult.core import tenancy
from consult.tasks import models, rules, services
from consult.tasks.tests.conftest import Site

ranks = st.integers(-(2**62), 2**62)


@given(ranks, ranks)
def test_between_is_between_or_says_that_there_is_no_room(one: int, other: int) -> None:
    above, below = sorted((one, other))
    found = rules.between(above, below)
    assert (found is None and below - above < 2) or (found is not None and above < found < below)
    assert rules.between(above, None) is not None
    assert rules.between(None, below) is not None


def test_places_in_a_column_and_between_columns(site: Site) -> None:
    a, b, c = (site.make(title) for title in "abc")
    assert site.column("To do") == [a, b, c]
    site.move(c, "To do")
    assert site.column("To do") == [c, a, b]
    site.move(c, "To do", below=a)
    assert site.column("To do") == [a, c, b]
    site.move(b, "Done")
    assert site.task(b).ended_at is not None
    site.move(a, "Done", below=b)
    assert (site.column("To do"), site.column("Done")) == ([c], [b, a])
    site.move(b, "To do", below=c)
    assert site.task(b).ended_at is None


def test_what_was_moved_meanwhile_is_told(site: Site) -> None:
    a, b = site.make("a"), site.make("b")
    seen = site.state("To do")
    site.move(a, "Done")
    with pytest.raises(services.MovedMeanwhile):
        site.move(a, "In progress", from_state_id=seen)
    with pytest.raises(services.MovedMeanwhile):
        site.move(b, "To do", below=a)
    assert (site.column("To do"), site.column("Done")) == ([b], [a])


def test_as_many_statements_in_a_long_column_as_in_a_short_one(site: Site) -> None:
    keys = [site.make(str(number)) for number in range(3)]

    def asked() -> int:
        with CaptureQueriesContext(connection) as found:
            site.move(keys[0], "In progress")
        site.move(keys[0], "To do")
        return len(found)

    short = asked()
    for number in range(40):
        site.move(site.make(f"more {number}"), "In progress")
    assert asked() == short <= 20


def test_a_gap_that_is_used_up_is_dealt_out_anew(site: Site) -> None:
    first, last, *movers = (site.make(str(number)) for number in range(4))
    for number in range(60):
        mover = movers[number % 2]
        site.move(mover, "To do", below=first)
        assert site.column("To do")[:2] == [first, mover]
    assert site.column("To do")[-1] == last
    with tenancy.agency(site.agency_id):
        assert models.Task.objects.values("rank").distinct().count() == 4


CLIENTS, MOVES = 8, 40


def test_eight_who_move_at_once(site: Site, cast: Cast, database: Database) -> None:
    states = ("Backlog", "To do", "In progress", "Done")
    keys = [site.make(str(number)) for number in range(20)]
    failed: list[BaseException] = []

    def work(seed: int) -> None:
        dice = random.Random(seed)  # noqa: S311
        try:
            for _number in range(MOVES):
                key, below = dice.sample(keys, 2)
                try:
                    site.move(key, dice.choice(states), below=dice.choice((below, None)))
                except services.MovedMeanwhile:
                    continue
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()
            close_old_connections()

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert sorted(key for state in states for key in site.column(state)) == sorted(keys)
    twice = "SELECT state_id, rank FROM tasks_task GROUP BY state_id, rank HAVING count(*) > 1"
    assert database.ask(twice) == []
    # A move between columns is told with the very states between which it went.
    lines = database.ask(
        "SELECT task_id, before->>'id', after->>'id' FROM tasks_activity WHERE field = 'state' ORDER BY version"
    )
    stands = dict(database.ask("SELECT id, state_id::text FROM tasks_task"))
    last: dict[object, str] = {}
    for task, before, after in lines:
        assert last.get(task, before) == before
        last[task] = after
    assert all(stands[task] == state for task, state in last.items())


def test_numbers_are_given_once(site: Site) -> None:
    made: list[str] = []

    def work() -> None:
        try:
            made.extend(site.make("x") for _number in range(10))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made, key=lambda key: int(key[5:])) == [f"SITE-{number}" for number in range(1, 41)]
