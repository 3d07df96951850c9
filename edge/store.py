"""Stored with whatever else arrived in these few milliseconds: one statement, one commit (natural batching).

While a batch is being committed, the rows that arrive gather into the next, so a batch is as large as the load
needs and nothing waits when there is none. Each writer has one connection and one statement in flight.
"""

import asyncio
import collections
import random
import time
from collections.abc import Callable

from edge import bounds, database, doors, log
from edge.submission import Outcome, Submission


class Full(Exception):
    """More waits than can be stored in time."""


class _Waiting:
    __slots__ = ("answer", "given_up", "row", "since", "tried")

    def __init__(self, row: Submission, answer: asyncio.Future[Outcome], since: float) -> None:
        self.row = row
        self.answer = answer
        self.since = since
        self.given_up = False
        self.tried = False

    def give_up(self) -> None:
        self.given_up = True
        if not self.answer.done():
            self.answer.set_exception(database.Unavailable("deadline"))

    def stored(self, outcome: Outcome) -> None:
        if self.answer.done():
            return
        # "duplicate" after an attempt whose answer was lost is that attempt: ids are made here, once.
        if self.tried and outcome.kind == "duplicate":
            outcome = Outcome("stored", outcome.receipt)
        self.answer.set_result(outcome)


# How often waiting rows are looked at for their deadline: one timer for all of them.
_LOOK_SECONDS = 0.05

type Committed = Callable[[int, float], None]


class Store:
    """`committed` is told the size of each batch and the seconds that its statement took."""

    def __init__(
        self, dsn: str, source: str, limits: bounds.Bounds, told: log.Log, committed: Committed = lambda *_: None
    ) -> None:
        self._dsn = dsn
        self.limits = limits
        self.log = told
        self.committed = committed
        self._queue: collections.deque[_Waiting] = collections.deque()
        self._writers = [_Writer(self, f"{source}/{number}") for number in range(limits.store_writers)]
        self._away_since: float | None = None
        self._closing = False
        self._looking: asyncio.TimerHandle | None = None

    async def put(self, row: Submission) -> Outcome:
        """Returns after the commit. Raises Full, and database.Unavailable at the deadline or when nobody is there.

        A caller that is cancelled does not take its row back: what was sent is stored, whether or not somebody
        still waits for the receipt. Only a row whose caller was told Unavailable is dropped from the queue.
        """
        if len(self._queue) >= self.limits.store_queue_rows:
            raise Full
        if self._closing or self._away_since is not None:
            # The writers keep on trying; until then everybody is told at once instead of after a wait.
            raise database.Unavailable("away")
        loop = asyncio.get_running_loop()
        waiting = _Waiting(row, loop.create_future(), loop.time())
        self._queue.append(waiting)
        self._wake(self.limits.store_crowd_rows)
        if self._looking is None:
            self._looking = loop.call_later(_LOOK_SECONDS, self._look)
        return await waiting.answer

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        late = loop.time() - self.limits.store_seconds
        more = bool(self._queue)
        while self._queue and self._queue[0].since < late:
            self._queue.popleft().give_up()
        if self._queue and self._queue[0].since < loop.time() - _LOOK_SECONDS:
            self._wake(1)
        for writer in self._writers:
            more = more or bool(writer.batch)
            for waiting in writer.batch:
                if waiting.since < late and not waiting.given_up:
                    waiting.give_up()
        self._looking = loop.call_later(_LOOK_SECONDS, self._look) if more else None

    def _wake(self, enough: int) -> None:
        # One that is about to start takes all that arrived in the same instant. While one is busy another starts only
        # for `enough` rows: small batches cost the database three times as much for each row.
        busy = False
        for writer in self._writers:
            if writer.starting:
                return
            if writer.idle:
                if not busy or len(self._queue) >= enough:
                    writer.wake()
                return
            busy = True

    def start(self) -> None:
        for writer in self._writers:
            writer.start()

    async def close(self, seconds: float) -> None:
        """Takes nothing more, stores what waits, at most this long; who still waits then is told Unavailable."""
        self._closing = True
        deadline = time.monotonic() + seconds
        while (self._queue or any(writer.batch for writer in self._writers)) and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        for waiting in [*self._queue, *(waiting for writer in self._writers for waiting in writer.batch)]:
            waiting.give_up()
        self._queue.clear()
        for writer in self._writers:
            await writer.stop()
        if self._looking is not None:
            self._looking.cancel()

    def take(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        queue = self._queue
        while queue and len(batch) < self.limits.store_batch_rows:
            waiting = queue.popleft()
            if not waiting.given_up:
                batch.append(waiting)
        return batch

    def give_back(self, batch: list[_Waiting]) -> None:
        # To the front: they are older than all that wait. Who was told Unavailable is in the spool by now.
        self._queue.extendleft(waiting for waiting in reversed(batch) if not waiting.given_up)

    @property
    def waiting(self) -> int:
        """How many rows wait, those in flight not counted."""
        return len(self._queue)

    @property
    def is_connected(self) -> bool:
        """Whether some writer has a connection."""
        return any(writer.connected for writer in self._writers)

    @property
    def is_away(self) -> bool:
        """Whether the database could not be reached when it was last tried."""
        return self._away_since is not None

    def lost(self, batch: list[_Waiting], reason: str) -> None:
        """A connection broke under its batch: one more try for those that never were told to wait, then `away`."""
        self.log.warning("connection_lost", reason=reason)
        self.give_back(batch)

    def away(self, reason: str) -> None:
        if self._away_since is None:
            self._away_since = time.monotonic()
            self.log.warning("store_away", reason=reason)
        # Nobody waits for a database that is gone: what waits goes to the spool now.
        while self._queue:
            self._queue.popleft().give_up()

    def back(self) -> None:
        if self._away_since is not None:
            self.log.info("store_back", seconds=round(time.monotonic() - self._away_since, 1))
            self._away_since = None

    async def open(self) -> database.Connection:
        return await database.connect(self._dsn, self.limits.store_seconds)


class _Writer:
    """One connection, one statement at a time."""

    def __init__(self, store: Store, source: str) -> None:
        self._store = store
        self._source = source
        self._work = asyncio.Event()
        self.starting = False
        self.batch: list[_Waiting] = []
        self._connection: database.Connection | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def idle(self) -> bool:
        return not self._work.is_set()

    @property
    def connected(self) -> bool:
        return self._connection is not None and not self._connection.is_closed()

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
        pause = self._store.limits.reconnect_seconds
        while True:
            await self._work.wait()
            if await self._connected() and await self._write_all():
                pause = self._store.limits.reconnect_seconds
                if not self._store.waiting:
                    self._work.clear()
            else:
                # Not all edges at the same instant.
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311
                pause = min(pause * 1.5, 2.0)

    async def _write_all(self) -> bool:
        while batch := self._store.take():
            self.starting = False
            if not await self._write(batch):
                return False
        self.starting = False
        return True

    async def _connected(self) -> bool:
        if self.connected:
            return True
        try:
            self._connection = await self._store.open()
        except (database.Unavailable, database.BadRole) as away:
            self.starting = False
            # With too few connections for two writers, one does the work.
            if not self._store.is_connected:
                self._store.away(str(away))
            return False
        self._store.back()
        return True

    async def _write(self, batch: list[_Waiting]) -> bool:
        """False when the connection is gone: the rows wait again, and may find themselves already stored."""
        self.batch = batch
        began = time.perf_counter()
        try:
            if self._connection is None:
                raise database.Unavailable("not connected")
            outcomes = await doors.accept(
                self._connection,
                self._source,
                [waiting.row for waiting in batch],
                seconds=self._store.limits.store_seconds,
            )
        except database.Unavailable as away:
            self._lost(batch, str(away))
            return False
        finally:
            self.batch = []
        self._store.committed(len(batch), time.perf_counter() - began)
        for waiting, outcome in zip(batch, outcomes, strict=True):
            waiting.stored(outcome)
        return True

    def _lost(self, batch: list[_Waiting], reason: str) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
        for waiting in batch:
            waiting.tried = True
        self._store.lost(batch, reason)
