"""What the product's own logging set-up writes during a test."""

import contextlib
import io
import logging
from collections.abc import Callable, Iterator

from consult.core import logging as consult_logging

Read = Callable[[], str]


@contextlib.contextmanager
def captured(format: str) -> Iterator[Read]:
    """The product's own set-up in place; gives what was written since the last call."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    consult_logging.configure(format)
    [handler] = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    stream = io.StringIO()
    handler.setStream(stream)

    def read() -> str:
        text = stream.getvalue()
        stream.seek(0)
        stream.truncate()
        return text

    try:
        yield read
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
