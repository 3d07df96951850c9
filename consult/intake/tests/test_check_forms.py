"""A form that has gone silent, and a jump of what is held: told once, over by itself."""

import datetime as dt
import itertools

from django.core import mail
from hypothesis import given
from hypothesis import strategies as st

from conftest import Cast, Database
from consult.core import tenancy
from consult.intake import reports, rules, services
from tests import worker

NOW = dt.datetime(2026, 6, 30, 12, tzinfo=dt.UTC)
TODAY = NOW.date()
BACK = st.lists(st.integers(0, 179), min_size=1, max_size=180, unique=True)
SHARES = st.integers(0, 2_000).flatmap(lambda all: st.tuples(st.integers(0, all), st.just(all)))


def days(back: list[int]) -> list[dt.date]:
    return sorted(TODAY - dt.timedelta(days=each) for each in back)


@given(BACK)
def test_a_form_with_little_history_is_never_an_alarm(back: list[int]) -> None:
    active = days(back)
    if len(active) < rules.KNOWN_DAYS or (TODAY - active[0]).days < rules.KNOWN_FOR:
        assert not rules.is_silent(active, 1e6, TODAY)


@given(BACK)
def test_no_gap_that_there_was_is_an_alarm(back: list[int]) -> None:
    active = days(back)
    longest = rules.longest_likely_silence(active, TODAY)
    gaps = [(after - before).days for before, after in itertools.pairwise(active)]
    if longest is not None:
        assert longest >= max(2, 1.5 * max(gaps))
        assert rules.is_silent(active, longest + 0.01, TODAY)
        assert not rules.is_silent(active, longest, TODAY)


@given(SHARES, SHARES)
def test_a_jump_is_of_many_and_upwards(fresh: tuple[int, int], before: tuple[int, int]) -> None:
    if rules.held_has_jumped(fresh, before):
        assert fresh[1] >= rules.FRESH
        assert before[1] >= rules.BEFORE
        assert fresh[0] / fresh[1] > before[0] / before[1]
        # More held is no less a jump.
        assert rules.held_has_jumped((fresh[1], fresh[1]), before)


def test_decisions() -> None:
    daily, weekly = list(range(3, 60)), list(range(9, 180, 7))
    assert rules.longest_likely_silence(days(daily), TODAY) == 2.0
    assert rules.is_silent(days(daily), 3, TODAY)
    assert not rules.is_silent(days(weekly), 9, TODAY)
    assert rules.is_silent(days(weekly), 60, TODAY)
    # Working days alone: no alarm on a Monday.
    assert not rules.is_silent([each for each in days(daily) if each.weekday() < 5], 3.5, TODAY)
    assert rules.held_has_jumped((15, 30), (20, 1_000))
    assert not rules.held_has_jumped((3, 30), (20, 1_000))
    assert not rules.held_has_jumped((15, 19), (20, 1_000))
    assert not rules.held_has_jumped((15, 30), (400, 1_000))


def busy_until(database: Database, cast: Cast, last: dt.datetime) -> None:
    """The form had something on every day of two months until then."""
    id, *_rest = database.submit(cast.key_a, ("message", f"until {last}"))
    database.ask("DELETE FROM intake_tally")
    database.ask("UPDATE intake_submission SET received_at = %s WHERE id = %s", [last, id])
    database.ask(
        "INSERT INTO intake_tally (id, agency_id, created_at, form_id, day, source, accepted) SELECT gen_random_uuid(),"
        " agency_id, now(), form_id, %s::date - n, 'edge-1', 3 FROM intake_submission, generate_series(0, 60) n"
        " WHERE intake_submission.id = %s",
        [last.date(), id],
    )


def test_a_silent_form_is_told_once_and_is_over_by_itself(database: Database, cast: Cast) -> None:
    from consult.inbox import services as inbox

    busy_until(database, cast, NOW - dt.timedelta(days=4))
    for hour in range(2):
        inbox.check_forms(agency_id=cast.a, now=NOW + dt.timedelta(hours=hour))
    worker.run_jobs(database)
    # Alice owns the agency; Bob is a member.
    assert [each.to for each in mail.outbox] == [["alice@example.com"]]
    assert "nothing for 4 days, which is longer than usual" in mail.outbox[0].body
    page = cast.vera.client.get("/a/attention/").content.decode()
    assert "nothing for 4 days" in page
    assert "rail-count" in page
    with tenancy.agency(cast.b):
        assert reports.form_alarms(cast.b) == []
    busy_until(database, cast, NOW)
    inbox.check_forms(agency_id=cast.a, now=NOW + dt.timedelta(hours=3))
    assert "nothing for 4 days" not in cast.vera.client.get("/a/attention/").content.decode()
    with tenancy.agency(cast.a):
        assert reports.attention_count(cast.a) == 0


def test_a_jump_of_what_is_held_is_told(database: Database, cast: Cast) -> None:
    busy_until(database, cast, NOW)
    [(form,)] = database.ask("SELECT form_id FROM intake_submission")
    usual = {form: ((20, 25), (10, 500))}
    services.check_forms(agency_id=cast.a, held=usual, now=NOW)
    services.check_forms(agency_id=cast.a, held=usual, now=NOW + dt.timedelta(hours=1))
    worker.run_jobs(database)
    assert len(mail.outbox) == 1
    assert "80 % of what came since yesterday is held" in mail.outbox[0].body
    assert "80 % of what came since yesterday is held" in cast.vera.client.get("/a/attention/").content.decode()
    # Checking the count leaves it alone.
    services.check_conservation(agency_id=cast.a, now=NOW)
    with tenancy.agency(cast.a):
        assert [each.kind for each in reports.form_alarms(cast.a)] == ["held"]
