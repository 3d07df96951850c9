"""A supervisor with small services, run as a program of its own by test_supervisor.py.

    python -m consult.machine.tests.supervised <directory> <service> [<service>…]

Prints `up` with the pids when all answer, and what the supervisor says after that.
"""

import contextlib
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from consult.machine import supervisor


def sleeper() -> None:
    """Lives, and has a child of its own in its group."""
    subprocess.Popen(["/bin/sleep", "300"])
    time.sleep(300)


def stubborn() -> None:
    """Hears no request to end."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(300)


def broken() -> None:
    """Dies at once, with a reason."""
    raise RuntimeError("the cat sat on the keyboard")


def curious() -> None:
    """Says what it inherited."""
    handlers = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)]
    files = []
    for number in range(3, 100):
        with contextlib.suppress(OSError):
            state = os.fstat(number)
            files.append("socket" if stat.S_ISSOCK(state.st_mode) else f"{state.st_dev}:{state.st_ino}")
    sys.stdout.write(json.dumps({"handlers": [str(handler) for handler in handlers], "files": files}) + "\n")
    time.sleep(300)


def leaning() -> None:
    """Needs `sleeper`."""
    time.sleep(300)


SERVICES: dict[str, Callable[[], None]] = {
    function.__name__: function for function in (sleeper, stubborn, broken, curious, leaning)
}


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(directory: Path, names: list[str]) -> int:
    for left in supervisor.end_survivors(directory):
        say(f"ended {left}")
    keeper = supervisor.Supervisor(directory, say)
    try:
        for name in names:
            needs = "sleeper" if name == "leaning" else ""
            keeper.begin(keeper.program(name, SERVICES[name], needs=needs))
        keeper.wait_until_up(10, *keeper.services)
        say(f"up {json.dumps(keeper.pids)}")
        keeper.watch()
    except supervisor.Stopped:
        say("stopped")
        return 0
    except supervisor.Failed as error:
        say(f"failed: {error}")
        return 1
    finally:
        keeper.stop()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
