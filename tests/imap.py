"""A real IMAP server (pymap) on loopback, and mail put into it as a mail server would."""

import asyncio
import contextlib
import imaplib
import socket
import threading
from argparse import Namespace
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from pymap.backend.dict import DictBackend
from pymap.imap import IMAPService

USER, PASSWORD = "team@in.example", 'pass "word" \\ ü'


class Server:
    """The server; `port` stays the same when it is stopped and started, what is in the mailbox does not."""

    def __init__(self, *, cert: Path | None = None, key: Path | None = None, port: int = 0) -> None:
        self.cert, self.key = cert, key
        self.port = port or free_port()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._end: asyncio.Event | None = None

    def start(self) -> None:
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)), daemon=True)
        self._thread.start()
        assert ready.wait(20), "pymap did not start"

    async def _serve(self, ready: threading.Event) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        arguments: dict[str, Any] = {
            "demo_data": False,
            "demo_user": USER,
            "demo_password": PASSWORD,
            "debug": False,
            "host": ["127.0.0.1"],
            "port": str(self.port),
            "cert": str(self.cert) if self.cert else None,
            "key": str(self.key) if self.key else None,
            "tls": self.cert is not None,
            "proxy_protocol": None,
            "inherited_sockets": None,
            "passlib_cfg": None,
        }
        backend, config = await DictBackend.init(Namespace(**arguments))
        async with AsyncExitStack() as stack:
            config.apply_context()
            await backend.start(stack)
            await IMAPService(backend, config).start(stack)
            ready.set()
            await self._end.wait()

    def stop(self) -> None:
        if self._loop and self._end and self._thread:
            self._loop.call_soon_threadsafe(self._end.set)
            self._thread.join(10)

    @contextlib.contextmanager
    def client(self) -> Iterator[imaplib.IMAP4]:
        with imaplib.IMAP4("127.0.0.1", self.port, timeout=10) as client:
            client.authenticate("PLAIN", lambda _: f"\0{USER}\0{PASSWORD}".encode())
            yield client

    def deliver(self, raw: bytes, folder: str = "INBOX") -> None:
        with self.client() as client:
            kind, said = client.append(folder, "", "", raw)
            assert kind == "OK", said


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextlib.contextmanager
def running(**arguments: Any) -> Iterator[Server]:
    server = Server(**arguments)
    server.start()
    try:
        yield server
    finally:
        server.stop()
