"""Kept on this machine's own disk while PostgreSQL is away: accepted is accepted, whatever dies.

All disk work is done by one thread, so that a slow disk never holds up the event loop. Rows that arrive while it
commits go into its next transaction together.
"""

import asyncio
import collections
import contextlib
import datetime
import pathlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Self

from edge import bounds, doors, log, spool_file, submission
from edge.spool_file import Failed, FormDay, Full, KnownForm, Unusable, Waiting
from edge.submission import Outcome, Submission

__all__ = ["Failed", "FormDay", "Full", "KnownForm", "Spool", "Unusable", "Waiting"]

# What a caller may meet of a spool that does not take its row.
ERRORS = (Full, Failed)


class _Put:
    __slots__ = ("answer", "content", "given_up", "row")

    def __init__(self, row: Submission, content: bytes, answer: asyncio.Future[Outcome]) -> None:
        self.row = row
        self.content = content
        self.answer = answer
        self.given_up = False


type _Job = Callable[[], None]


class Spool:
    """Its methods are for one event loop. `await Spool.open(…)` makes one; `close` it."""

    def __init__(self, limits: bounds.Bounds, told: log.Log) -> None:
        self.source = ""
        self.name = ""
        self._limits = limits
        self._log = told
        self._loop = asyncio.get_running_loop()
        self._file: spool_file.File | None = None
        self._state = spool_file.State()
        self._jobs: collections.deque[_Put | _Job] = collections.deque()
        self._work = threading.Semaphore(0)
        self._thread: threading.Thread | None = None
        self._queued = self._queued_bytes = 0
        self._failing = False
        self._failed_at = -60.0
        self._closed = False
        self._emptied: asyncio.Future[None] | None = None
        # Set whenever rows were put: the drainer waits for it.
        self.filled = asyncio.Event()

    @classmethod
    async def open(cls, directory: pathlib.Path, limits: bounds.Bounds, told: log.Log) -> Self:
        """Takes the first file of the folder that nobody has. Raises Unusable, with a text for people."""
        spool = cls(limits, told)
        await spool._start(lambda: spool_file.open_first(directory, limits, told))
        return spool

    @classmethod
    async def adopt(cls, directory: pathlib.Path, number: int, limits: bounds.Bounds, told: log.Log) -> Self | None:
        """Takes the file of a process that is gone; None when it is not. Raises Unusable."""
        spool = cls(limits, told)
        await spool._start(lambda: spool_file.adopt(directory, number, limits, told))
        return spool if spool._file is not None else None

    @property
    def count(self) -> int:
        """Rows that wait in the file."""
        return self._state.count

    @property
    def bad(self) -> int:
        """Rows that nobody takes; they lie in the file, in the table `set_aside`."""
        return self._state.bad

    @property
    def oldest_at(self) -> datetime.datetime | None:
        """When the oldest waiting row was received, UTC."""
        return self._state.oldest_at

    @property
    def bytes(self) -> int:
        return self._state.bytes

    @property
    def full(self) -> float:
        """The share of `spool_bytes` that is in use, 0 to 1."""
        return min(1.0, (self._state.bytes + self._queued_bytes) / self._limits.spool_bytes)

    @property
    def refuses(self) -> bool:
        """Whether its disk took nothing in the last ten seconds. After that somebody has to try."""
        return time.monotonic() < self._failed_at + 10

    @property
    def waiting(self) -> bool:
        """Whether rows wait here: then newer ones have to wait behind them (but see `emptied`)."""
        return self._state.count > 0 or self._queued > 0

    async def emptied(self) -> bool:
        """Ask it when `waiting`: true when a new row can go to PostgreSQL after all, false when it has to come here.

        At once while nothing is drained. Else a new row waits until this batch is in PostgreSQL, and when it is the
        last one until nothing is left; at most `spool_hold_seconds`. Without this pause a steady stream of new rows
        could keep the spool from ever being empty: like this no sender adds more than one row to each batch that
        leaves.
        """
        if self._emptied is None:
            return False
        await asyncio.wait((self._emptied,), timeout=self._limits.spool_hold_seconds)
        return not self.waiting

    def hold(self) -> None:
        """The drainer begins with a batch: new rows wait in `emptied` until `release`."""
        if self._emptied is None:
            self._emptied = self._loop.create_future()

    def release(self) -> None:
        """The batch is stored, or could not be."""
        if self._emptied is not None:
            self._emptied.set_result(None)
            self._emptied = None

    async def put(self, row: Submission) -> Outcome:
        """Returns when the row is on the disk. Outcomes: spooled, duplicate (with the receipt of what is there),
        conflict (its id is there with another digest; the row is not kept).

        Raises Full at the limit and on a full disk, Failed at `spool_seconds` and when the disk does not write. A row
        whose caller was told Failed may be kept nevertheless: its id and receipt are the same at the next attempt.
        """
        if self._closed:
            raise Failed("closed")
        content = submission.pack(row)
        used = self._state.bytes + self._queued_bytes + len(content)
        if self._queued >= self._limits.spool_queue_rows or used > self._limits.spool_bytes:
            raise Full("at its limit")
        put = _Put(row, content, self._loop.create_future())
        self._queued += 1
        self._queued_bytes += len(content)
        self._give(put)
        deadline = self._loop.call_later(self._limits.spool_seconds, _give_up, put)
        try:
            return await put.answer
        finally:
            deadline.cancel()

    async def peek(self, rows: int) -> list[Waiting]:
        """The oldest rows, at most so many and about `spool_batch_bytes` of them. Raises Failed."""
        return await self._do(lambda file: file.peek(rows))

    async def done(self, seqs: Sequence[int], uncounted: Sequence[FormDay] = (), told: doors.Ledger = ()) -> None:
        """Forgets rows that PostgreSQL has, and the ledger entries that it was told, in one transaction.

        `uncounted`: form and day of each of these rows that is counted elsewhere. Raises Full, Failed: they stay.
        """
        await self._do(lambda file: file.done(seqs, uncounted, told))

    async def keep_bad(self, seq: int, reason: str) -> None:
        """A row that nobody takes is put out of the way, inside the file. Raises Full, Failed."""
        await self._do(lambda file: file.keep_bad(seq, reason))

    async def ledger(self, leaving: Mapping[FormDay, int] | None = None) -> list[doors.LedgerEntry]:
        """What changed since PostgreSQL was told, as it will be when so many rows of each form and day have left."""
        return await self._do(lambda file: file.ledger(leaving or {}))

    async def remember_form(self, key: str, version: int, definition: str, *, present: bool = True) -> None:
        """For an edge that starts while the database is away. Never raises: it is a convenience."""
        with contextlib.suppress(Full, Failed):
            await self._do(lambda file: file.remember_form(KnownForm(key, version, definition, present)))

    async def forget_form(self, key: str) -> None:
        """There is no such form any more. Never raises."""
        with contextlib.suppress(Full, Failed):
            await self._do(lambda file: file.forget_form(key))

    async def known_forms(self) -> list[KnownForm]:
        """Of all that was remembered, the least recently written first. Raises Failed."""
        return await self._do(lambda file: file.known_forms())

    async def close(self, seconds: float = 2.0) -> None:
        """Writes what waits, at most this long, and lets the file go."""
        self._closed = True
        if self._thread is None:
            return
        closed: asyncio.Future[None] = self._loop.create_future()

        def end() -> None:
            self._end()
            self._tell(_resolve, closed, None)

        self._give(end)
        await asyncio.wait((closed,), timeout=seconds)

    def _give(self, job: _Put | _Job) -> None:
        self._jobs.append(job)
        self._work.release()

    async def _start(self, opening: Callable[[], spool_file.File | None]) -> None:
        opened: asyncio.Future[None] = self._loop.create_future()

        def run() -> None:
            try:
                self._file = opening()
            except Exception as error:
                self._tell(_fail, opened, error)
                return
            if self._file is not None:
                self.source, self.name = self._file.source, self._file.path.name
                self._state = self._file.state
            self._tell(_resolve, opened, None)
            self._run()

        # A daemon: a disk that hangs must not keep the process from ending.
        self._thread = threading.Thread(target=run, name="spool", daemon=True)
        self._thread.start()
        await opened
        if self._file is None:
            self._closed = True
            self._thread = None

    async def _do[T](self, work: Callable[[spool_file.File], T]) -> T:
        if self._closed:
            raise Failed("closed")
        answer: asyncio.Future[T] = self._loop.create_future()

        def job() -> None:
            if self._file is None:
                self._tell(_fail, answer, Failed("closed"))
                return
            try:
                found = work(self._file)
            except Exception as error:
                self._tell(self._failed, answer, error)
            else:
                self._tell(self._worked, answer, found, self._file.state)

        self._give(job)
        return await answer

    # From here on: the thread.

    def _run(self) -> None:
        while self._file is not None:
            self._work.acquire()
            job = self._jobs.popleft()
            if isinstance(job, _Put):
                self._write(self._gather(job))
            else:
                job()

    def _gather(self, first: _Put) -> list[_Put]:
        """All rows that wait by now, as far as they fit into one transaction."""
        batch, size = [first], len(first.content)
        most = self._file.batch_bytes if self._file is not None else 0
        while self._jobs and len(batch) < self._limits.spool_batch_rows and size < most:
            following = self._jobs[0]
            if not isinstance(following, _Put):
                break
            self._work.acquire()
            self._jobs.popleft()
            batch.append(following)
            size += len(following.content)
        return batch

    def _write(self, batch: list[_Put]) -> None:
        # Whose caller was told Failed at the deadline is not kept any more; one who only left is.
        kept = [put for put in batch if not put.given_up]
        outcomes: Sequence[Outcome | Exception] = ()
        if kept and self._file is not None:
            try:
                outcomes = self._file.put([(put.row, put.content) for put in kept])
            except Exception as error:
                outcomes = [error] * len(kept)
        state = self._file.state if self._file is not None else self._state
        self._tell(self._written, batch, list(zip(kept, outcomes, strict=True)), state)

    def _end(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _tell(self, hear: Callable[..., None], *arguments: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody listens
            self._loop.call_soon_threadsafe(hear, *arguments)

    # From here on: the event loop again.

    def _written(
        self, batch: list[_Put], outcomes: list[tuple[_Put, Outcome | Exception]], state: spool_file.State
    ) -> None:
        self._state = state
        self._queued -= len(batch)
        self._queued_bytes -= sum(len(put.content) for put in batch)
        for put, outcome in outcomes:
            if isinstance(outcome, Exception):
                self._note(outcome)
                _fail(put.answer, outcome if isinstance(outcome, ERRORS) else Failed(type(outcome).__name__))
            else:
                self._failing, self._failed_at = False, -60.0
                _resolve(put.answer, outcome)
        self.filled.set()

    def _worked[T](self, answer: asyncio.Future[T], found: T, state: spool_file.State) -> None:
        self._state = state
        _resolve(answer, found)

    def _failed[T](self, answer: asyncio.Future[T], error: Exception) -> None:
        self._note(error)
        _fail(answer, error if isinstance(error, ERRORS) else Failed(type(error).__name__))

    def _note(self, error: Exception) -> None:
        """Tell it once, until it works again."""
        self._failed_at = time.monotonic()
        if not self._failing:
            self._failing = True
            self._log.error("spool_failed", file=self.name, reason=f"{type(error).__name__}: {error}")


def _give_up(put: _Put) -> None:
    put.given_up = True
    _fail(put.answer, Failed("deadline"))


def _resolve[T](answer: asyncio.Future[T], found: T) -> None:
    if not answer.done():
        answer.set_result(found)


def _fail[T](answer: asyncio.Future[T], error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)
