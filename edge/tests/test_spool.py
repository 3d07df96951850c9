"""What the spool says it has, it has: after a kill, on a full disk, beside other processes, on a damaged file."""

import asyncio
import collections
import contextlib
import datetime
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence

import msgspec
import pytest

from edge import bounds, doors, log, spool, submission
from edge.tests import program, rows


def _limits(**changes: float) -> bounds.Bounds:
    return msgspec.structs.replace(bounds.DEFAULT, **changes)


async def _receipts(kept: spool.Spool) -> list[str]:
    """Of all rows that wait, the oldest first."""
    found = await kept._do(lambda file: file._db.execute("SELECT receipt FROM waiting ORDER BY seq").fetchall())
    return [str(receipt) for (receipt,) in found]


@contextlib.contextmanager
def _spooler(folder: pathlib.Path, *within: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*within, sys.executable, "-m", "edge.tests.spooler", str(folder)],
        cwd=program.ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process, process.stdout:
        try:
            yield process
        finally:
            process.kill()


def _lines(process: subprocess.Popen[str]) -> Iterator[str]:
    assert process.stdout is not None
    for line in process.stdout:
        yield line.strip()


async def test_what_was_put_is_there_after_a_restart_in_its_order(tmp_path: pathlib.Path) -> None:
    kept = await rows.opened(tmp_path / "made" / "here")
    sent = [rows.row(text=f"visitor {number}") for number in range(20)]
    outcomes = [await kept.put(row) for row in sent]
    assert [(o.kind, o.receipt) for o in outcomes] == [("spooled", row.receipt) for row in sent]
    source = kept.source
    await kept.close()

    again = await rows.opened(tmp_path / "made" / "here")
    assert (again.source, again.name, again.count, again.waiting) == (source, "spool-1.db", 20, True)
    assert [submission.unpack(waiting.content) for waiting in await again.peek(100)] == sent
    assert again.oldest_at == sent[0].received_at
    await again.close()


async def test_what_it_writes_is_for_nobody_else(tmp_path: pathlib.Path) -> None:
    before = os.umask(0o022)
    try:
        kept = await rows.opened(tmp_path / "spool")
        await kept.put(rows.row())
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "spool").iterdir()}
        await kept.close()
    finally:
        os.umask(before)
    names = ("spool-1.db", "spool-1.db-wal", "spool-1.lock", "spool-1.reserve")
    assert modes == dict.fromkeys(names, 0o600)


async def test_rows_that_arrive_during_a_commit_share_the_next(tmp_path: pathlib.Path) -> None:
    kept = await rows.opened(tmp_path)
    began = time.perf_counter()
    await asyncio.gather(*(kept.put(rows.row()) for _ in range(500)))
    together = time.perf_counter() - began
    began = time.perf_counter()
    for _ in range(100):
        await kept.put(rows.row())
    alone = (time.perf_counter() - began) * 5
    assert kept.count == 600
    assert together < alone / 2
    await kept.close()


async def test_the_same_again_is_a_duplicate_and_other_content_a_conflict(tmp_path: pathlib.Path) -> None:
    kept = await rows.opened(tmp_path)
    first = rows.row(text="one")
    other = rows.row(text="two", id=first.id)
    later = rows.row(text="one")
    later.earlier = first.id
    unlike = rows.row(text="three")
    unlike.earlier = first.id
    kinds = [(await kept.put(row)) for row in (first, first, other, later, unlike)]
    assert [outcome.kind for outcome in kinds] == ["spooled", "duplicate", "conflict", "duplicate", "spooled"]
    assert [outcome.receipt for outcome in kinds] == [first.receipt] * 4 + [unlike.receipt]
    # Also when both are in one transaction.
    double = rows.row()
    pair = await asyncio.gather(kept.put(double), kept.put(double))
    assert [outcome.kind for outcome in pair] == ["spooled", "duplicate"]
    assert (kept.count, (await kept.ledger())[0].accepted) == (3, 3)
    await kept.close()


async def test_every_receipt_survives_kill_9_once(tmp_path: pathlib.Path) -> None:
    told: list[str] = []
    for wanted in (3, 200, 800):
        start = len(told)
        with _spooler(tmp_path) as process:
            for line in _lines(process):
                if not line.startswith("open"):
                    told.append(line)
                if len(told) - start == wanted:
                    process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL
    kept = await rows.opened(tmp_path)
    found = collections.Counter(await _receipts(kept))
    assert len(told) >= 1003
    assert {receipt: found[receipt] for receipt in told} == dict.fromkeys(told, 1)
    assert set(found.values()) == {1}
    (entry,) = await kept.ledger()
    assert entry.accepted == entry.spooled == kept.count == found.total()
    await kept.close()


async def test_at_its_limit_it_is_full_and_nothing_is_half_kept(tmp_path: pathlib.Path) -> None:
    kept = await rows.opened(tmp_path, _limits(spool_bytes=200_000))
    told: list[str] = []
    with contextlib.suppress(spool.Full):
        while len(told) < 1000:
            told.append((await kept.put(rows.row(text="y" * 2000))).receipt)
    assert 20 < len(told) < 100
    assert kept.full > 0.9
    assert await _receipts(kept) == told
    # There is room again when some have left.
    await kept.done([waiting.seq for waiting in await kept.peek(10)])
    assert (await kept.put(rows.row())).kind == "spooled"
    await kept.close()


def _small_disk(folder: pathlib.Path) -> Sequence[str]:
    """A command before the command, so that the folder is a disk of 1 MB for it; else that no file grows beyond.

    The namespaces are the process's own: nothing is to be unmounted, and no right is needed where they are allowed.
    """
    mount = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    script = f'mount -t tmpfs -o size=1m none "{folder}" && exec "$@"'
    if shutil.which("unshare") and subprocess.run([*mount, script, "sh", "true"], capture_output=True).returncode == 0:
        return (*mount, script, "sh")
    return ("sh", "-c", 'ulimit -f 1024 && trap "" XFSZ && exec "$@"', "sh")


def test_a_full_disk_is_full_and_can_be_drained(tmp_path: pathlib.Path) -> None:
    with _spooler(tmp_path, *_small_disk(tmp_path)) as process:
        told: list[str] = []
        for line in _lines(process):
            told.append(line)
            if line.startswith("left"):
                break
        given = len(told) - 3
        # What its mount namespace sees, seen from outside.
        seen = pathlib.Path(f"/proc/{process.pid}/root{tmp_path}")
        copy = tmp_path.parent / f"{tmp_path.name}-copy"
        shutil.copytree(seen, copy, ignore=shutil.ignore_patterns("*.reserve"))
    assert told[-2] in ("full Full", "full Failed")
    assert given > 50
    left = int(told[-1].split()[1])
    found = asyncio.run(_all_of(copy))
    assert found == told[1:-2][given - left :]


async def _all_of(folder: pathlib.Path) -> list[str]:
    kept = await rows.opened(folder)
    found = await _receipts(kept)
    await kept.close()
    return found


async def test_two_processes_on_one_folder_have_a_file_each(tmp_path: pathlib.Path) -> None:
    with _spooler(tmp_path) as process:
        assert next(_lines(process)) == "open spool-1.db"
        kept = await rows.opened(tmp_path)
        assert kept.name == "spool-2.db"
        assert await spool.Spool.adopt(tmp_path, 1, bounds.DEFAULT, log.Log()) is None
        await kept.close()
    adopted = await spool.Spool.adopt(tmp_path, 1, bounds.DEFAULT, log.Log())
    assert adopted is not None
    assert adopted.count > 0
    await adopted.close()


@pytest.mark.parametrize("damage", ["head", "inside", "nonsense"])
async def test_a_damaged_file_is_moved_aside_and_never_deleted(
    tmp_path: pathlib.Path, damage: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    kept = await rows.opened(tmp_path)
    for _ in range(50):
        await kept.put(rows.row(text="x" * 3000))
    await kept.close()
    path = tmp_path / "spool-1.db"
    whole = path.read_bytes()
    where = {"head": slice(0, 100), "inside": slice(4096, 5 * 4096), "nonsense": slice(0, len(whole))}[damage]
    broken = bytearray(whole)
    broken[where] = b"\x5a" * len(whole[where])
    path.write_bytes(broken)

    again = await rows.opened(tmp_path)
    assert (again.name, again.count) == ("spool-1.db", 0)
    assert (await again.put(rows.row())).kind == "spooled"
    await again.close()
    (aside,) = tmp_path.glob("spool-1.corrupt-*.db")
    assert aside.read_bytes() == bytes(broken)
    assert b'"level":"error","program":"edge","event":"spool_corrupt"' in capfdbinary.readouterr().out


@pytest.mark.parametrize("folder", ["a-file", "a-file/below", "/proc/none"])
async def test_a_folder_that_cannot_be_used_is_told_with_its_reason(tmp_path: pathlib.Path, folder: str) -> None:
    (tmp_path / "a-file").write_text("")
    with pytest.raises(spool.Unusable, match=r"the spool in .* cannot be used: \w+"):
        await rows.opened(tmp_path / folder)


async def test_a_disk_that_hangs_costs_the_visitor_no_more_than_the_deadline(tmp_path: pathlib.Path) -> None:
    kept = await rows.opened(tmp_path, _limits(spool_seconds=0.2))
    hanging = threading.Event()
    stuck = asyncio.create_task(kept._do(lambda _file: hanging.wait()))
    await asyncio.sleep(0)
    late = rows.row(text="late")
    began = time.monotonic()
    with pytest.raises(spool.Failed):
        await kept.put(late)
    assert time.monotonic() - began < 1
    hanging.set()
    await stuck
    in_time = rows.row(text="in time")
    await kept.put(in_time)
    assert await _receipts(kept) == [in_time.receipt]
    await kept.close()


async def test_a_visitor_who_leaves_is_kept_all_the_same(tmp_path: pathlib.Path) -> None:
    kept = await rows.opened(tmp_path)
    left = asyncio.create_task(kept.put(rows.row()))
    await asyncio.sleep(0)
    left.cancel()
    await asyncio.wait((left,))
    await kept.put(rows.row())
    assert kept.count == 2
    await kept.close()


async def test_the_ledger_is_absolute_until_it_was_told(tmp_path: pathlib.Path) -> None:
    kept = await rows.opened(tmp_path)
    today, long_ago = rows.row("frm_a"), rows.row("frm_a", days_ago=70)
    for row in (today, rows.row("frm_a"), rows.row("frm_b"), long_ago):
        await kept.put(row)
    waiting = await kept.peek(10)
    day = waiting[0].day
    told = await kept.ledger({("frm_a", day): 1, ("frm_a", waiting[3].day): 1})
    assert {(entry.form, entry.day): (entry.accepted, entry.spooled) for entry in told} == {
        ("frm_a", day): (2, 1),
        ("frm_b", day): (1, 1),
        ("frm_a", waiting[3].day): (1, 0),
    }
    await kept.put(rows.row("frm_b"))  # meanwhile: this entry has to be told again
    await kept.done([waiting[0].seq, waiting[3].seq], [], told)
    assert await kept.ledger() == [doors.LedgerEntry("frm_b", day, 2, 2)]
    # Counted elsewhere: no longer ours.
    await kept.done([waiting[1].seq], [("frm_a", day)])
    assert doors.LedgerEntry("frm_a", day, 1, 0) in await kept.ledger()
    # Old, told and empty: forgotten. Asking for it by name shows it.
    assert ("frm_a", waiting[3].day) not in {
        (entry.form, entry.day) for entry in await kept.ledger({("frm_a", waiting[3].day): 0})
    }
    await kept.close()


async def test_a_row_that_nobody_takes_is_out_of_the_way_and_in_the_file(tmp_path: pathlib.Path) -> None:
    kept = await rows.opened(tmp_path)
    await kept.put(rows.row())
    await kept.put(rows.row())
    (first, second) = await kept.peek(10)
    await kept.keep_bad(first.seq, "unreadable")
    assert (kept.count, kept.bad, [waiting.seq for waiting in await kept.peek(10)]) == (1, 1, [second.seq])
    await kept.close()
    again = await rows.opened(tmp_path)
    assert (again.count, again.bad) == (1, 1)
    found = await again._do(lambda file: file._db.execute("SELECT reason, content FROM set_aside").get)
    assert found == ("unreadable", first.content)
    await again.close()


async def test_known_forms_survive_and_are_few(tmp_path: pathlib.Path) -> None:
    kept = await rows.opened(tmp_path, _limits(cached_forms=3))
    for key, version in (("frm_a", 1), ("frm_b", 1), ("frm_c", 1), ("frm_d", 1), ("frm_c", 2)):
        await kept.remember_form(key, version, f'{{"key":"{key}"}}')
    await kept.remember_form("frm_c", 2, '{"key":"frm_c"}')
    await kept.forget_form("frm_d")
    await kept.close()
    again = await rows.opened(tmp_path, _limits(cached_forms=3))
    assert [(form.key, form.version, form.present) for form in await again.known_forms()] == [
        ("frm_c", 1, False),
        ("frm_c", 2, True),
    ]
    assert (await again.known_forms())[1].definition == '{"key":"frm_c"}'
    await again.close()


async def test_a_packed_row_comes_out_as_it_went_in(tmp_path: pathlib.Path) -> None:
    kept = await rows.opened(tmp_path)
    row = rows.row(text="Grüße 你好 \\u0000 'quoted'")
    row.files, row.earlier = '[{"name":"a"}]', os.urandom(16)
    row.received_at = datetime.datetime(2026, 2, 28, 23, 59, 59, 999_999, datetime.UTC)
    await kept.put(row)
    (waiting,) = await kept.peek(1)
    assert submission.unpack(waiting.content) == row
    assert waiting.day == "2026-02-28"
    await kept.close()
