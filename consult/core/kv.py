"""Short-lived secret values by key: in Redis when REDIS_URL is set, else in the table core_kv. Sealed in both.

Values are bytes; keys say what they are of and whose: `github_token/4711`. None lives longer than LONGEST.
"""

import contextlib
import datetime as dt
import functools
from collections.abc import Iterator
from typing import Any, cast

import redis
import structlog
from django.conf import settings
from django.db import connection

from consult.core import encryption

log = structlog.get_logger("consult.kv")

LONGEST = dt.timedelta(days=7)
PREFIX = "consult:kv:"

# A week by our clock may be some moments more by the database's, whose clock the table's check reads.
PUT = """
INSERT INTO core_kv AS kv (key, value, expires_at)
VALUES (%(key)s, %(value)s, CASE WHEN %(until)s <= now() + interval '7 days' + interval '5 minutes'
                                 THEN least(%(until)s, now() + interval '7 days') ELSE %(until)s END)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at, written_at = now()
"""


def put(key: str, value: bytes, *, expires_at: dt.datetime) -> None:
    """Keep the value until `expires_at` (aware, at most LONGEST ahead), in place of what the key had.

    Raise ValueError for more than LONGEST, django.db.Error or redis.RedisError when the store does not answer.
    """
    if expires_at > dt.datetime.now(dt.UTC) + LONGEST + dt.timedelta(minutes=1):
        raise ValueError("no value is kept for longer than a week")
    sealed = encryption.seal(value, bound_to=f"core_kv/{key}")
    if settings.CONSULT_REDIS_URL:
        until = int(expires_at.timestamp() * 1000)
        _redis().set(PREFIX + key, f"{until}|{sealed}", pxat=until)
        return
    with connection.cursor() as cursor:
        cursor.execute(PUT, {"key": key, "value": sealed, "until": expires_at})


def get(key: str, *, now: dt.datetime) -> bytes | None:
    """Return the value, or None when there is none, it has expired, or no key of ours opens it."""
    sealed = _from_redis(key, now) if settings.CONSULT_REDIS_URL else _from_table(key, now)
    if sealed is None:
        return None
    try:
        return encryption.open_sealed(sealed, bound_to=f"core_kv/{key}")
    except encryption.CannotOpen as error:
        # The key's kind, not whose it is.
        log.warning("value cannot be opened", kind=key.partition("/")[0], reason=str(error))
        return None


def delete(key: str) -> None:
    """Forget the key; nothing happens when it is not there."""
    if settings.CONSULT_REDIS_URL:
        _redis().delete(PREFIX + key)
        return
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM core_kv WHERE key = %s", [key])


def in_use() -> dict[str, int]:
    """Return how many values Redis holds under which key, as encryption.in_use does for tables; empty without Redis."""
    found: dict[str, int] = {}
    for _key, _until, sealed in _in_redis():
        id = encryption.sealed_with(sealed)
        found[id] = found.get(id, 0) + 1
    return found


def reseal() -> int:
    """Bring what Redis holds under the first key; return how many. Raise encryption.CannotOpen."""
    count, first = 0, encryption.key_ids()[0]
    for name, until, sealed in _in_redis():
        if encryption.sealed_with(sealed) != first:
            again = encryption.seal_again(sealed, bound_to=f"core_kv/{name.removeprefix(PREFIX)}")
            with _redis().pipeline() as pipe:
                pipe.watch(name)
                # Written anew meanwhile: that was done with the first key.
                if pipe.get(name) == f"{until}|{sealed}".encode():
                    pipe.multi()
                    pipe.set(name, f"{until}|{again}", pxat=until, xx=True)
                    with contextlib.suppress(redis.WatchError):
                        pipe.execute()
                        count += 1
    return count


def _in_redis() -> Iterator[tuple[str, int, str]]:
    if not settings.CONSULT_REDIS_URL:
        return
    for key in _redis().scan_iter(f"{PREFIX}*"):
        if found := cast(bytes | None, _redis().get(key)):
            until, _, sealed = found.decode().partition("|")
            yield key.decode(), int(until), sealed


def forget_expired(*, now: dt.datetime) -> int:
    """Delete what has expired and return how many; Redis does so itself."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM core_kv WHERE expires_at <= %s", [now])
        return int(cursor.rowcount)


def _from_table(key: str, now: dt.datetime) -> str | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT value FROM core_kv WHERE key = %s AND expires_at > %s", [key, now])
        row = cursor.fetchone()
    return str(row[0]) if row else None


def _from_redis(key: str, now: dt.datetime) -> str | None:
    found = cast(bytes | None, _redis().get(PREFIX + key))
    if found is None:
        return None
    until, _, sealed = found.decode().partition("|")
    return sealed if int(until) > now.timestamp() * 1000 else None


def _redis() -> Any:
    return _connected(settings.CONSULT_REDIS_URL)


@functools.lru_cache(maxsize=2)
def _connected(url: str) -> Any:
    return redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2, health_check_interval=30)
