"""Submissions become enquiries: once each, numbered without a gap, whoever works at the same time."""

import threading
import uuid

from django.db import connection

from conftest import Cast, Database
from consult.inbox import services
from tests import worker


def numbers(database: Database, agency_id: int) -> list[int]:
    return [
        row[0] for row in database.ask("SELECT number FROM inbox_enquiry WHERE agency_id = %s ORDER BY 1", [agency_id])
    ]


def test_from_the_door_to_the_inbox(database: Database, cast: Cast) -> None:
    submission_id, _outcome = database.submit(cast.key_a, signals=["honeypot"])
    worker.run_jobs(database)
    [(number, status, name, email, excerpt, signals, form_id, same_moment)] = database.ask(
        "SELECT e.number, e.status, sender_name, sender_email, excerpt, e.signals, e.form_id,"
        " e.received_at = s.received_at FROM inbox_enquiry e JOIN intake_submission s ON s.id = e.submission_id"
        " WHERE s.id = %s",
        [submission_id],
    )
    assert (number, status, name, email, excerpt) == (1, "open", "Ann", "ann@visitor.example", "Hello there")
    assert (signals, form_id, same_moment) == (["honeypot"], cast.form_a, True)
    # Nothing is dropped silently: what looks like spam is an enquiry with a reason.
    assert "Ann" in cast.bob.client.get("/a/inbox/").content.decode()
    [(by,)] = database.ask("SELECT by_id FROM accounts_audit WHERE action = 'inbox.open_enquiry'")
    assert by is None


def test_a_second_run_changes_nothing(database: Database, cast: Cast) -> None:
    ids = [database.submit(cast.key_a)[0] for _ in range(3)]
    for _ in range(2):
        services.receive_submissions(agency_id=cast.a, submission_ids=ids)
    services.receive_submissions(agency_id=cast.a, submission_ids=[*ids, *ids])
    assert numbers(database, cast.a) == [1, 2, 3]
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
