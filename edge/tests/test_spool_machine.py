"""Whatever happens in whatever order: every receipt is kept once, and every count is right."""

import asyncio
import datetime
import pathlib
import shutil
import tempfile
from typing import Any

import hypothesis
import msgspec
from hypothesis import stateful
from hypothesis import strategies as st

from edge import bounds, database, doors, drainer, identity, log
from edge.submission import Outcome, Submission
from edge.tests import rows
from edge.tests.database import Database

LIMITS = msgspec.structs.replace(bounds.DEFAULT, spool_batch_rows=3)


class Crash(Exception):
    """Here the process is killed."""


class Machine(stateful.RuleBasedStateMachine):
    """Two edges, each with its spool; one database. `office` and `dsn` are set by the test."""

    office: Database
    dsn: str

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="spool-machine-"))
        self.generation = 0
        self.form = self.office.add_form()
        self.sent: list[Submission] = []
        self.receipts: set[str] = set()
        self.connection = self.runner.run(database.connect(self.dsn, 5))
        self.spools = [self.runner.run(rows.opened(self._place(edge), LIMITS)) for edge in (0, 1)]

    def _place(self, edge: int) -> pathlib.Path:
        return self.folder / f"{edge}-{self.generation}"

    @stateful.rule(
        edge=st.integers(0, 1),
        way=st.sampled_from(["direct", "answer lost", "away"]),
        what=st.sampled_from(["new", "new", "poison", "again", "later", "other content"]),
        days_ago=st.integers(0, 1),
        which=st.integers(0, 50),
    )
    def accept(self, edge: int, way: str, what: str, days_ago: int, which: int) -> None:
        row = self._row(what, days_ago, which)
        self.sent.append(row)
        outcome = self.runner.run(self._keep(edge, way, row))
        if outcome.kind == "conflict":
            outcome = self.runner.run(self._keep(edge, way, identity.rekeyed(row)))
        assert outcome.kind in ("stored", "duplicate", "set_aside", "spooled")
        self.receipts.add(outcome.receipt)

    def _row(self, what: str, days_ago: int, which: int) -> Submission:
        if what in ("new", "poison") or not self.sent:
            return rows.row(self.form, "POISON" if what == "poison" else "good", days_ago=days_ago)
        known = self.sent[which % len(self.sent)]
        if what == "other content":
            return rows.row(self.form, "other content", id=known.id, days_ago=days_ago)
        again = msgspec.structs.replace(known, received_at=datetime.datetime.now(datetime.UTC))
        if what == "later":  # the same content in the following ten minutes has another id
            fresh = rows.row(self.form)
            again = msgspec.structs.replace(again, id=fresh.id, earlier=known.id, receipt=fresh.receipt)
        return again

    async def _keep(self, edge: int, way: str, row: Submission) -> Outcome:
        """As the edge does: direct, unless older rows wait or the answer does not come."""
        if way != "away" and not self.spools[edge].waiting:
            (outcome,) = await doors.accept(self.connection, f"edge-{edge}/0", [row], seconds=5)
            if way == "direct":
                return outcome
        return await self.spools[edge].put(row)

    @stateful.rule(edge=st.integers(0, 1))
    def crash(self, edge: int) -> None:
        """What is on the disk at this moment is all that the next process has."""
        self.generation += 1
        old = self.spools[edge]
        before = {name for name in self.folder.iterdir() if name.name.startswith(f"{edge}-")}
        (current,) = [folder for folder in before if (folder / "spool-1.lock").exists()]
        shutil.copytree(current, self._place(edge), ignore=shutil.ignore_patterns("*.reserve"))
        self.runner.run(old.close())
        shutil.rmtree(current)
        self.spools[edge] = self.runner.run(rows.opened(self._place(edge), LIMITS))
        assert self.spools[edge].source == old.source

    @stateful.rule(edge=st.integers(0, 1), crash_after=st.integers(0, 3))
    def replay(self, edge: int, crash_after: int) -> None:
        """Crashes after so many commits, before their rows are forgotten; 0: not."""
        kept: Any = self.spools[edge]
        forget = kept.done
        commits = 0

        async def done(seqs: Any, *others: Any) -> None:
            nonlocal commits
            commits += bool(seqs)
            if seqs and commits == crash_after:
                raise Crash
            await forget(seqs, *others)

        kept.done = done
        try:
            self.runner.run(self._drain(edge))
        except Crash:
            self.crash(edge)
        finally:
            kept.done = forget

    async def _drain(self, edge: int) -> None:
        started_at = datetime.datetime.now(datetime.UTC)
        place = self.folder / "none"
        working = drainer.Drainer(self.dsn, place, self.spools[edge], identity.rekeyed, started_at, LIMITS, log.Log())
        try:
            await working.drain(self.spools[edge])
        finally:
            await working.close()

    @stateful.invariant()
    def every_receipt_is_somewhere(self) -> None:
        here = {str(receipt) for edge in (0, 1) for receipt in self.runner.run(self._waiting(edge))}
        assert self.receipts <= here | set(rows.kept(self.office, self.form))

    async def _waiting(self, edge: int) -> list[Any]:
        found = await self.spools[edge]._do(lambda file: file._db.execute("SELECT receipt FROM waiting").fetchall())
        return [receipt for (receipt,) in found]

    def teardown(self) -> None:
        try:
            for edge in (0, 1):
                self.runner.run(self._drain(edge))
            found = rows.kept(self.office, self.form)
            assert len(found) == len(set(found))
            assert self.receipts <= set(found)
            assert [(accepted - stored - aside, spooled) for accepted, stored, spooled, aside in self._counts()] == [
                (0, 0) for _day in self._counts()
            ]
            assert all(kept.count == 0 and kept.bad == 0 for kept in self.spools)
        finally:
            for kept in self.spools:
                self.runner.run(kept.close())
            self.runner.run(self.connection.close())
            self.runner.close()
            shutil.rmtree(self.folder)

    def _counts(self) -> list[tuple[int, int, int, int]]:
        return rows.counts(self.office, self.form)


def test_every_receipt_is_kept_once_and_counted_once(edge_database: tuple[str, str], office: Database) -> None:
    Machine.office, Machine.dsn = office, edge_database[0]
    stateful.run_state_machine_as_test(
        Machine,
        settings=hypothesis.settings(
            max_examples=8,
            stateful_step_count=15,
            phases=[hypothesis.Phase.generate],
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(hypothesis.HealthCheck),
        ),
    )
