"""From the spool to PostgreSQL: everything, once, in order, and counted once."""

import asyncio
import contextlib
import datetime
import pathlib
import time
import uuid
from collections.abc import AsyncIterator

import msgspec

from edge import bounds, database, doors, drainer, identity, keeper, log, spool, spool_file, store
from edge.submission import Submission
from edge.tests import program, rows
from edge.tests.database import Database

STARTED_AT = datetime.datetime(2026, 3, 1, 8, 0, tzinfo=datetime.UTC)
QUICK = msgspec.structs.replace(
    bounds.DEFAULT, reconnect_seconds=0.02, report_seconds=0.1, adopt_seconds=0.1, spool_batch_rows=20
)


def _drainer(dsn: str, folder: pathlib.Path, kept: spool.Spool, limits: bounds.Bounds = QUICK) -> drainer.Drainer:
    return drainer.Drainer(dsn, folder, kept, identity.rekeyed, STARTED_AT, limits, log.Log())


@contextlib.asynccontextmanager
async def _draining(
    dsn: str, folder: pathlib.Path, kept: spool.Spool, limits: bounds.Bounds = QUICK
) -> AsyncIterator[drainer.Drainer]:
    running = _drainer(dsn, folder, kept, limits)
    running.start()
    try:
        yield running
    finally:
        await running.close()


async def _until(true: object, seconds: float = 5) -> None:
    assert callable(true)
    await asyncio.to_thread(program.until, true, seconds)


async def _drained(dsn: str, folder: pathlib.Path, *sent: Submission) -> None:
    """Puts rows and drains them."""
    kept = await rows.opened(folder, QUICK)
    for row in sent:
        await kept.put(row)
    working = _drainer(dsn, folder, kept)
    await working.drain(kept)
    assert (kept.count, kept.waiting) == (0, False)
    await working.close()
    await kept.close()


async def _direct(dsn: str, *sent: Submission) -> list[str]:
    connection = await database.connect(dsn, 2)
    outcomes = await doors.accept(connection, "direct/0", sent, seconds=2)
    await connection.close()
    return [outcome.kind for outcome in outcomes]


def test_what_waited_is_stored_once_in_its_order(
    edge_database: tuple[str, str], office: Database, key: str, tmp_path: pathlib.Path
) -> None:
    sent = [rows.row(key, f"visitor {number}", days_ago=int(number < 10)) for number in range(70)]
    asyncio.run(_drained(edge_database[0], tmp_path, *sent))
    assert rows.kept(office, key) == [row.receipt for row in sent]
    assert rows.counts(office, key) == [(10, 10, 0, 0), (60, 60, 0, 0)]
    assert all(found.spooled for found in office.submissions(key))


def test_while_the_database_is_away_they_wait_and_then_go_by_themselves(
    gate: program.Gate, office: Database, key: str, tmp_path: pathlib.Path
) -> None:
    async def run() -> None:
        gate.shut()
        kept = await rows.opened(tmp_path, QUICK)
        async with _draining(gate.dsn, tmp_path, kept):
            for number in range(30):
                await kept.put(rows.row(key, f"visitor {number}"))
            await asyncio.sleep(0.2)
            assert kept.count == 30
            gate.open()
            await _until(lambda: kept.count == 0)
            # And now that it is there, at once.
            await kept.put(rows.row(key, "later"))
            await _until(lambda: kept.count == 0)
        await kept.close()

    asyncio.run(run())
    assert len(set(rows.kept(office, key))) == len(rows.kept(office, key)) == 31
    assert rows.counts(office, key) == [(31, 31, 0, 0)]


def test_a_connection_that_breaks_again_and_again_loses_and_doubles_nothing(
    gate: program.Gate, office: Database, key: str, tmp_path: pathlib.Path
) -> None:
    async def run() -> None:
        kept = await rows.opened(tmp_path, QUICK)
        for number in range(400):
            await kept.put(rows.row(key, f"visitor {number}"))
        async with _draining(gate.dsn, tmp_path, kept):
            for _ in range(8):
                await asyncio.sleep(0.06)
                gate.shut()
                await asyncio.sleep(0.03)
                gate.open()
            await _until(lambda: kept.count == 0, 10)
        await kept.close()

    asyncio.run(run())
    assert len(set(rows.kept(office, key))) == len(rows.kept(office, key)) == 400
    assert rows.counts(office, key) == [(400, 400, 0, 0)]


def test_killed_between_commit_and_forgetting_changes_nothing(
    edge_database: tuple[str, str], office: Database, key: str, tmp_path: pathlib.Path
) -> None:
    async def run() -> None:
        kept = await rows.opened(tmp_path)
        sent = [rows.row(key, f"visitor {number}") for number in range(5)]
        for row in sent:
            await kept.put(row)
        connection = await database.connect(edge_database[0], 2)
        ledger = await kept.ledger({(key, spool_file.day_of(sent[0])): 5})
        source = f"{kept.source}/spool"
        await doors.accept(connection, source, sent, seconds=2, spooled=True, ledger=ledger)
        await connection.close()
        await kept.close()  # nothing was forgotten
        await _drained(edge_database[0], tmp_path)

    asyncio.run(run())
    assert rows.counts(office, key) == [(5, 5, 0, 0)]


def test_what_another_had_counted_is_not_counted_again(
    edge_database: tuple[str, str], office: Database, key: str, tmp_path: pathlib.Path
) -> None:
    dsn = edge_database[0]
    lost, twice, again = (rows.row(key, text) for text in ("answer lost", "two edges", "drained before"))

    async def run() -> None:
        assert await _direct(dsn, lost) == ["stored"]
        await _drained(dsn, tmp_path, lost, again)
        await _drained(dsn, tmp_path / "one", twice)
        same, later = rows.row(key, "two edges", id=twice.id), rows.row(key, "drained before", id=again.id)
        await _drained(dsn, tmp_path / "two", same)
        await _drained(dsn, tmp_path, later)

    asyncio.run(run())
    assert sorted(rows.kept(office, key)) == sorted(row.receipt for row in (lost, twice, again))
    assert rows.counts(office, key) == [(3, 3, 0, 0)]


def test_the_same_id_with_other_content_is_kept_under_another(
    edge_database: tuple[str, str], office: Database, key: str, tmp_path: pathlib.Path
) -> None:
    first = rows.row(key, "first")
    other = rows.row(key, "other", id=first.id)

    async def run() -> None:
        await _direct(edge_database[0], first)
        await _drained(edge_database[0], tmp_path, other)
        # Made again, it is the same.
        await _drained(edge_database[0], tmp_path, other)

    asyncio.run(run())
    found = {row["message"]: (row.receipt, row.signals) for row in office.submissions(key)}
    assert found == {
        "first": (first.receipt, []),
        "other": (identity.rekeyed(other).receipt, ["key_reused"]),
    }
    assert rows.counts(office, key) in ([(2, 2, 0, 0)], [(3, 2, 0, 0)])


def test_bad_rows_are_set_aside_and_block_nobody(
    edge_database: tuple[str, str], office: Database, key: str, tmp_path: pathlib.Path
) -> None:
    sent = [rows.row(key, "POISON" if number in (3, 17) else "good") for number in range(40)]
    gone = rows.row("frm_gone", "form removed")
    nobodys = rows.row("frm_gone", "neither form nor agency", agency_id=999_999)
    asideless = rows.row(key, "POISON")
    asideless.receipt = "longer than a receipt can be"

    async def run() -> None:
        kept = await rows.opened(tmp_path, QUICK)
        for row in (*sent[:20], gone, nobodys, asideless):
            await kept.put(row)
        await kept._do(lambda file: file._db.execute("UPDATE waiting SET content = x'c1' WHERE seq = 1"))
        await kept.close()
        await _drained(edge_database[0], tmp_path, *sent[20:])
        again = await rows.opened(tmp_path)
        assert again.bad == 3
        await again.close()

    asyncio.run(run())
    aside = office.fetch("SELECT receipt, reason, form_id, spooled FROM intake_setaside WHERE form_key = $1", key)
    assert {(row["receipt"], row["reason"]) for row in aside} == {
        (sent[3].receipt, "CheckViolationError"),
        (sent[17].receipt, "CheckViolationError"),
    }
    assert [
        row["reason"]
        for row in office.fetch("SELECT reason FROM intake_setaside WHERE id = $1", uuid.UUID(bytes=gone.id))
    ] == ["unknown_form"]
    # Two are in the file alone (the unreadable one and the one that not even set_aside takes): the count says so.
    assert rows.counts(office, key) == [(41, 37, 0, 2)]


def test_a_bad_row_that_was_set_aside_before_is_counted_once(
    edge_database: tuple[str, str], office: Database, key: str, tmp_path: pathlib.Path
) -> None:
    bad = rows.row(key, "POISON")

    async def run() -> None:
        assert await _direct(edge_database[0], bad) == ["set_aside"]  # and this answer was lost
        await _drained(edge_database[0], tmp_path, bad)

    asyncio.run(run())
    assert rows.counts(office, key) == [(1, 0, 0, 1)]


def test_files_of_processes_that_are_gone_are_drained(
    edge_database: tuple[str, str], office: Database, key: str, tmp_path: pathlib.Path
) -> None:
    async def run() -> None:
        first, second = await rows.opened(tmp_path), await rows.opened(tmp_path)
        await first.put(rows.row(key, "left behind"))
        await second.put(rows.row(key, "of one that lives"))
        await first.close()
        mine = await rows.opened(tmp_path / "elsewhere", QUICK)
        async with _draining(edge_database[0], tmp_path, mine):
            await _until(lambda: rows.counts(office, key) == [(1, 1, 0, 0)])
            assert second.count == 1
            await second.close()
            await _until(lambda: rows.counts(office, key) == [(2, 2, 0, 0)])
        await mine.close()

    asyncio.run(run())


def test_the_office_is_told_of_the_edge_and_its_spool(
    gate: program.Gate, office: Database, key: str, tmp_path: pathlib.Path
) -> None:
    async def run() -> None:
        kept = await rows.opened(tmp_path, QUICK)

        def told() -> tuple[object, ...] | None:
            ask = "SELECT started_at, spooled, oldest_at, seen_at FROM intake_edge WHERE source = $1"
            found = office.fetch(ask, f"{kept.source}/spool")
            return tuple(found[0]) if found else None

        async with _draining(gate.dsn, tmp_path, kept):
            await _until(lambda: told() is not None)
            first = await asyncio.to_thread(told)
            assert first is not None
            assert first[:3] == (STARTED_AT, 0, None)
            await _until(lambda: (told() or first)[3] != first[3])  # again and again
        await kept.close()

    asyncio.run(run())


def test_under_a_steady_load_it_comes_to_an_end_and_rows_go_direct_again(
    gate: program.Gate, office: Database, key: str, tmp_path: pathlib.Path
) -> None:
    told: list[str] = []

    async def run() -> None:
        kept = await rows.opened(tmp_path)
        shelf = store.Store(gate.dsn, "direct", bounds.DEFAULT, log.Log())
        shelf.start()
        keeping = keeper.Keeper(shelf, kept)
        stop = asyncio.Event()

        async def visitors(number: int) -> None:
            while not stop.is_set():
                outcome = await keeping.keep(rows.row(key, f"visitor {number}"))
                kinds.append(outcome.kind)
                told.append(outcome.receipt)

        kinds: list[str] = []
        gate.shut()
        async with asyncio.TaskGroup() as load:
            for number in range(32):
                load.create_task(visitors(number))
            await _until(lambda: kept.count > 1500, 15)
            gate.open()
            async with _draining(gate.dsn, tmp_path, kept, bounds.DEFAULT):
                await _until(lambda: not kept.waiting and kinds[-200:] == ["stored"] * 200, 15)
                stop.set()
        await shelf.close(2)
        assert kept.count == 0
        await kept.close()

    began = time.monotonic()
    asyncio.run(run())
    assert time.monotonic() - began < 25
    found = rows.kept(office, key)
    assert len(found) == len(set(found)) == len(told)
    assert set(found) == set(told)
    assert [(day[0] - day[1], *day[2:]) for day in rows.counts(office, key)] == [(0, 0, 0)]


async def test_new_rows_wait_for_the_last_ones_and_only_so_long(tmp_path: pathlib.Path) -> None:
    limits = msgspec.structs.replace(QUICK, spool_seconds=0.2)
    kept = await rows.opened(tmp_path, limits)
    assert not await kept.emptied()
    await kept.put(rows.row())
    kept.hold()
    began = time.monotonic()
    assert not await kept.emptied()  # the drainer hangs
    assert 0.15 < time.monotonic() - began < 1
    asking = asyncio.create_task(kept.emptied())
    await kept.done([waiting.seq for waiting in await kept.peek(1)])
    kept.release()
    assert await asking
    await kept.close()


async def test_a_drainer_that_stops_halfway_lets_nobody_wait(tmp_path: pathlib.Path) -> None:
    kept = await rows.opened(tmp_path)
    await kept.put(rows.row())
    kept.hold()
    asking = asyncio.create_task(kept.emptied())
    await asyncio.sleep(0)
    await _drainer("postgresql://nobody@127.0.0.1:1/none", tmp_path, kept).close()
    assert not await asking
    await kept.close()
