"""Submissions become enquiries: once each, numbered without a gap, whoever works at the same time."""

import datetime as dt
import threading
import uuid

import psycopg
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conftest import Cast, Database
from consult.inbox import services
from consult.inbox.tests.conftest import change_form
from tests import worker


def numbers(database: Database, agency_id: int) -> list[int]:
    return [
        row[0] for row in database.ask("SELECT number FROM inbox_enquiry WHERE agency_id = %s ORDER BY 1", [agency_id])
    ]


def test_from_the_door_to_the_inbox(database: Database, cast: Cast) -> None:
    submission_id, _outcome = database.submit(cast.key_a, signals=["cleaned"])
    worker.run_jobs(database)
    [(number, status, name, email, excerpt, signals, form_id, same_moment)] = database.ask(
        "SELECT e.number, e.status, sender_name, sender_email, excerpt, e.signals, e.form_id,"
        " e.received_at = s.received_at FROM inbox_enquiry e JOIN intake_submission s ON s.id = e.submission_id"
        " WHERE s.id = %s",
        [submission_id],
    )
    assert (number, status, name, email, excerpt) == (1, "open", "Ann", "ann@visitor.example", "Hello there")
    assert (signals, form_id, same_moment) == (["cleaned"], cast.form_a, True)
    assert "Ann" in cast.bob.client.get("/a/inbox/").content.decode()
    [(by,)] = database.ask("SELECT by_id FROM accounts_audit WHERE action = 'inbox.open_enquiry'")
    assert by is None


def test_a_second_run_changes_nothing(database: Database, cast: Cast) -> None:
    change_form(cast, notify_addresses=["team@a.example"])
    ids = [database.submit(cast.key_a, ("message", str(n)))[0] for n in range(3)]
    for _ in range(2):
        services.receive_submissions(agency_id=cast.a, submission_ids=ids)
    services.receive_submissions(agency_id=cast.a, submission_ids=[*ids, *ids])
    assert numbers(database, cast.a) == [1, 2, 3]
    lines = database.ask("SELECT kind, count(*) FROM inbox_delivery GROUP BY 1 ORDER BY 1")
    assert lines == [("scored", 3), ("stored", 3)]
    jobs = [name for name, *_rest in worker.jobs(database) if name == "inbox.notify_enquiry"]
    assert len(jobs) == 3
    assert database.ask("SELECT count(*) FROM accounts_audit WHERE action = 'inbox.open_enquiry'") == [(3,)]


def test_in_the_order_they_came(database: Database, cast: Cast) -> None:
    ids = [database.submit(cast.key_a, ("name", f"Visitor {number}"))[0] for number in range(4)]
    services.receive_submissions(agency_id=cast.a, submission_ids=list(reversed(ids)))
    found = database.ask("SELECT sender_name FROM inbox_enquiry ORDER BY number")
    assert [row[0] for row in found] == [f"Visitor {number}" for number in range(4)]


def test_each_agency_counts_for_itself(database: Database, cast: Cast) -> None:
    for agency_id, key, count in ((cast.a, cast.key_a, 2), (cast.b, cast.key_b, 3)):
        ids = [database.submit(key)[0] for _ in range(count)]
        services.receive_submissions(agency_id=agency_id, submission_ids=ids)
    assert (numbers(database, cast.a), numbers(database, cast.b)) == ([1, 2], [1, 2, 3])


def test_what_is_not_there_or_another_agencys_opens_nothing(database: Database, cast: Cast) -> None:
    theirs, _outcome = database.submit(cast.key_b)
    services.receive_submissions(agency_id=cast.a, submission_ids=[theirs, uuid.uuid4()])
    services.receive_submissions(agency_id=cast.a, submission_ids=[])
    assert numbers(database, cast.a) == []


def test_workers_at_once_give_every_number_once(database: Database, cast: Cast) -> None:
    batches = [[database.submit(cast.key_a)[0] for _ in range(5)] for _ in range(4)]
    # Each batch is received by two workers: the job of one that was thought dead runs again.
    work = [batch for batch in batches for _ in range(2)]
    start, failures = threading.Barrier(len(work)), list[BaseException]()

    def receive(batch: list[uuid.UUID]) -> None:
        try:
            connection.ensure_connection()
            start.wait()
            services.receive_submissions(agency_id=cast.a, submission_ids=batch)
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=receive, args=(batch,)) for batch in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert numbers(database, cast.a) == list(range(1, 21))
    assert database.ask("SELECT last_number FROM inbox_counter") == [(20,)]


def test_odd_submissions_become_enquiries_too(database: Database, cast: Cast) -> None:
    for fields in (
        (("nothing", ""),),
        (("message", "x" * 20_000), ("name", "y" * 5_000), ("email", "z@" + "z" * 5_000), ("subject", "s" * 999)),
        (("message", "\n\t  \n"),),
        (("ключ", "значение 😀"),),
    ):
        submission_id, outcome = database.submit(cast.key_a, *fields)
        assert outcome == "stored"
        services.receive_submissions(agency_id=cast.a, submission_ids=[submission_id])
    assert numbers(database, cast.a) == [1, 2, 3, 4]
    for number in range(1, 5):
        assert cast.bob.client.get(f"/a/inbox/{number}/").status_code == 200
    assert cast.bob.client.get("/a/inbox/").status_code == 200


def test_what_looks_like_spam_is_held(database: Database, cast: Cast) -> None:
    """Nothing is dropped silently: it is an enquiry with its reasons, and nobody is told."""
    change_form(cast, notify_addresses=["team@a.example"], auto_reply=True)
    submission_id, _outcome = database.submit(cast.key_a, signals=["honeypot"])
    with psycopg.connect(database.urls["consult_edge"], autocommit=True) as edge:
        edge.execute("LISTEN consult_live")
        services.receive_submissions(agency_id=cast.a, submission_ids=[submission_id])
        heard = [note.payload for note in edge.notifies(timeout=0.3, stop_after=9)]
    [(id, status, score, reasons)] = database.ask("SELECT id::text, status, score, reasons FROM inbox_enquiry")
    assert (status, score, reasons) == ("held", 60, [{"code": "honeypot", "points": 60}])
    assert [name for name, *_rest in worker.jobs(database)] == ["inbox.receive_submissions"]
    # Open pages hear of it all the same.
    assert heard == [f'{{"agency": {cast.a}, "kind": "enquiry", "id": "{id}"}}']
    lines = database.ask("SELECT kind, detail FROM inbox_delivery ORDER BY at, id")
    assert lines == [("stored", {}), ("scored", {"score": 60}), ("held", {"hold_score": 50})]


def test_the_form_says_from_when_it_holds(database: Database, cast: Cast) -> None:
    change_form(cast, hold_score=61)
    submission_id, _outcome = database.submit(cast.key_a, signals=["honeypot"])
    services.receive_submissions(agency_id=cast.a, submission_ids=[submission_id])
    assert database.ask("SELECT status, score FROM inbox_enquiry") == [("open", 60)]


def test_the_same_again_is_said(database: Database, cast: Cast) -> None:
    """From whom it may: as another submission of the same form, within a day."""
    now = dt.datetime.now(dt.UTC)
    times = [now - dt.timedelta(hours=hours) for hours in (30, 3, 2, 1)]
    ids = [database.submit(cast.key_a, ("message", "Buy"), received_at=at)[0] for at in times]
    other, _outcome = database.submit(cast.key_b, ("message", "Buy"), received_at=now)
    ids.append(database.submit(cast.key_a, ("message", "Something else"), received_at=now)[0])
    # In several batches and in one.
    services.receive_submissions(agency_id=cast.a, submission_ids=ids[:2])
    services.receive_submissions(agency_id=cast.a, submission_ids=ids[2:])
    services.receive_submissions(agency_id=cast.b, submission_ids=[other])
    scores = database.ask("SELECT score FROM inbox_enquiry WHERE agency_id = %s ORDER BY number", [cast.a])
    assert [score for (score,) in scores] == [0, 0, 40, 40, 0]
    assert database.ask("SELECT score FROM inbox_enquiry WHERE agency_id = %s", [cast.b]) == [(0,)]


def test_500_at_once_ask_no_more_than_one(database: Database, cast: Cast) -> None:
    change_form(cast, notify_addresses=["team@a.example", "more@a.example"], auto_reply=True)

    def asked(count: int) -> int:
        ids = [
            database.submit(cast.key_a, ("message", f"{n} {count}"), ("email", f"{n}-{count}@visitor.example"))[0]
            for n in range(count)
        ]
        with CaptureQueriesContext(connection) as queries:
            services.receive_submissions(agency_id=cast.a, submission_ids=ids)
        return len(queries)

    one = asked(1)
    assert asked(60) == one
    assert one < 25
