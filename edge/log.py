"""One line per event, JSON for machines or plain for a terminal.

Written with msgspec, which the edge has anyway: importing structlog costs 8 MB of a process that idles at 40.
Callers pass only what may be read by everybody: no field contents, no tokens, no queries, no passwords.
"""

import datetime
import sys
from typing import BinaryIO

import msgspec

type Value = str | int | float | bool | None

_encode = msgspec.json.Encoder().encode


class Log:
    def __init__(self, style: str = "json", stream: BinaryIO | None = None) -> None:
        self._plain = style == "console"
        self._stream = stream if stream is not None else sys.stdout.buffer

    def info(self, event: str, **facts: Value) -> None:
        self._write("info", event, facts)

    def warning(self, event: str, **facts: Value) -> None:
        self._write("warning", event, facts)

    def error(self, event: str, **facts: Value) -> None:
        self._write("error", event, facts)

    def _write(self, level: str, event: str, facts: dict[str, Value]) -> None:
        now = datetime.datetime.now(datetime.UTC)
        if self._plain:
            told = " ".join(f"{name}={value!r}" for name, value in facts.items() if value is not None)
            line = f"{now:%H:%M:%S} {level:7} edge  {event}  {told}".encode("utf-8", "replace")
        else:
            line = _encode({"timestamp": now.isoformat(), "level": level, "program": "edge", "event": event, **facts})
        try:
            self._stream.write(line + b"\n")
            self._stream.flush()
        except (OSError, ValueError):
            # Nobody reads us any more: taking submissions matters more than telling about it.
            pass
