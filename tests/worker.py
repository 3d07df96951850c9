"""A worker that does what is in the queue and ends: as the worker's own role, in this process."""

import contextlib
from typing import Any

from django.db import connection
from procrastinate import exceptions, periodic
from procrastinate.contrib.django import app

from conftest import Database
from consult.core import database as consult_database


def run_jobs(database: Database) -> None:
    """Do every job that is due, but for those of the clock. Failed ones stay in the queue for their next try."""
    _point_at(database, "consult_worker")
    # The threads that did the jobs end with the worker: their connections are closed before.
    connection.settings_dict["CONN_MAX_AGE"] = 0
    try:
        with app.replace_connector(app.connector.get_worker_connector()) as working:  # type: ignore[attr-defined]
            clock, working.periodic_registry = working.periodic_registry, periodic.PeriodicRegistry()  # type: ignore[no-untyped-call]
            try:
                working.run_worker(wait=False, install_signal_handlers=False, listen_notify=False, concurrency=1)
            finally:
                working.periodic_registry = clock
    finally:
        _point_at(database, "consult_app")


def tick(name: str) -> None:
    """Do what the queue's clock does when it is time for a periodic job."""
    task = app.periodic_registry.periodic_tasks[name, ""]
    with contextlib.suppress(exceptions.AlreadyEnqueued):
        task.task.configure(**task.configure_kwargs).defer(timestamp=1)


def _point_at(database: Database, role: str) -> None:
    consult_database.addresses["office"] = database.urls[role]
    consult_database.use("office")


def jobs(database: Database) -> list[tuple[str, str, dict[str, Any], int]]:
    """Return (name, status, arguments, attempts) of every job in the order they came, but for the clock's own."""
    return database.ask(
        "SELECT task_name, status::text, args, attempts FROM procrastinate_jobs"
        " WHERE task_name !~ '^core[.]' AND NOT args ? 'timestamp' ORDER BY id"
    )


def make_due(database: Database) -> None:
    """Let jobs that wait for their next try be tried at once."""
    database.ask("UPDATE procrastinate_jobs SET scheduled_at = NULL WHERE status = 'todo'")
