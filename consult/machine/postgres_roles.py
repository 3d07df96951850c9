"""Roles, passwords and database of the embedded PostgreSQL. What the roles are stands in `sql/roles.sql`."""

import base64
import hashlib
import hmac
from pathlib import Path

import psycopg
from psycopg import sql

from consult.machine import local

ROLES_SQL = Path(__file__).parent / "sql" / "roles.sql"


def prepare(maintenance_url: str, url: str, database: str, passwords: dict[str, str]) -> None:
    """Creates what is missing; changes nothing that is right already.

    Both addresses are the superuser's: the first of a database that always exists, the second of `database`.
    """
    with psycopg.connect(maintenance_url, autocommit=True) as connection:
        if connection.execute("SELECT FROM pg_database WHERE datname = %s", [database]).fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
    with psycopg.connect(url) as connection:
        connection.execute("SET LOCAL client_min_messages = warning")
        connection.execute(ROLES_SQL.read_bytes())
        _set_passwords(connection, passwords)


def _set_passwords(connection: psycopg.Connection, passwords: dict[str, str]) -> None:
    rows = connection.execute(
        "SELECT rolname, coalesce(rolpassword, '') FROM pg_authid WHERE rolname = ANY(%s)",
        [list(local.LOGIN_ROLES)],
    )
    for role, verifier in rows.fetchall():
        if not matches(verifier, passwords[role]):
            # Hashed on this side, so that the server's log can never show it.
            digest = connection.pgconn.encrypt_password(passwords[role].encode(), role.encode(), b"scram-sha-256")
            statement = sql.SQL("ALTER ROLE {} PASSWORD {}")
            connection.execute(statement.format(sql.Identifier(role), sql.Literal(digest.decode())))


def matches(verifier: str, password: str) -> bool:
    """Whether PostgreSQL's `SCRAM-SHA-256$iterations:salt$stored:server` (RFC 5803) fits this password."""
    try:
        _, parameters, keys = verifier.split("$")
        iterations, salt = parameters.split(":")
        stored = base64.b64decode(keys.split(":")[0])
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(iterations))
    except ValueError:
        return False
    client = hmac.digest(salted, b"Client Key", "sha256")
    return hmac.compare_digest(hashlib.sha256(client).digest(), stored)
