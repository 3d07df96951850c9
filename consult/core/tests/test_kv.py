"""Short-lived secrets: kept until they expire and no longer, sealed, in PostgreSQL or in Redis."""

import contextlib
import datetime as dt
import shutil
import socket
import statistics
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis
from cryptography.fernet import Fernet
from django.db import IntegrityError, connection
from pytest_django import Settings

from conftest import Database
from consult.core import encryption, jobs, kv

NOW = dt.datetime.now(dt.UTC)
HOUR = dt.timedelta(hours=1)
SECRET = b"gho_a-token-that-nobody-may-see"


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = shutil.which("redis-server")
    assert server, "redis-server is missing; `make test` installs it"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder: Path = tmp_path_factory.mktemp("redis")
    process = subprocess.Popen(
        [server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)],
        stdout=subprocess.DEVNULL,
    )
    client = redis.Redis(port=port)
    deadline = time.monotonic() + 10
    while True:
        with contextlib.suppress(redis.RedisError):
            if client.ping():
                break
        assert time.monotonic() < deadline, "Redis did not start"
        time.sleep(0.02)
    client.close()
    yield f"redis://127.0.0.1:{port}/0"
    process.kill()
    process.wait()


@pytest.fixture(params=["postgres", "redis"])
def store(request: pytest.FixtureRequest, database: Database, settings: Settings) -> Iterator[str]:
    settings.CONSULT_REDIS_URL = ""
    if request.param == "redis":
        settings.CONSULT_REDIS_URL = request.getfixturevalue("redis_url")
    yield str(request.param)
    if request.param == "redis":
        kv._connected(settings.CONSULT_REDIS_URL).flushall()
        kv._connected(settings.CONSULT_REDIS_URL).close()
        kv._connected.cache_clear()


def raw(database: Database, settings: Settings, key: str) -> str:
    """What somebody sees who reads the store itself."""
    if settings.CONSULT_REDIS_URL:
        with redis.Redis.from_url(settings.CONSULT_REDIS_URL) as client:
            return str(client.get(kv.PREFIX + key))
    return str(database.ask("SELECT value FROM core_kv WHERE key = %s", [key]))


def test_it_keeps_replaces_and_forgets(store: str) -> None:
    assert kv.get("github_token/1", now=NOW) is None
    kv.put("github_token/1", SECRET, expires_at=NOW + HOUR)
    kv.put("github_token/2", b"\x00\xff", expires_at=NOW + kv.LONGEST)
    assert kv.get("github_token/1", now=NOW) == SECRET
    assert kv.get("github_token/2", now=NOW) == b"\x00\xff"
    kv.put("github_token/1", b"another", expires_at=NOW + HOUR)
    assert kv.get("github_token/1", now=NOW) == b"another"
    kv.delete("github_token/1")
    kv.delete("github_token/1")
    assert kv.get("github_token/1", now=NOW) is None
    assert kv.get("github_token/2", now=NOW) == b"\x00\xff"


def test_what_has_expired_is_not_returned(store: str) -> None:
    kv.put("github_token/1", SECRET, expires_at=NOW + HOUR)
    assert kv.get("github_token/1", now=NOW + HOUR - dt.timedelta(seconds=1)) == SECRET
    assert kv.get("github_token/1", now=NOW + HOUR) is None
    assert kv.get("github_token/1", now=NOW + dt.timedelta(days=400)) is None


def test_nothing_is_kept_for_more_than_a_week(store: str) -> None:
    now = dt.datetime.now(dt.UTC)
    kv.put("github_token/1", SECRET, expires_at=now + kv.LONGEST)
    with pytest.raises(ValueError, match="a week"):
        kv.put("github_token/1", b"longer", expires_at=now + kv.LONGEST + dt.timedelta(minutes=10))
    assert kv.get("github_token/1", now=now) == SECRET


def test_the_database_refuses_more_than_a_week_by_itself(database: Database) -> None:
    now = dt.datetime.now(dt.UTC)
    for statement in (
        "INSERT INTO core_kv (key, value, expires_at) VALUES ('x', 'y', now() + interval '7 days 1 second')",
        "UPDATE core_kv SET expires_at = now() + interval '8 days'",
    ):
        kv.put("there", SECRET, expires_at=now + HOUR)
        with pytest.raises(psycopg.errors.CheckViolation):
            database.ask(statement, role="consult_app")
    # By a clock that is wrong by more than a little, it is refused as well.
    late: dict[str, str | dt.datetime] = {
        "key": "k",
        "value": "v",
        "until": now + kv.LONGEST + dt.timedelta(minutes=10),
    }
    with connection.cursor() as cursor, pytest.raises(IntegrityError, match="core_kv_at_most_a_week"):
        cursor.execute(kv.PUT, late)


def test_nobody_reads_it_in_the_store(store: str, database: Database, settings: Settings) -> None:
    kv.put("github_token/1", SECRET, expires_at=NOW + HOUR)
    assert "gho_" not in raw(database, settings, "github_token/1")
    assert "enc:v1:" in raw(database, settings, "github_token/1")


def test_a_value_of_another_key_does_not_open(database: Database, settings: Settings) -> None:
    kv.put("github_token/1", SECRET, expires_at=NOW + HOUR)
    kv.put("github_token/2", b"mine", expires_at=NOW + HOUR)
    database.ask(
        "UPDATE core_kv SET value = (SELECT value FROM core_kv WHERE key = 'github_token/1')"
        " WHERE key = 'github_token/2'"
    )
    assert kv.get("github_token/2", now=NOW) is None
    assert kv.get("github_token/1", now=NOW) == SECRET


def test_keys_rotate(database: Database, settings: Settings) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.CONSULT_ENCRYPTION_KEYS = [old]
    kv.put("github_token/1", SECRET, expires_at=NOW + HOUR)
    settings.CONSULT_ENCRYPTION_KEYS = [new, old]
    [place] = [place for place in encryption.PLACES if place.table == "core_kv"]
    assert encryption.reseal(place) == 1
    assert encryption.reseal(place) == 0
    settings.CONSULT_ENCRYPTION_KEYS = [new]
    assert kv.get("github_token/1", now=NOW) == SECRET
    # A key that was dropped too early: as if the value had expired.
    settings.CONSULT_ENCRYPTION_KEYS = [old]
    assert kv.get("github_token/1", now=NOW) is None


def test_the_job_deletes_what_has_expired(database: Database) -> None:
    kv.put("github_token/1", SECRET, expires_at=NOW - HOUR)
    kv.put("github_token/2", SECRET, expires_at=NOW + HOUR)
    jobs.forget_expired_values()
    assert database.ask("SELECT key FROM core_kv") == [("github_token/2",)]


def test_reading_is_quick(store: str) -> None:
    kv.put("github_token/1", SECRET, expires_at=NOW + HOUR)
    took = []
    for _ in range(50):
        began = time.perf_counter()
        assert kv.get("github_token/1", now=NOW) == SECRET
        took.append((time.perf_counter() - began) * 1000)
    assert statistics.median(took) < 10


def test_values_in_redis_come_under_a_new_key(redis_url: str, settings: Settings) -> None:
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    settings.CONSULT_REDIS_URL, settings.CONSULT_ENCRYPTION_KEYS = redis_url, [old]
    until = dt.datetime.now(dt.UTC) + HOUR
    kv.put("github_token/1", SECRET, expires_at=until)
    settings.CONSULT_ENCRYPTION_KEYS = [new, old]
    assert sum(count for id, count in kv.in_use().items() if id != encryption.key_ids()[0]) == 1
    assert [kv.reseal(), kv.reseal()] == [1, 0]
    settings.CONSULT_ENCRYPTION_KEYS = [new]
    now = dt.datetime.now(dt.UTC)
    assert kv.get("github_token/1", now=now) == SECRET
    assert kv.get("github_token/1", now=until) is None
    kv.delete("github_token/1")
