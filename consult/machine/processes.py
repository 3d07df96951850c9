"""Which process is this, is it still the same one, and how does a whole group of them end."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil


def born_at(pid: int) -> float | None:
    """When the process began (seconds since 1970), or None when there is none or only its zombie is left.

    A pid together with this time names a process for good: pids come back, this pair does not.
    """
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.NoSuchProcess:
        return None


def is_same(pid: int, born: float) -> bool:
    """Whether the process that began at `born` still runs (to a second, as clocks get corrected)."""
    now = born_at(pid)
    return now is not None and abs(now - born) < 1.0


def in_folder(name: str, folder: Path) -> list[int]:
    """Pids of the living processes called `name` whose working directory is `folder`."""
    found = []
    for process in psutil.process_iter(["name", "status"]):
        if process.info["name"] == name and process.info["status"] != psutil.STATUS_ZOMBIE:
            with contextlib.suppress(psutil.Error, OSError):
                if Path(process.cwd()) == folder:
                    found.append(process.pid)
    return found


def in_group(group: int, born: float) -> list[int]:
    """Pids of the living processes of a process group that began at `born` (seconds since 1970) or later.

    The kernel gives no pid to a new process while a group of that number lives, so members younger than the
    group's first process belong to it.
    """
    found = []
    for process in psutil.process_iter(["create_time", "status"]):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            alive = process.info["status"] != psutil.STATUS_ZOMBIE
            if alive and os.getpgid(process.pid) == group and process.info["create_time"] >= born - 1.0:
                found.append(process.pid)
    return found


def signal_group(group: int, number: signal.Signals) -> None:
    """Signals every process of the group; it may be gone already."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        pass
    except PermissionError:
        # macOS says so when only zombies are left in the group.
        pass


def signal_each(pids: Iterable[int], number: signal.Signals) -> None:
    """Signals each process; those that are gone already are passed over."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def wait_until(done: Callable[[], bool], seconds: float, step: float = 0.02) -> bool:
    """Whether `done` came true within `seconds`; asks every `step` seconds."""
    until = time.monotonic() + seconds
    while not done():
        if time.monotonic() >= until:
            return False
        time.sleep(step)
    return True


def listener(port: int) -> str:
    """Who listens on this TCP port, as far as we may see it: `python (pid 123)`, or an empty string."""
    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.pid
            if listens and connection.laddr and connection.laddr.port == port:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    return ""
