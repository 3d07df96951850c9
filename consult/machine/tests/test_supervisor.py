"""The supervisor with real processes: deaths, crash loops, stopping, and being killed itself."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from consult.machine import local, processes, supervisor

type Start = Callable[..., "Run"]


class Run:
    """A supervisor in a process of its own."""

    def __init__(self, directory: Path, *services: str) -> None:
        self.directory = directory
        self.process = subprocess.Popen(
            [sys.executable, "-m", "consult.machine.tests.supervised", str(directory), *services],
            cwd=local.ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def line(self) -> str:
        """The next line that it says."""
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def up(self) -> dict[str, int]:
        """Waits until all answer; their pids."""
        line = self.line()
        assert line.startswith("up "), line
        pids: dict[str, int] = json.loads(line.removeprefix("up "))
        return pids

    def family(self) -> list[psutil.Process]:
        """Every process below it."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Asks it to end; the seconds it took."""
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(10)
        return time.monotonic() - began


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    runs: list[Run] = []

    def begin(*services: str) -> Run:
        runs.append(Run(tmp_path, *services))
        return runs[-1]

    yield begin
    for run in runs:
        if run.process.poll() is None:
            run.process.kill()
            run.process.wait()
        if run.process.stdout:
            run.process.stdout.close()
    supervisor.end_survivors(tmp_path)


def alive(members: list[psutil.Process]) -> list[psutil.Process]:
    return [member for member in members if processes.is_same(member.pid, member.create_time())]


def test_killed_service_is_said_and_restarted_and_its_group_ends(start: Start) -> None:
    run = start("sleeper", "leaning")
    pids = run.up()
    assert processes.wait_until(lambda: len(run.family()) == 3, 5)
    grandchild = next(member for member in run.family() if member.name() == "sleep")
    os.kill(pids["sleeper"], signal.SIGKILL)
    assert run.line() == "sleeper was ended by SIGKILL; it starts again."
    assert "sleeper is back" in run.line()
    assert not alive([grandchild])
    assert pids["leaning"] in [member.pid for member in run.family()]
    assert pids["sleeper"] not in [member.pid for member in run.family()]


def test_crash_loop_ends_with_the_reason(start: Start) -> None:
    run = start("sleeper", "broken")
    output, _ = run.process.communicate(timeout=20)
    assert run.process.returncode == 1
    assert output.count("broken ended with status 1; it starts again.") == 4
    assert "5 times within 30 s" in output
    assert f"Log: {run.directory / 'logs' / 'broken.log'}" in output
    assert output.rstrip().endswith("RuntimeError: the cat sat on the keyboard")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_ends_in_time_and_leaves_nothing(start: Start, number: signal.Signals) -> None:
    run = start("sleeper", "leaning")
    run.up()
    assert processes.wait_until(lambda: len(run.family()) == 3, 5)
    family = run.family()
    assert run.end(number) < 2
    assert run.process.returncode == 0
    assert not alive(family)
    assert not (run.directory / supervisor.RECORD).exists()


def test_what_does_not_hear_is_ended_by_force_within_five_seconds(start: Start) -> None:
    run = start("stubborn", "sleeper")
    run.up()
    family = run.family()
    assert 1 < run.end() < 5
    assert not alive(family)


def test_second_request_makes_it_shorter(start: Start) -> None:
    run = start("stubborn")
    run.up()
    family = run.family()
    run.process.send_signal(signal.SIGINT)
    time.sleep(0.2)
    assert run.end(signal.SIGINT) < 1
    assert not alive(family)


def test_killed_supervisor_leaves_what_the_next_one_ends(start: Start) -> None:
    first = start("sleeper", "stubborn")
    first.up()
    assert processes.wait_until(lambda: len(first.family()) == 3, 5)
    family = first.family()
    # The group outlives its first process: the next start has to find the rest of it.
    first.process.kill()
    first.process.wait()
    os.kill(json.loads((first.directory / supervisor.RECORD).read_text())[0]["pid"], signal.SIGKILL)
    assert processes.wait_until(lambda: len(alive(family)) == 2, 5)
    second = start("sleeper")
    assert {second.line(), second.line()} == {"ended sleeper", "ended stubborn"}
    second.up()
    assert not alive(family)


def test_stranger_with_a_pid_of_ours_is_left_alone(tmp_path: Path) -> None:
    with subprocess.Popen(["/bin/sleep", "60"], start_new_session=True) as stranger:
        born = processes.born_at(stranger.pid) or 0
        record = [{"name": "office", "pid": stranger.pid, "born": born + 3600}]
        (tmp_path / supervisor.RECORD).write_text(json.dumps(record))
        assert supervisor.end_survivors(tmp_path) == []
        assert stranger.poll() is None
        assert not (tmp_path / supervisor.RECORD).exists()
        stranger.kill()


def test_children_hold_nothing_of_their_parent(start: Start) -> None:
    run = start("curious")
    run.up()
    log = run.directory / "logs" / "curious.log"
    assert processes.wait_until(lambda: log.read_text().endswith("\n"), 5)
    answer = json.loads(log.read_text())
    assert answer["handlers"] == ["0", "0", "0"]  # SIG_DFL
    assert answer["files"] == []
    assert log.stat().st_mode & 0o077 == 0
