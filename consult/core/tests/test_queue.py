"""Jobs: written with their cause, done in their agency, tried again, rescued from dead workers."""

import contextlib
import dataclasses
import json
from typing import Any
from unittest import mock

import procrastinate
import psycopg
import pytest
import structlog
from procrastinate.contrib.django import app

from conftest import Cast, Database, Enquiry
from consult.accounts import queries as accounts
from consult.core import database as consult_database
from consult.core import queue, tenancy
from consult.core.tests.lines import captured
from consult.inbox import services as inbox
from tests import worker

done: list[tuple[int | None, dict[str, Any]]] = []


@queue.job("tests.remember")
def remember(*, agency_id: int, **arguments: Any) -> None:
    done.append((tenancy.current(), {"agency_id": agency_id, **arguments}))


@queue.job("tests.remember_everywhere")
def remember_everywhere(**arguments: Any) -> None:
    done.append((tenancy.current(), arguments))


@queue.job("tests.fail")
def fail(*, agency_id: int) -> None:
    raise RuntimeError("it broke")


# At times when nobody tests: the clock of a worker that these tests start would begin them as well.
@queue.periodic("tests.tick", "30 4 29 2 *")
def tick() -> None:
    done.append((tenancy.current(), {"agencies": [slug for _id, slug, _name in accounts.agencies()]}))


@queue.periodic("tests.tick_and_fail", "0 5 29 2 *")
def tick_and_fail() -> None:
    raise RuntimeError("it broke")


@pytest.fixture(autouse=True)
def _empty() -> None:
    done.clear()


def test_a_job_comes_with_its_agency_and_request(database: Database, cast: Cast) -> None:
    with structlog.contextvars.bound_contextvars(request_id="trace-12345"), tenancy.agency(cast.a):
        queue.enqueue("tests.remember", thing="seven")
    queue.enqueue("tests.remember_everywhere", thing="eight")
    assert [(name, arguments) for name, _s, arguments, _a in worker.jobs(database)] == [
        ("tests.remember", {"agency_id": cast.a, "request_id": "trace-12345", "thing": "seven"}),
        ("tests.remember_everywhere", {"agency_id": None, "request_id": "", "thing": "eight"}),
    ]
    with captured("json") as read:
        worker.run_jobs(database)
        lines = [json.loads(line) for line in read().splitlines()]
    # A job enters its agency itself, where it needs it.
    assert done == [(None, {"agency_id": cast.a, "thing": "seven"}), (None, {"thing": "eight"})]
    told = [(line["event"], line["job"], line["agency"], line["request_id"]) for line in lines]
    assert told == [
        ("job done", "tests.remember", cast.a, "trace-12345"),
        ("job done", "tests.remember_everywhere", None, ""),
    ]
    assert {status for _name, status, _arguments, _attempts in worker.jobs(database)} == {"succeeded"}


def test_the_requests_id_reaches_the_job(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    """From a real request through the audit's transaction to the line that the worker writes."""
    database.ask("DELETE FROM procrastinate_jobs")
    database.ask("UPDATE intake_form SET notify_addresses = %s", ['["team@a.example"]'])
    submission_id, _outcome = database.submit(cast.key_a)
    with structlog.contextvars.bound_contextvars(request_id="trace-98765"):
        inbox.receive_submissions(agency_id=cast.a, submission_ids=[submission_id])
    with captured("json") as read:
        worker.run_jobs(database)
        lines = [json.loads(line) for line in read().splitlines()]
    found = [line for line in lines if line.get("job") == "inbox.notify_enquiry"]
    assert [line["request_id"] for line in found] == ["trace-98765"]


def test_a_job_is_written_with_its_cause_or_not_at_all(database: Database, cast: Cast) -> None:
    def change() -> None:
        with tenancy.agency(cast.a):
            queue.enqueue("tests.remember")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change()
    assert worker.jobs(database) == []


def test_a_failed_job_is_tried_again_later(database: Database, cast: Cast) -> None:
    with tenancy.agency(cast.a):
        queue.enqueue("tests.fail")
    with captured("json") as read:
        worker.run_jobs(database)
        lines = [json.loads(line) for line in read().splitlines()]
    assert [line["event"] for line in lines if line["logger"] == "consult.job"] == ["job failed"]
    assert "RuntimeError: it broke" in lines[0]["exception"]
    [(status, attempts, later)] = database.ask(
        "SELECT status::text, attempts, scheduled_at > now() FROM procrastinate_jobs WHERE task_name = 'tests.fail'"
    )
    assert (status, attempts, later) == ("todo", 1, True)
    # Not at once: a second run finds nothing that is due.
    worker.run_jobs(database)
    assert worker.jobs(database)[0][3] == 1
    for attempts, status in ((9, "todo"), (10, "failed")):
        database.ask("UPDATE procrastinate_jobs SET attempts = %s WHERE task_name = 'tests.fail'", [attempts])
        worker.make_due(database)
        worker.run_jobs(database)
        assert worker.jobs(database)[0][1] == status


def test_tries_spread_over_a_day() -> None:
    """A mail server that is away overnight loses no notice, and nothing is tried for weeks."""
    assert queue.RETRY.max_attempts == 10
    waits = [queue.RETRY.exponential_wait ** (attempts + 1) for attempts in range(queue.RETRY.max_attempts)]
    assert waits[0] <= 5
    assert 20 * 3600 < sum(waits) < 30 * 3600


def test_a_job_that_nobody_registered_is_refused(database: Database, cast: Cast) -> None:
    with pytest.raises(procrastinate.exceptions.TaskNotFound), tenancy.agency(cast.a):
        queue.enqueue("tests.no_such_job")
    assert worker.jobs(database) == []


def test_the_names_that_doors_write_are_registered() -> None:
    assert {"inbox.receive_submissions", "inbox.notify_enquiry", "core.rescue_stalled_jobs"} <= set(app.tasks)


def _rescue() -> None:
    """What the queue's clock does every minute, and may have done already."""
    with contextlib.suppress(procrastinate.exceptions.AlreadyEnqueued):
        app.configure_task("core.rescue_stalled_jobs").defer(timestamp=0)


def test_a_dead_workers_job_is_rescued(database: Database, cast: Cast) -> None:
    """Killed between taking a job and finishing it: the row says `doing`, and nobody does it."""
    with tenancy.agency(cast.a):
        queue.enqueue("tests.remember", thing="seven")
    [(dead,)] = database.ask(
        "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '5 minutes') RETURNING id"
    )
    database.ask("UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s", [dead])
    _rescue()
    worker.run_jobs(database)
    worker.run_jobs(database)
    assert done == [(None, {"agency_id": cast.a, "thing": "seven"})]
    assert database.ask("SELECT count(*) FROM procrastinate_workers WHERE id = %s", [dead]) == [(0,)]


def test_a_living_workers_job_is_left_alone(database: Database, cast: Cast) -> None:
    with tenancy.agency(cast.a):
        queue.enqueue("tests.remember")
    [(alive,)] = database.ask("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now()) RETURNING id")
    database.ask("UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s", [alive])
    _rescue()
    worker.run_jobs(database)
    worker.run_jobs(database)
    assert done == []


def test_a_worker_refuses_a_role_that_sees_too_much(database: Database) -> None:
    consult_database.addresses["office"] = database.urls["consult_owner"]
    consult_database.use("office")
    with pytest.raises(consult_database.UnsafeRole):
        queue.run_worker()


def test_the_edge_cannot_touch_the_queue(database: Database) -> None:
    for statement in ("SELECT 1 FROM procrastinate_jobs", "DELETE FROM procrastinate_jobs"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            database.ask(statement, role="consult_edge")


def test_a_periodic_job_runs_at_its_times_outside_any_agency(database: Database, cast: Cast) -> None:
    assert app.periodic_registry.periodic_tasks["tests.tick", ""].cron == "30 4 29 2 *"
    # A worker that was away for long finds one of them, not one for each time that passed.
    for _ in range(3):
        worker.tick("tests.tick")
    worker.run_jobs(database)
    assert done == [(None, {"agencies": ["a", "b"]})]


def test_of_a_failing_periodic_job_the_last_failure_stays(database: Database, cast: Cast) -> None:
    for _ in range(3):
        worker.tick("tests.tick_and_fail")
        worker.run_jobs(database)
    assert database.ask("SELECT task_name, status::text FROM procrastinate_jobs") == [("tests.tick_and_fail", "failed")]


def _fail_for_good(database: Database, *agencies: int) -> None:
    for agency_id in agencies:
        with tenancy.agency(agency_id), structlog.contextvars.bound_contextvars(request_id=f"trace-{agency_id:05}"):
            queue.enqueue("tests.fail")
    database.ask("UPDATE procrastinate_jobs SET attempts = 10")
    worker.run_jobs(database)


def test_an_agencys_failed_jobs(database: Database, cast: Cast) -> None:
    _fail_for_good(database, cast.a, cast.a, cast.b)
    with tenancy.agency(cast.a):
        first, second = queue.failed_jobs()
        assert (first.name, first.arguments, first.request_id) == ("tests.fail", {}, f"trace-{cast.a:05}")
        assert first.failed_at >= second.failed_at
        assert first.attempts == 11
        assert queue.failed_count() == 2
    with tenancy.agency(cast.b):
        [theirs] = queue.failed_jobs()
        assert queue.retry_job(first.id) is None
    with tenancy.agency(cast.a):
        assert queue.retry_job(theirs.id) is None
        assert queue.retry_job(10**12) is None
    for look in (queue.failed_jobs, queue.failed_count, lambda: queue.retry_job(first.id)):
        with pytest.raises(tenancy.WrongAgency):
            look()


def test_a_failed_job_is_tried_once_more(database: Database, cast: Cast) -> None:
    _fail_for_good(database, cast.a)
    with tenancy.agency(cast.a):
        [failed] = queue.failed_jobs()
        assert queue.retry_job(failed.id) == dataclasses.replace(failed, failed_at=mock.ANY)
        # A second click, before a worker came.
        assert queue.retry_job(failed.id) is None
        assert queue.failed_count() == 0
    worker.run_jobs(database)
    with tenancy.agency(cast.a):
        [again] = queue.failed_jobs()
        assert again.id == failed.id
        assert again.failed_at > failed.failed_at
        # Tried once more: a click is no try of its own.
        assert again.attempts == failed.attempts + 1
