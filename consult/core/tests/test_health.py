"""Alive and ready, with the database and without."""

import time
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.db import close_old_connections, connection
from django.test import Client, override_settings
from pytest_django import DjangoDbBlocker

from conftest import Cast, Database
from consult.core import database as consult_database

DEAD = "postgresql://consult_app:db-password@127.0.0.1:1/consult"


@pytest.fixture
def away(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The database's address leads nowhere."""
    before = dict(consult_database.addresses)
    with django_db_blocker.unblock():
        consult_database.addresses["office"] = DEAD
        consult_database.use("office")
        yield
        connection.close()
        consult_database.addresses.update(before)
        consult_database.use("office")


def test_health_asks_nobody() -> None:
    # The database is blocked in this test: a query would raise.
    answer = Client().get("/health/")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert not answer.cookies


def test_probes_come_by_address(database: Database) -> None:
    """A container's health check asks 127.0.0.1 or a pod's address, which is no name of the office."""
    for path in ("/health/", "/ready/"):
        assert Client().get(path, headers={"Host": "10.0.0.7:8000"}).status_code == 200
    assert Client().get("/", headers={"Host": "10.0.0.7:8000"}).status_code == 400


def test_probes_are_not_sent_to_https(database: Database) -> None:
    with override_settings(SECURE_SSL_REDIRECT=True):
        assert Client().get("/health/").status_code == 200
        assert Client().get("/ready/").status_code == 200
        assert Client().get("/").status_code == 301


def test_ready(database: Database) -> None:
    assert Client().get("/ready/").status_code == 200
    missing = len(database.ask("DELETE FROM django_migrations WHERE app = 'inbox' RETURNING name"))
    told = Client().get("/ready/")
    assert told.status_code == 503
    assert told.json()["code"] == "migrations_missing"
    assert told.json()["detail"] == f"{missing} migrations are missing; run `manage.py migrate`."


def test_without_a_database(away: None) -> None:
    started = time.monotonic()
    assert Client().get("/health/").status_code == 200
    ready = Client().get("/ready/")
    assert ready.status_code == 503
    assert ready["Content-Type"] == "application/problem+json"
    assert ready.json()["code"] == "database_away"
    assert "OperationalError" in ready.json()["detail"]
    assert time.monotonic() - started < 10


def test_pages_without_a_database(away: None) -> None:
    for path in ("/a/inbox/", "/", "/accounts/agencies/", "/admin/", "/a/live-token/"):
        client = Client()
        client.cookies["sessionid"] = "x" * 32
        page = client.get(path)
        assert page.status_code == 503
        assert page["Retry-After"] == "5"
        assert "The office is away for a moment" in page.content.decode()
        assert "db-password" not in page.content.decode()
        told = client.get(path, headers={"Accept": "application/json"})
        assert (told.status_code, told["Content-Type"]) == (503, "application/problem+json")
        assert (told.json()["code"], told["Retry-After"]) == ("database_away", "5")


def test_signing_in_without_a_database(away: None) -> None:
    """The form needs no database, its answer does; what counts the tries lives in the database too."""
    assert Client().get("/accounts/login/").status_code == 200
    answer = Client().post("/accounts/login/", {"login": "alice@example.com", "password": "x"})
    assert answer.status_code == 503


def test_it_comes_back_by_itself(database: Database, cast: Cast) -> None:
    """The server drops every connection, as in a restart: at most the request under way fails."""
    assert cast.bob.client.get("/a/inbox/").status_code == 200
    cache.clear()
    database.ask(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    # What Django does at the start of each request, but for those of its test client.
    close_old_connections()
    assert cast.bob.client.get("/a/inbox/").status_code == 200
