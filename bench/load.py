"""The load: wrk with a body that differs in each request."""

import itertools
import math
import subprocess
import time
from pathlib import Path

import msgspec

from bench import database

_SCRIPT = Path(__file__).with_name("post.lua")
# What is still on its way when the time is over is waited for.
_QUIET_SECONDS = 2
_runs = itertools.count(time.time_ns() // 1_000_000)


class Load(msgspec.Struct, frozen=True):
    """What wrk has seen. `answered` includes `refused` (status 400 and above); times are microseconds.

    The percentiles are wrk's own: corrected for coordinated omission, like those of everybody here.
    """

    sent: int
    answered: int
    refused: int
    broken: int
    p50: float
    p90: float
    p99: float
    most: float

    @property
    def accepted(self) -> int:
        return self.answered - self.refused


class LoadError(Exception):
    """wrk did not do its work; the text says why."""


def post(port: int, *, connections: int, seconds: float) -> Load:
    """Sends for `seconds` over so many connections, then waits for the answers. Raises LoadError."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{math.ceil(seconds) + _QUIET_SECONDS}s", "--timeout", "30s"]
    command += ["-s", str(_SCRIPT), f"http://127.0.0.1:{port}", "--"]
    command += [str(next(_runs)), str(seconds), f"/f/{database.FORM_KEY}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        return msgspec.json.decode(done.stderr.strip().rpartition("\n")[2], type=Load)
    except msgspec.MsgspecError:
        raise LoadError(f"wrk failed:\n{done.stdout}{done.stderr}") from None
