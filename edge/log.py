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

_encode = msgspec.json.Encoder().encode_lines


# Lines of ordinary events wait so long for each other: a write for each request would cost a tenth of it.
_GATHER_SECONDS = 0.05


_HEAD = ("timestamp", "level", "program", "event")


class Log:
    def __init__(self, style: str = "json", stream: BinaryIO | None = None) -> None:
        self._style = style
        self._stream = stream if stream is not None else sys.stdout.buffer
        self._lines: list[dict[str, Value | datetime.datetime]] = []

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
        self._lines.append({"timestamp": now, "level": level, "program": "edge", "event": event, **facts})

    def flush(self) -> None:
        """Write what waits. Called at the end, too."""
        lines = b"".join(map(_plain, self._lines)) if self._style == "console" else _encode(self._lines)
        self._lines.clear()
        try:
            self._stream.write(lines)
            self._stream.flush()
        except (OSError, ValueError):
            # Nobody reads us any more: taking submissions matters more than telling about it.
            pass


def _plain(line: dict[str, Value | datetime.datetime]) -> bytes:
    told = " ".join(f"{name}={value!r}" for name, value in line.items() if name not in _HEAD and value is not None)
    text = f"{line['timestamp']:%H:%M:%S} {line['level']:7} edge  {line['event']}  {told}\n"
    return text.encode("utf-8", "replace")
