"""What the children of `consult up` run. Each picks its own database role right after the fork."""

import importlib
import multiprocessing
import os
import sys

from consult.machine import supervisor

# The edge takes what the internet sends: it gets its own secret and none of the office's.
OFFICE_ONLY = (
    "SECRET_KEY",
    "CONSULT_ENCRYPTION_KEYS",
    "EMAIL_URL",
    "DATABASE_URL",
    "WORKER_DATABASE_URL",
    "MIGRATE_DATABASE_URL",
    "BACKUP_DATABASE_URL",
)


class CannotLoad(Exception):
    """A setting or a module of the office is wrong; the text says which and why."""


def preload() -> None:
    """Loads all that office and worker need, before the forks. Opens no connection, starts no thread."""
    import django
    from django.conf import settings
    from django.template import engines
    from django.utils.module_loading import import_string

    try:
        django.setup()
        # Not the WSGI module: that one looks into the database as soon as it is loaded.
        for module in (settings.ROOT_URLCONF, "consult.core.queue", "granian.server"):
            importlib.import_module(module)
        for middleware in settings.MIDDLEWARE:
            import_string(middleware)
        engines.all()
    except supervisor.Stopped:
        raise
    except Exception as error:
        raise CannotLoad(f"The office cannot be loaded.\n{type(error).__name__}: {error}") from error


def _use(process: str) -> None:
    os.environ["CONSULT_PROCESS"] = process
    from consult.core import database

    database.use(process)


def migrate() -> None:
    from django.core.management import call_command

    _use("migrate")
    call_command("migrate", interactive=False)


def seed() -> dict[str, str]:
    """Makes the demo agency if it is missing. Returns `sign_in`, a path that works once, and `form_key`."""
    from django.core.management import call_command, get_commands

    _use("seed")
    call_command("seed_demo")
    # By name: what the installation stands on knows its features only when it runs.
    demo = importlib.import_module(f"{get_commands()['seed_demo']}.management.commands.seed_demo")
    accounts = importlib.import_module("consult.accounts.services")
    return {"sign_in": str(accounts.create_sign_in_link(email=demo.OWNER)), "form_key": str(demo.FORM_KEY)}


def work() -> None:
    from consult.core import queue

    _use("worker")
    queue.run_worker()


def serve_office(host: str, port: int) -> None:
    """The office's pages, until SIGTERM."""
    from django.conf import settings
    from granian import Granian
    from granian.constants import Interfaces

    _use("office")
    # Forked once more, its worker shares our memory as well; the default changed in Python 3.14.
    multiprocessing.set_start_method("fork", force=True)
    # No respawning there: when its worker dies it ends, and the supervisor says so and starts it again.
    Granian(
        settings.WSGI_APPLICATION.replace(".application", ":application"),
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=4,
        websockets=False,
        workers_kill_timeout=2,
    ).serve()


def become_edge() -> None:
    """The edge: a program of its own, without Django's memory and without the office's secrets."""
    hidden = {name for variable in OFFICE_ONLY for name in (variable, f"{variable}_FILE")}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    os.execve(sys.executable, [sys.executable, "-m", "edge"], environment)  # noqa: S606  nothing from outside
