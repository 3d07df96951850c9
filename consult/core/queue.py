"""Jobs: the only module that knows procrastinate. A job is a row written in the same transaction as its cause."""

import datetime as dt
import functools
from collections.abc import Callable
from typing import Any

import procrastinate
import structlog
from django.db import close_old_connections
from procrastinate.contrib.django import app

from consult.core import database, tenancy

log = structlog.get_logger("consult.job")

# Ten more tries over about a day: after 3 s, 9 s, … the last one after sixteen hours.
RETRY = procrastinate.RetryStrategy(max_attempts=10, exponential_wait=3)
STALLED_SECONDS = 60


def job(
    name: str, *, retry: procrastinate.RetryStrategy = RETRY
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
                if agency_id is None:
                    function(**arguments)
                else:
                    function(agency_id=agency_id, **arguments)
                log.info("job done")
            except Exception:
                log.exception("job failed")
                raise
            finally:
                structlog.contextvars.clear_contextvars()
                close_old_connections()

        app.task(name=name, retry=retry)(run)
        return run

    return register


def enqueue(name: str, **arguments: Any) -> None:
    """Put a job by its registered name into the queue, in the current transaction and for the current agency."""
    context = structlog.contextvars.get_contextvars()
    app.configure_task(name, allow_unknown=False).defer(
        agency_id=tenancy.current(), request_id=context.get("request_id", ""), **arguments
    )


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
