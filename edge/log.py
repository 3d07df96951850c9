"""One line per event, JSON for machines or plain for a terminal.

Written with msgspec, which the edge has anyway: importing structlog costs 8 MB of a process that idles at 40.
Callers pass only what may be read by everybody: no field contents, no tokens, no queries, no passwords.
"""

import asyncio
import datetime
import sys
from typing import BinaryIO

import msgspec

type Value = str | int | float | bool | None

_encode = msgspec.json.Encoder().encode


# Lines of ordinary events wait so long for each other: a write for each request would cost a tenth of it.
_GATHER_SECONDS = 0.05


class Log:
    def __init__(self, style: str = "json", stream: BinaryIO | None = None) -> None:
        self._plain = style == "console"
        self._stream = stream if stream is not None else sys.stdout.buffer
        self._lines: list[bytes] = []

    def info(self, event: str, **facts: Value) -> None:
        self._add("info", event, facts)
        if len(self._lines) == 1:
            try:
                asyncio.get_running_loop().call_later(_GATHER_SECONDS, self.flush)
            except RuntimeError:  # nobody would call it
                self.flush()

    def warning(self, event: str, **facts: Value) -> None:
        self._add("warning", event, facts)
        self.flush()

    def error(self, event: str, **facts: Value) -> None:
        self._add("error", event, facts)
        self.flush()

    def _add(self, level: str, event: str, facts: dict[str, Value]) -> None:
        now = datetime.datetime.now(datetime.UTC)
        if self._plain:
            told = " ".join(f"{name}={value!r}" for name, value in facts.items() if value is not None)
            line = f"{now:%H:%M:%S} {level:7} edge  {event}  {told}".encode("utf-8", "replace")
        else:
            line = _encode({"timestamp": now, "level": level, "program": "edge", "event": event, **facts})
        self._lines.append(line + b"\n")

    def flush(self) -> None:
        """Write what waits. Called at the end, too."""
        lines = b"".join(self._lines)
        self._lines.clear()
        try:
            self._stream.write(lines)
            self._stream.flush()
        except (OSError, ValueError):
            # Nobody reads us any more: taking submissions matters more than telling about it.
            pass
