"""From the spool into PostgreSQL, oldest first, as soon as it can be reached again; and the reports to the office."""

import asyncio
import collections
import contextlib
import datetime
import pathlib
import random
import socket
import time
from collections.abc import Callable, Sequence

import msgspec

from edge import bounds, database, doors, log, spool, spool_file, submission
from edge.submission import Outcome, Submission

# In the file they are kept until PostgreSQL has said one of these.
_COUNTED = ("stored", "duplicate", "set_aside")
_UNCOUNTED = ("duplicate_direct", "set_aside_uncounted")


class Drainer:
    """`rekey` gives a row another id, the same whenever it is asked (identity.rekeyed)."""

    def __init__(
        self,
        dsn: str,
        directory: pathlib.Path,
        own: spool.Spool,
        rekey: Callable[[Submission], Submission],
        started_at: datetime.datetime,
        limits: bounds.Bounds,
        told: log.Log,
    ) -> None:
        self._dsn = dsn
        self._directory = directory
        self._own = own
        self._rekey = rekey
        self._started_at = started_at
        self._limits = limits
        self._log = told
        self._host = socket.gethostname()
        self._connection: database.Connection | None = None
        self._reported_at = self._adopted_at = float("-inf")
        self._task: asyncio.Task[None] | None = None
        self._is_away = False

    def start(self) -> None:
        """From now on it drains, reports and adopts by itself."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stops where it is: what was sent and not yet forgotten is sent again at the next start, to no effect."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))
        self._own.release()
        self._disconnect()

    async def _run(self) -> None:
        pause = self._limits.reconnect_seconds
        while True:
            try:
                await self._round()
            except (database.Unavailable, database.BadRole, *spool.ERRORS) as away:
                self._failed(away)
            except Exception as error:
                # Nothing that is known; the rows stay where they are, and the task must not end.
                self._failed(error)
            else:
                self._worked()
                pause = self._limits.reconnect_seconds
                # It is idle most of its life, and a connection costs PostgreSQL a process.
                await self._hang_up()
                await self._until_work()
                continue
            self._disconnect()
            # Not all edges at the same instant.
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311
            pause = min(pause * 1.5, 5.0)

    async def _round(self) -> None:
        if self._own.count:
            await self.drain(self._own)
        now = time.monotonic()
        if now - self._reported_at >= self._limits.report_seconds:
            await self._report(self._own)
            self._reported_at = time.monotonic()
        if now - self._adopted_at >= self._limits.adopt_seconds:
            await self._adopt()
            self._adopted_at = time.monotonic()

    async def _until_work(self) -> None:
        self._own.filled.clear()
        if self._own.count:
            return
        next_at = self._reported_at + self._limits.report_seconds
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, next_at - time.monotonic())):
                await self._own.filled.wait()

    def _failed(self, error: Exception) -> None:
        if not self._is_away:
            self._is_away = True
            kind = str(error) if isinstance(error, database.Unavailable) else type(error).__name__
            self._log.warning("drain_waits", reason=kind, rows=self._own.count)

    def _worked(self) -> None:
        if self._is_away:
            self._is_away = False
            self._log.info("drain_goes_on", rows=self._own.count)

    async def drain(self, source: spool.Spool) -> int:
        """Brings all rows of a spool to PostgreSQL; how many they were. Raises database.Unavailable, spool.ERRORS."""
        began, drained = time.monotonic(), 0
        try:
            while source.waiting:
                # Before anybody is asked to wait for these rows: nobody waits for a database that is away.
                await self._connected()
                source.hold()
                drained += await self._batch(source)
                if source.count > self._limits.spool_batch_rows:
                    source.release()
        finally:
            source.release()
        await self._report(source)
        self._log.info("spool_drained", file=source.name, rows=drained, seconds=round(time.monotonic() - began, 2))
        return drained

    async def _batch(self, source: spool.Spool) -> int:
        waiting = await source.peek(self._limits.spool_batch_rows)
        rows = [(found, row) for found in waiting if (row := await self._unpacked(source, found)) is not None]
        if not rows:
            return len(waiting)
        leaving = collections.Counter((found.form, found.day) for found, _row in rows)
        ledger = await source.ledger(leaving)
        outcomes = await self._store(source, [row for _found, row in rows], ledger)
        done: list[int] = []
        uncounted: list[spool.FormDay] = []
        for (found, _row), outcome in zip(rows, outcomes, strict=True):
            if outcome.kind == "refused":
                await self._bad(source, found, "refused")
                continue
            done.append(found.seq)
            if outcome.kind in _UNCOUNTED:
                uncounted.append((found.form, found.day))
        await source.done(done, uncounted, ledger)
        return len(waiting)

    async def _unpacked(self, source: spool.Spool, found: spool.Waiting) -> Submission | None:
        try:
            row = submission.unpack(found.content)
        except msgspec.MsgspecError:
            await self._bad(source, found, "unreadable")
            return None
        # Its receipt was given out: it is a submission of its own, even when one like it came ten minutes before.
        row.earlier = None
        return row

    async def _bad(self, source: spool.Spool, found: spool.Waiting, reason: str) -> None:
        self._log.error("spool_row_bad", file=source.name, seq=found.seq, reason=reason)
        await source.keep_bad(found.seq, reason)

    async def _store(self, source: spool.Spool, rows: Sequence[Submission], ledger: doors.Ledger) -> list[Outcome]:
        """The outcomes are final: stored or set aside, there already, or refused."""
        outcomes = await self._accept(source, rows, ledger)
        again = [position for position, outcome in enumerate(outcomes) if outcome.kind == "conflict"]
        if again:
            rekeyed = [self._rekey(rows[position]) for position in again]
            for position, outcome in zip(again, await self._accept(source, rekeyed, ledger), strict=True):
                outcomes[position] = outcome
        for position, outcome in enumerate(outcomes):
            if outcome.kind not in (*_COUNTED, *_UNCOUNTED, "refused"):
                outcomes[position] = await self._set_aside(source, rows[position], outcome.kind, ledger)
        return outcomes

    async def _accept(self, source: spool.Spool, rows: Sequence[Submission], ledger: doors.Ledger) -> list[Outcome]:
        connection = await self._connected()
        return await doors.accept(
            connection,
            _counted_as(source),
            rows,
            seconds=self._limits.store_seconds,
            spooled=True,
            ledger=ledger,
        )

    async def _set_aside(self, source: spool.Spool, row: Submission, reason: str, ledger: doors.Ledger) -> Outcome:
        connection = await self._connected()
        seconds = self._limits.store_seconds
        try:
            kept = await doors.set_aside(
                connection, _counted_as(source), [row], [reason], seconds=seconds, spooled=True, ledger=ledger
            )
        except doors.Refused:
            kept = {}
        if row.id not in kept:
            return Outcome("refused", row.receipt)
        return Outcome("set_aside" if kept[row.id] else "set_aside_uncounted", row.receipt)

    async def _report(self, source: spool.Spool) -> None:
        """Tells the office how it stands, with all of the ledger that it does not know yet."""
        while True:
            ledger = await source.ledger()
            connection = await self._connected()
            await doors.report(
                connection,
                _counted_as(source),
                self._host,
                self._started_at,
                source.count,
                source.oldest_at,
                ledger,
                seconds=self._limits.lookup_seconds,
            )
            if not ledger:
                return
            await source.done((), (), ledger)
            if len(ledger) < spool_file.LEDGER_ENTRIES:
                return

    async def _adopt(self) -> None:
        """Drains the files of processes that are gone."""
        for number in spool_file.numbers(self._directory):
            try:
                found = await spool.Spool.adopt(self._directory, number, self._limits, self._log)
            except spool.Unusable as error:
                self._log.error("spool_not_adopted", number=number, reason=str(error))
                continue
            if found is None:
                continue
            try:
                if found.count or await found.ledger():
                    await self.drain(found)
            finally:
                await found.close()

    async def _connected(self) -> database.Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await database.connect(self._dsn, self._limits.store_seconds)
        return self._connection

    async def _hang_up(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(*database.AWAY):
                await self._connection.close(timeout=self._limits.lookup_seconds)
            self._disconnect()

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None


def _counted_as(source: spool.Spool) -> str:
    return f"{source.source}/spool"
