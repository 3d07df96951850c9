"""The way to PostgreSQL over TCP, with all that a network can do to it."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Literal
from urllib.parse import urlsplit

_CHUNK_BYTES = 65_536
_LOOK_SECONDS = 0.01


type Part = Literal["statement", "answer"]


class _Pair:
    """One connection: the edge's end and the server's."""

    def __init__(self, *ends: asyncio.StreamWriter) -> None:
        self.ends = ends
        self.closed = False
        self.forgotten = False
        self.held = ""

    def forget(self) -> None:
        self.forgotten = True

    def let_go(self) -> None:
        if self.held:
            self.close()

    def close(self) -> None:
        self.closed = True
        for end in self.ends:
            end.close()


class Proxy:
    """An edge connects with `url`. What happens to the connections is set from outside, at any time.

    `latency`: seconds that each piece needs, either way. `silent`: nothing passes and nothing is closed; new
    connections are taken and hear nothing either. `refusing`: new connections are closed at once.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname, parts.port)
        self._pairs: set[_Pair] = set()
        self._needle = b""
        self._part: Part = "answer"
        self.latency = 0.0
        self.silent = False
        self.refusing = False
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        self.url = parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{port}").geturl()
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run(listener)), daemon=True)
        self._thread.start()
        self._started.wait(10)

    async def _run(self, listener: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        server = await asyncio.start_server(self._connected, sock=listener)
        self._started.set()
        await self._end.wait()
        server.close()
        while self._pairs:
            for pair in self._pairs:
                pair.close()
            await asyncio.sleep(_LOOK_SECONDS)

    def shut(self) -> None:
        """All connections are closed, and new ones too, until `open`."""
        self.refusing = True
        self.cut()

    def open(self) -> None:
        self.refusing = False

    def cut(self) -> None:
        """The connections that there are now are closed."""
        self._soon(_Pair.close)

    def forget(self) -> None:
        """Of the connections that there are now nothing is heard any more, and nobody is told: they are half-open."""
        self._soon(_Pair.forget)

    def hold(self, part: Part, needle: bytes) -> None:
        """The statement that has these bytes in it does not reach the server; or it does, and its answer does not come
        back. So it stays with its connection; others are as ever."""
        self._needle, self._part = needle, part

    @property
    def holds(self) -> bool:
        return any(pair.held for pair in [*self._pairs])

    def let_go(self) -> None:
        """The connections of what was held are closed, and nothing new is held."""
        self._needle = b""
        self._soon(_Pair.let_go)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(10)

    def _soon(self, change: Callable[[_Pair], None]) -> None:
        async def run() -> None:
            for pair in [*self._pairs]:
                change(pair)

        asyncio.run_coroutine_threadsafe(run(), self._loop).result(10)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            writer.close()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.close()
            return
        pair = _Pair(writer, far_writer)
        self._pairs.add(pair)
        pumps = [
            asyncio.create_task(self._pump(pair, reader, far_writer, "statement")),
            asyncio.create_task(self._pump(pair, far_reader, writer, "answer")),
        ]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in pumps:
            pump.cancel()
        pair.close()
        for end in pair.ends:
            with contextlib.suppress(OSError):
                await end.wait_closed()
        self._pairs.discard(pair)

    async def _pump(self, pair: _Pair, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, part: Part) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(_CHUNK_BYTES):
                if part == "statement" and self._needle and self._needle in chunk:
                    pair.held = self._part
                if self.latency:
                    await asyncio.sleep(self.latency)
                while self.silent or pair.forgotten or pair.held == part:
                    if pair.closed:
                        return
                    await asyncio.sleep(_LOOK_SECONDS)
                writer.write(chunk)
                await writer.drain()


@contextlib.contextmanager
def before(url: str) -> Iterator[Proxy]:
    """A proxy before the server at this address."""
    proxy = Proxy(url)
    try:
        yield proxy
    finally:
        proxy.close()
