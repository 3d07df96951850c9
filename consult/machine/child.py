"""Child processes of `consult up`, forked from one preloaded parent so that they share its memory."""

import contextlib
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, Protocol

from consult.machine import processes

# A log is set aside at the next start of its process when it is larger than this many bytes.
LOG_BYTES = 5 * 1024 * 1024


class Begin(Protocol):
    """What a forked child runs first, to let go of what belongs to its parent (locks, signal handlers)."""

    def __call__(self) -> None: ...


class Child:
    """A forked process that leads a session, and so a process group, of its own. Its output goes to a log.

    `born` is when it began (seconds since 1970): together with `pid` it names the process for good.
    """

    def __init__(self, pid: int, born: float, gate: int) -> None:
        self.pid = pid
        self.born = born
        self.status: int | None = None
        self._gate = gate

    def release(self) -> None:
        """Lets it begin. Until then it waits, and ends if its parent does: whatever runs is on record."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self._gate, b"1")
        os.close(self._gate)

    def poll(self) -> int | None:
        """None while it runs, then its exit status; the negative number of the signal that ended it."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status

    def signal(self, number: signal.Signals) -> None:
        """Signals the process itself; its own children are its business."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def clear(self) -> None:
        """Ends whatever its group still holds."""
        # By pid as well: in its first instant it leads no group yet.
        self.signal(signal.SIGKILL)
        processes.wait_until(lambda: self.poll() is not None, 2.0, step=0.005)
        processes.signal_group(self.pid, signal.SIGKILL)


def fork(target: Callable[[], object], log: Path, begin: Begin) -> Child:
    """A child that runs `target` once it is released and ends with status 0, or 1 and a traceback in the log.

    The caller has one thread and no open database connection.
    """
    open_log(log)
    entrance, gate = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        os.close(gate)
        _run(target, log, begin, entrance)
    os.close(entrance)
    return Child(pid, processes.born_at(pid) or time.time(), gate)


def execute(command: list[str], environment: dict[str, str]) -> Callable[[], NoReturn]:
    """A target that becomes another program."""

    def run() -> NoReturn:
        os.execvpe(command[0], command, environment)  # noqa: S606  the arguments are ours

    return run


def open_log(path: Path) -> None:
    """Makes the log's folder and sets a large log aside."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size > LOG_BYTES:
            path.replace(path.with_suffix(".log.1"))


def tail(path: Path, lines: int = 15) -> str:
    """The last lines of a log, below its address."""
    text = ""
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - 20_000))
        text = file.read().decode(errors="replace")
    return "\n".join([f"Log: {path}", *(f"  {line}" for line in text.splitlines()[-lines:])])


def ending(status: int) -> str:
    """An exit status in words."""
    if status >= 0:
        return f"ended with status {status}"
    return f"was ended by {signal.Signals(-status).name}"


def _run(target: Callable[[], object], log: Path, begin: Begin, entrance: int) -> NoReturn:
    status = 1
    try:
        os.setsid()
        _redirect(log)
        begin()
        if os.read(entrance, 1):
            os.close(entrance)
            target()
            status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _redirect(log: Path) -> None:
    """Input from nowhere, output to the log, line by line."""
    nowhere = os.open(os.devnull, os.O_RDONLY)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for source, number in ((nowhere, 0), (output, 1), (output, 2)):
        os.dup2(source, number)
    os.close(nowhere)
    os.close(output)
    for number in (1, 2):
        os.set_inheritable(number, True)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(line_buffering=True)
