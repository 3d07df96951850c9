"""Stored with whatever else arrived in these few milliseconds: one statement, one commit (natural batching).

While a batch is being committed, the rows that arrive gather into the next, so a batch is as large as the load
needs and nothing waits when there is none. Each writer has one connection and one statement in flight.
"""

import asyncio
import collections
import datetime
import time
import uuid
from typing import Literal

import asyncpg
import msgspec

from edge import bounds, database, log, sql

type Outcome = Literal["stored", "unknown_form"]


class Full(Exception):
    """More waits than can be stored in time."""


class Refused(Exception):
    """PostgreSQL does not take this row's content, also not by itself."""


class Submission(msgspec.Struct, frozen=True):
    """`fields` and `meta` are JSON text; `receipt` is without dashes; `received_at` is UTC."""

    id: uuid.UUID
    form_key: str
    form_version: int
    receipt: str
    received_at: datetime.datetime
    fields: str
    meta: str


class _Waiting:
    __slots__ = ("answer", "given_up", "row")

    def __init__(self, row: Submission, answer: asyncio.Future[Outcome]) -> None:
        self.row = row
        self.answer = answer
        self.given_up = False

    def give_up(self) -> None:
        self.given_up = True
        if not self.answer.done():
            self.answer.set_exception(database.Unavailable("deadline"))


# Classes of SQLSTATE in which the row is at fault: data, integrity, raised by a function, beyond a limit.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_CONTENT_CLASSES = ("22", "23", "P0", "54")


class Store:
    def __init__(self, dsn: str, limits: bounds.Bounds, told: log.Log) -> None:
        self._dsn = dsn
        self.limits = limits
        self.log = told
        self._queue: collections.deque[_Waiting] = collections.deque()
        self._writers = [_Writer(self) for _ in range(limits.store_writers)]
        self._away_since: float | None = None
        self._closing = False

    async def put(self, row: Submission) -> Outcome:
        """Returns after the commit. Raises Full, Refused, and database.Unavailable at the deadline.

        A caller that is cancelled does not take its row back: what was sent is stored, whether or not somebody
        still waits for the receipt. Only a row whose sender was told "not stored" is dropped from the queue.
        """
        if self._closing or len(self._queue) >= self.limits.store_queue_rows:
            raise Full
        if self._away_since is not None and time.monotonic() - self._away_since > self.limits.store_seconds:
            # Everybody who waited got an error already; an early one is kinder. The writers keep on trying.
            raise database.Unavailable("away")
        loop = asyncio.get_running_loop()
        waiting = _Waiting(row, loop.create_future())
        deadline = loop.call_later(self.limits.store_seconds, waiting.give_up)
        self._queue.append(waiting)
        self._wake()
        try:
            return await waiting.answer
        finally:
            deadline.cancel()

    def _wake(self) -> None:
        # One that is about to start takes all that arrived in the same instant. Only when the first is busy does
        # the second start, so that under a light load it never opens its connection.
        if any(writer.starting for writer in self._writers):
            return
        idle = next((writer for writer in self._writers if writer.idle), None)
        if idle is not None:
            idle.wake()

    def start(self) -> None:
        """Connects the first writer and keeps it connected."""
        for writer in self._writers:
            writer.start()

    async def close(self, seconds: float) -> None:
        """Takes nothing more, stores what waits, at most this long."""
        self._closing = True
        deadline = time.monotonic() + seconds
        while any(not writer.idle for writer in self._writers) and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        for writer in self._writers:
            await writer.stop()

    def take(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        while self._queue and len(batch) < self.limits.store_batch_rows:
            waiting = self._queue.popleft()
            if not waiting.given_up:
                batch.append(waiting)
        return batch

    def give_back(self, batch: list[_Waiting]) -> None:
        self._queue.extendleft(reversed(batch))

    @property
    def empty(self) -> bool:
        return not self._queue

    def away(self, reason: str) -> None:
        if self._away_since is None:
            self._away_since = time.monotonic()
            self.log.warning("store_away", reason=reason)

    def back(self) -> None:
        if self._away_since is not None:
            self.log.info("store_back", seconds=round(time.monotonic() - self._away_since, 1))
            self._away_since = None

    async def open(self) -> database.Connection:
        return await database.connect(self._dsn, self.limits.store_seconds)


class _Writer:
    """One connection, one statement at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._work = asyncio.Event()
        self.starting = False
        self._connection: database.Connection | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def idle(self) -> bool:
        return not self._work.is_set()

    def wake(self) -> None:
        self.starting = True
        self._work.set()

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _run(self) -> None:
        while True:
            await self._work.wait()
            if not (await self._connected() and await self._write_all()):
                await asyncio.sleep(self._store.limits.reconnect_seconds)
            elif self._store.empty:
                self._work.clear()

    async def _write_all(self) -> bool:
        while batch := self._store.take():
            self.starting = False
            if not await self._write(batch):
                return False
        self.starting = False
        return True

    async def _connected(self) -> bool:
        if self._connection is not None and not self._connection.is_closed():
            return True
        try:
            self._connection = await self._store.open()
        except (database.Unavailable, database.BadRole) as away:
            self._store.away(str(away))
            return False
        self._store.back()
        return True

    async def _write(self, batch: list[_Waiting]) -> bool:
        """False when the connection is gone: the rows wait again, and may find themselves already stored."""
        try:
            outcomes = await self._send([waiting.row for waiting in batch])
        except asyncpg.PostgresError as error:
            if (error.sqlstate or "")[:2] in _CONTENT_CLASSES:
                return await self._write_singly(batch, error)
            return self._lost(batch, type(error).__name__)
        except (*database.AWAY, database.Unavailable, asyncpg.InternalClientError) as error:
            return self._lost(batch, type(error).__name__)
        except Exception as error:  # asyncpg could not even encode a row
            return await self._write_singly(batch, error)
        for waiting in batch:
            if not waiting.answer.done():
                # "duplicate" is this row, from an attempt whose answer was lost: ids are made here, once.
                unknown = outcomes.get(waiting.row.id) == "unknown_form"
                waiting.answer.set_result("unknown_form" if unknown else "stored")
        return True

    async def _write_singly(self, batch: list[_Waiting], error: Exception) -> bool:
        """One bad row must not fail its neighbours."""
        if len(batch) == 1:
            self._store.log.error("row_refused", reason=type(error).__name__, id=str(batch[0].row.id))
            if not batch[0].answer.done():
                batch[0].answer.set_exception(Refused(type(error).__name__))
            return True
        for position, waiting in enumerate(batch):
            if not await self._write([waiting]):
                self._store.give_back(batch[position + 1 :])
                return False
        return True

    def _lost(self, batch: list[_Waiting], reason: str) -> bool:
        self._store.away(reason)
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
        self._store.give_back(batch)
        return False

    async def _send(self, rows: list[Submission]) -> dict[uuid.UUID, str]:
        if self._connection is None:
            raise database.Unavailable("not connected")
        records = await self._connection.fetch(
            sql.ACCEPT_SUBMISSIONS,
            [row.id for row in rows],
            [row.form_key for row in rows],
            [row.form_version for row in rows],
            [row.receipt for row in rows],
            [row.received_at for row in rows],
            [row.fields for row in rows],
            [row.meta for row in rows],
            timeout=self._store.limits.store_seconds,
        )
        return {record["id"]: record["outcome"] for record in records}
