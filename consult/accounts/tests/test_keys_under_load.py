"""Keys rotate again and again while tokens are signed and believed everywhere: not one is refused.

Times are shortened, all alike. What is proved is the order of things: the verifiers never ask because they met a kid
that they do not know, and are told of no change by the process that made it; only their list's age, and NOTIFY, count.
"""

import asyncio
import collections
import datetime as dt
import functools
import threading
import time
from collections.abc import Callable, Iterator

import asyncpg
import jwt
import pytest
from django.db import connection
from django.test import override_settings

from conftest import Cast, Database
from consult.accounts import services
from consult.accounts.services import access_tokens, key_ring, keys
from consult.accounts.tests.extension import sign_in
from edge import bounds
from edge import keys as edge_keys

ROTATIONS = 6
# Of half an hour and more: the real ones, 600 times faster.
PUBLISHED_BEFORE = dt.timedelta(seconds=1)
BELIEVED_AFTER = dt.timedelta(seconds=3)
MAX_AGE_SECONDS = 0.4
# How old the oldest token is that is shown again.
OLD_SECONDS = 2.0
DEADLINE_SECONDS = 120


class Load:
    """Threads that run until told to stop; what any of them met is kept."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.faults: list[str] = []
        self.counted: collections.Counter[str] = collections.Counter()
        self.kids: set[str] = set()
        self._threads: list[threading.Thread] = []

    def start(self, work: Callable[[], None]) -> None:
        def run() -> None:
            try:
                while not self.stop.is_set():
                    work()
            except BaseException as error:
                self.faults.append(repr(error))
            finally:
                connection.close()

        self._threads.append(threading.Thread(target=run))
        self._threads[-1].start()

    def finish(self) -> None:
        self.stop.set()
        for thread in self._threads:
            thread.join(30)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(keys, "PUBLISHED_BEFORE", PUBLISHED_BEFORE)
    monkeypatch.setattr(keys, "BELIEVED_AFTER", BELIEVED_AFTER)
    monkeypatch.setattr(key_ring, "MAX_AGE_SECONDS", MAX_AGE_SECONDS)
    # Never because of an unknown kid, and never because this process made the change.
    monkeypatch.setattr(key_ring, "AGAIN_SECONDS", 1e9)
    monkeypatch.setattr(keys, "ring", key_ring.KeyRing())
    with override_settings(CONSULT_KEY_ROTATION_DAYS=0):
        yield


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Edge:
    """The edge's own ring behind its own door and role, told by NOTIFY, in a thread with a loop of its own."""

    def __init__(self, url: str, load: Load) -> None:
        self.waiting: collections.deque[tuple[float, str]] = collections.deque(maxlen=10_000)
        self._url, self._load = url, load
        self.ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._thread.start()

    async def _run(self) -> None:
        try:
            asked, told = await asyncpg.connect(self._url), await asyncpg.connect(self._url)

            async def ask() -> dict[str, str]:
                return {row[0]: row[1] for row in await asked.fetch("SELECT * FROM accounts_public_keys_v2()")}

            ring = edge_keys.KeyRing(ask, bounds.Bounds(keys_reload_seconds=1e9))
            await told.add_listener("consult_keys", lambda *_: ring.outdated())
            self.ready.set()
            while not self._load.stop.is_set():
                await asyncio.sleep(0)
                for signed_at, token in list(self.waiting):
                    await ring.verify(token)
                    self._load.counted["edge"] += 1
                    if time.monotonic() - signed_at > OLD_SECONDS:
                        self.waiting.popleft()
            await asked.close()
            await told.close()
        except BaseException as error:
            self._load.faults.append(f"edge: {error!r}")

    def finish(self) -> None:
        self._thread.join(30)


def _office(load: Load, edge: Edge, cast: Cast, again: Callable[[], str], held: list[tuple[float, str]]) -> None:
    """Sign an access and a live token, believe the new one, the oldest one, and one between."""
    token = again()
    held.append((time.monotonic(), token))
    load.kids.add(jwt.get_unverified_header(token)["kid"])
    while time.monotonic() - held[0][0] > OLD_SECONDS:
        held.pop(0)
    for _at, each in (held[-1], held[0], held[len(held) // 2]):
        services.believe(each, now=_now())
        load.counted["office"] += 1
    live = services.live_token(agency_id=cast.a, member_id=cast.bob.member_id, now=_now())
    if len(edge.waiting) < 20:
        edge.waiting.append((time.monotonic(), live))


def _work() -> None:
    services.tend_keys(now=_now())


def test_not_one_is_refused(database: Database, cast: Cast, short: None) -> None:
    program = sign_in(cast.bob.client)
    claims = access_tokens.verify(program.access_token, now=_now())
    load = Load()
    edge = Edge(database.urls["consult_edge"], load)
    assert edge.ready.wait(30), load.faults
    again = functools.partial(
        access_tokens.access_token,
        agency_id=cast.a,
        member_id=claims.member_id,
        grant_id=claims.grant_id,
        client_id="load",
        scopes=["read"],
    )
    for _ in range(3):
        held: list[tuple[float, str]] = []
        load.start(functools.partial(_office, load, edge, cast, lambda: again(now=_now()), held))
    # Two workers, both of the opinion that it is time.
    for _ in range(2):
        load.start(_work)
    deadline = time.monotonic() + DEADLINE_SECONDS
    while len(load.kids) <= ROTATIONS and not load.faults and time.monotonic() < deadline:
        load.stop.wait(0.05)
    load.finish()
    edge.finish()
    assert load.faults == []
    assert len(load.kids) > ROTATIONS
    assert load.counted["office"] > 100
    assert load.counted["edge"] > 100
    # What came first is gone from the list, so the list does not only grow.
    assert len(key_ring._load(dict(database.ask("SELECT kid, public_key FROM accounts_signingkey")))) < ROTATIONS
