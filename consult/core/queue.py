"""Jobs: the only module that knows procrastinate. A job is a row written in the same transaction as its cause."""

import dataclasses
import datetime as dt
import functools
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import procrastinate
import structlog
from django.db import DatabaseError, close_old_connections, connection
from procrastinate.contrib.django import app

from consult.core import database, origin, tenancy

log = structlog.get_logger("consult.job")

# Ten more tries over about a day: after 3 s, 9 s, … the last one after sixteen hours.
RETRY = procrastinate.RetryStrategy(max_attempts=10, exponential_wait=3)
STALLED_SECONDS = 60
# No job's id is beyond it (bigint).
HIGHEST = 2**63 - 1


def job(
    name: str, *, retry: procrastinate.RetryStrategy | bool = RETRY
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a job, called with keyword arguments: ids only. It enters its agency itself (tenancy.agency).

    A second run must be harmless: the job of a killed worker runs again.
    """

    def register(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def run(*, agency_id: int | None = None, request_id: str = "", **arguments: Any) -> None:
            close_old_connections()
            structlog.contextvars.bind_contextvars(job=name, agency=agency_id, request_id=request_id)
            try:
                with origin.bound(f"job {name}"):
                    if agency_id is None:
                        function(**arguments)
                    else:
                        function(agency_id=agency_id, **arguments)
                log.info("job done")
            except Exception:
                if agency_id is not None and _is_gone(agency_id):
                    log.info("job of a deleted agency")
                    return
                log.exception("job failed")
                raise
            finally:
                structlog.contextvars.clear_contextvars()
                close_old_connections()

        app.task(name=name, retry=retry)(run)
        return run

    return register


def _is_gone(agency_id: int) -> bool:
    """Whether the agency was deleted while its job waited or ran: there is nothing left to do, or to try again."""
    try:
        with tenancy.agency(agency_id), connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM accounts_agency WHERE id = %s", [agency_id])
            return cursor.fetchone() is None
    except DatabaseError:
        return False


def forget_agency(agency_id: int) -> None:
    """Take the jobs of an agency that is being deleted out of the queue; those that run now end by themselves."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM procrastinate_jobs WHERE args ->> 'agency_id' = %s AND status <> 'doing'", [str(agency_id)]
        )


def forget_person(names: re.Pattern[str] | None) -> int:
    """Take the current agency's jobs whose arguments name a person out of the queue; return how many there were.

    One that runs at this moment stays: it is gone as soon as it is done.
    """
    if names is None:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, args::text FROM procrastinate_jobs WHERE args ->> 'agency_id' = %s AND status <> 'doing'",
            [_agency()],
        )
        found = [id for id, arguments in cursor.fetchall() if any(map(names.search, _texts(json.loads(arguments))))]
        cursor.execute("DELETE FROM procrastinate_jobs WHERE id = ANY (%s) AND status <> 'doing'", [found])
    return len(found)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


def waiting_with(name: str, argument: str, value: str) -> bool:
    """Whether a job of this name and this argument is still to be done, by the current agency, or failed for good."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM procrastinate_jobs WHERE task_name = %s AND args ->> %s = %s AND args ->> 'agency_id' = %s"
            " LIMIT 1",
            [name, argument, value, _agency()],
        )
        return cursor.fetchone() is not None


def periodic(name: str, cron: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Register a job that the queue's clock starts at the times of `cron` (UTC), called without arguments.

    It is inside no agency: it takes accounts.queries.agencies() and enters each in a transaction of its own.
    One that fails is not tried again, its next time comes; one that is still waiting is not enqueued twice.
    """

    def register(function: Callable[[], None]) -> Callable[[], None]:
        def at(*, timestamp: int = 0) -> None:
            with connection.cursor() as cursor:
                # Of those that failed before one is enough to look at.
                cursor.execute("DELETE FROM procrastinate_jobs WHERE task_name = %s AND status = 'failed'", [name])
            function()

        job(name, retry=False)(at)
        app.periodic(cron=cron, queueing_lock=name)(app.tasks[name])
        return function

    return register


def enqueue(name: str, **arguments: Any) -> None:
    """Put a job by its registered name into the queue, in the current transaction and for the current agency."""
    enqueue_each(name, [arguments])


def enqueue_at(name: str, at: dt.datetime, **arguments: Any) -> None:
    """Put a job into the queue that is not done before `at`."""
    enqueue_each(name, [arguments], at=at)


def enqueue_each(name: str, each: Sequence[Mapping[str, Any]], *, at: dt.datetime | None = None) -> None:
    """Put several jobs of one name into the queue at once, one for each set of arguments."""
    common = {
        "agency_id": tenancy.current(),
        "request_id": structlog.contextvars.get_contextvars().get("request_id", ""),
    }
    if each:
        app.configure_task(name, allow_unknown=False, schedule_at=at).batch_defer(
            *({**common, **arguments} for arguments in each)
        )


@dataclasses.dataclass(frozen=True)
class FailedJob:
    """A job that was tried as often as it may; `arguments` are its own, without agency and request."""

    id: int
    name: str
    arguments: dict[str, Any]
    request_id: str
    attempts: int
    failed_at: dt.datetime


# Core's migration 0002 has an index for these.
FAILED = """
SELECT id, task_name, args, attempts,
       coalesce((SELECT max(at) FROM procrastinate_events e WHERE e.job_id = j.id AND e.type = 'failed'), now()) AS last
  FROM procrastinate_jobs j WHERE status = 'failed' AND args ->> 'agency_id' = %s
"""
LIST_FAILED = f"{FAILED} ORDER BY last DESC, id DESC LIMIT %s"
LIST_FAILED_BEFORE = f"{FAILED} AND id < %s ORDER BY id DESC LIMIT %s"
ONE_FAILED = f"{FAILED} AND id = %s"
COUNT_FAILED = "SELECT count(*) FROM procrastinate_jobs WHERE status = 'failed' AND args ->> 'agency_id' = %s"
LOCK_FAILED = """
SELECT id, task_name, args, attempts, now() FROM procrastinate_jobs
 WHERE id = %s AND status = 'failed' AND args ->> 'agency_id' = %s FOR UPDATE
"""


def failed_jobs(limit: int = 100) -> list[FailedJob]:
    """Return the current agency's jobs that failed for good, the latest first."""
    return _read(LIST_FAILED, limit)


def failed_jobs_before(id: int | None, limit: int) -> list[FailedJob]:
    """Return the current agency's jobs that failed for good and were enqueued before this one, the latest first."""
    return _read(LIST_FAILED_BEFORE, HIGHEST if id is None else id, limit)


def failed_job(id: int, *, lock: bool = False) -> FailedJob | None:
    """Return this job of the current agency; None when it is none, or no longer failed.

    `lock`: nobody else tries it again until the transaction is done.
    """
    found = _read(f"{ONE_FAILED} FOR UPDATE OF j" if lock else ONE_FAILED, id)
    return found[0] if found else None


def _read(statement: str, *parameters: int) -> list[FailedJob]:
    with connection.cursor() as cursor:
        cursor.execute(statement, [_agency(), *parameters])
        return [_failed(*row) for row in cursor.fetchall()]


def _failed(id: int, name: str, args: str | dict[str, Any], attempts: int, failed_at: dt.datetime) -> FailedJob:
    arguments: dict[str, Any] = json.loads(args) if isinstance(args, str) else dict(args)
    arguments.pop("agency_id", None)
    request_id = str(arguments.pop("request_id", None) or "")
    return FailedJob(id, name, arguments, request_id, attempts, failed_at)


def failed_count() -> int:
    """Return how many of the current agency's jobs failed for good."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT_FAILED, [_agency()])
        return int(cursor.fetchone()[0])


def retry_job(job_id: int) -> FailedJob | None:
    """Put a failed job of the current agency into the queue once more; None when it is none, or no longer failed.

    It gets one more try; when that fails it is listed again.
    """
    with connection.cursor() as cursor:
        cursor.execute(LOCK_FAILED, [job_id, _agency()])
        row = cursor.fetchone()
    if row is None:
        return None
    app.job_manager.retry_job_by_id(job_id, retry_at=dt.datetime.now(dt.UTC))
    with connection.cursor() as cursor:
        # The library counts a try when it puts a job back. The one that failed is counted already.
        cursor.execute("UPDATE procrastinate_jobs SET attempts = attempts - 1 WHERE id = %s", [job_id])
    return _failed(*row)


def _agency() -> str:
    agency_id = tenancy.current()
    if agency_id is None:
        raise tenancy.WrongAgency("a list of jobs is one agency's")
    return str(agency_id)


def on_app_ready(ready: procrastinate.App) -> None:
    """Add the jobs that keep the queue itself sound."""

    @ready.periodic(cron="* * * * *")
    @ready.task(name="core.rescue_stalled_jobs", queueing_lock="core.rescue_stalled_jobs", pass_context=True)
    async def rescue_stalled_jobs(context: procrastinate.JobContext, timestamp: int) -> None:
        """Give the jobs of workers that died back to the queue."""
        manager = context.app.job_manager
        for stalled in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
            log.warning("job rescued", rescued=stalled.task_name, id=stalled.id)
            await manager.retry_job(stalled, retry_at=dt.datetime.now(dt.UTC))
        await manager.prune_stalled_workers(seconds_since_heartbeat=STALLED_SECONDS)


def run_worker() -> None:
    """Work until SIGTERM or SIGINT. Raise database.UnsafeRole when our role could bypass the agencies' walls."""
    database.check_own_role()
    connector = app.connector.get_worker_connector()  # type: ignore[attr-defined]
    with app.replace_connector(connector) as working:
        working.run_worker(
            concurrency=4,
            listen_notify=True,
            fetch_job_polling_interval=5,
            shutdown_graceful_timeout=4,
            delete_jobs="successful",
            install_signal_handlers=True,
        )
