"""Which PostgreSQL role a process connects with."""

from typing import Any

import structlog
from django.db import OperationalError, connection
from psycopg import conninfo

log = structlog.get_logger("consult.database")

# Filled by the settings: process name -> address. A fork of the preloaded parent picks its own with `use`.
addresses: dict[str, str] = {}


def settings(process: str) -> dict[str, Any]:
    """Return Django's connection settings for `process` (office, worker, migrate, seed)."""
    parts = conninfo.conninfo_to_dict(addresses.get(process) or addresses["office"])
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.pop("dbname", ""),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": str(parts.pop("port", "")),
        "OPTIONS": {"connect_timeout": 5, **parts},
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        # A transaction pooler cannot keep a cursor between two statements.
        "DISABLE_SERVER_SIDE_CURSORS": True,
    }


def use(process: str) -> None:
    """Connect as `process` from now on. Must run before the first query of this (forked) process."""
    connection.close()
    connection.settings_dict.update(settings(process))


class UnsafeRole(Exception):
    """This process's database role could see or change what row-level security hides from it."""


def check_own_role() -> None:
    """Raise UnsafeRole when our role is superuser, bypasses RLS, owns a table or may become one that does."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT r.rolname,
                   CASE WHEN r.rolsuper THEN 'is a superuser'
                        WHEN r.rolbypassrls THEN 'has BYPASSRLS'
                        ELSE 'owns tables' END
              FROM pg_roles r
             WHERE pg_has_role(current_user, r.oid, 'MEMBER')
               AND (r.rolsuper OR r.rolbypassrls
                    OR EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                                WHERE c.relowner = r.oid AND c.relkind IN ('r', 'p') AND n.nspname = 'public'))
             LIMIT 1
            """
        )
        if found := cursor.fetchone():
            raise UnsafeRole(
                f"The database role of this process is, or may become, “{found[0]}”, which {found[1]}: "
                "refusing to start. Use consult_app for the office and consult_worker for the worker."
            )


def refuse_unsafe_role() -> None:
    """Like check_own_role, but a database that is away is no reason not to start: the first query will say so."""
    try:
        check_own_role()
    except OperationalError as error:
        log.warning("database away at start", error=type(error).__name__)
    finally:
        connection.close()
