"""Live events to signed-in pages: server-sent events that carry ids only.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import asyncio
import collections
import contextlib
import time
from typing import TYPE_CHECKING

import msgspec

from edge import bounds, http, keys, log, problems
from edge.http import Exchange

if TYPE_CHECKING:
    from edge import tokens

HEARTBEAT = b": still here\n\n"
RESYNC = b"event: resync\ndata: {}\n\n"
# The first bytes: how long to wait before coming back (milliseconds), and proof that the stream is open.
OPENING = b"retry: 3000\n: open\n\n"


class Notice(msgspec.Struct, frozen=True):
    """What NOTIFY consult_live carries."""

    agency: int
    kind: str
    id: str


class _Nudge(msgspec.Struct, frozen=True):
    kind: str
    id: str


class Stream:
    """What waits to be written to one page. Too much for a slow reader becomes one word: look again."""

    def __init__(self, agency: int, limit: int) -> None:
        self.agency = agency
        self._limit = limit
        self._events: collections.deque[bytes] = collections.deque()
        self._changed = asyncio.Event()
        self.ended = False

    def push(self, event: bytes) -> None:
        if len(self._events) >= self._limit:
            self._events.clear()
            event = RESYNC
        if not (event == RESYNC and self._events and self._events[-1] == RESYNC):
            self._events.append(event)
        self._changed.set()

    def end(self) -> None:
        self.ended = True
        self._changed.set()

    async def next(self, seconds: float) -> bytes:
        """All that waits, or a heartbeat after `seconds` of silence; empty when the stream has ended."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        self._changed.clear()
        if self.ended:
            return b""
        waiting = b"".join(self._events)
        self._events.clear()
        return waiting or HEARTBEAT


class Live:
    """All open streams, by agency."""

    def __init__(self, ring: keys.KeyRing, office_url: str, limits: bounds.Bounds, told: log.Log) -> None:
        self._ring = ring
        self._office_url = office_url
        self._limits = limits
        self._log = told
        self._streams: dict[int, set[Stream]] = {}
        self._closing = False

    @property
    def count(self) -> int:
        return sum(len(streams) for streams in self._streams.values())

    def heard(self, payload: str) -> None:
        """One NOTIFY: to the streams of that agency and to no other."""
        try:
            notice = msgspec.json.decode(payload, type=Notice)
        except msgspec.MsgspecError:
            self._log.warning("notice_unreadable", chars=len(payload))
            return
        data = msgspec.json.encode(_Nudge(notice.kind, notice.id))
        for stream in self._streams.get(notice.agency, ()):
            stream.push(b"event: nudge\ndata: " + data + b"\n\n")

    def missed_some(self) -> None:
        """The connection that listens was away: every page looks again."""
        for streams in self._streams.values():
            for stream in streams:
                stream.push(RESYNC)

    def close(self) -> None:
        """Ends all streams and takes no more."""
        self._closing = True
        for streams in self._streams.values():
            for stream in streams:
                stream.end()

    def cors(self, request: http.Request) -> tuple[tuple[str, str], ...]:
        """Only pages of the office may read."""
        vary = (("vary", "Origin"),)
        if request.header("origin") != self._office_url:
            return vary
        return (*vary, ("access-control-allow-origin", self._office_url))

    async def serve(self, request: http.Request, token: str) -> tuple[int, int]:
        """Writes until the page leaves, the token expires or the edge stops. Gives status and bytes sent.

        Raises Problem: invalid_token, too_many_streams; and database.Unavailable.
        """
        claims = await self._claims(token)
        stream = self._admitted(claims.agency)
        headers = [
            ("content-type", "text/event-stream"),
            ("cache-control", "no-store"),
            ("x-accel-buffering", "no"),
            ("x-request-id", request.id),
            http.NO_PAGE,
            *http.SECURITY_HEADERS,
            *self.cors(request),
        ]
        try:
            sent = await self._write(request.exchange, headers, stream, claims.expires_at)
        finally:
            self._dismiss(stream)
        return 200, sent

    async def _claims(self, token: str) -> "tokens.Claims":
        try:
            return await self._ring.verify(token)
        except keys.Invalid as reason:
            self._log.info("live_token_refused", reason=str(reason))
            raise problems.Problem("invalid_token", "Ask the office for a new live token.") from None

    def _admitted(self, agency: int) -> Stream:
        streams = self._streams.setdefault(agency, set())
        full = self.count >= self._limits.streams or len(streams) >= self._limits.streams_per_agency
        if full or self._closing:
            if not streams:
                del self._streams[agency]
            raise problems.Problem("too_many_streams", "Poll for a while instead.", retry_after=30)
        stream = Stream(agency, self._limits.stream_queue_events)
        streams.add(stream)
        return stream

    def _dismiss(self, stream: Stream) -> None:
        streams = self._streams.get(stream.agency, set())
        streams.discard(stream)
        if not streams:
            self._streams.pop(stream.agency, None)

    async def _write(
        self, exchange: Exchange, headers: list[tuple[str, str]], stream: Stream, expires_at: float
    ) -> int:
        transport = exchange.response_stream(200, headers)
        left = asyncio.ensure_future(exchange.client_disconnect())
        left.add_done_callback(lambda _: stream.end())
        sent = 0
        chunk = OPENING
        try:
            while chunk:
                await transport.send_bytes(chunk)
                sent += len(chunk)
                # The wall clock, because the token's end is told in it.
                remaining = expires_at - time.time()
                # The server takes whatever we write and keeps it for a reader that does not read, without end:
                # so each stream has an end in bytes as well. The page comes back by itself.
                if remaining <= 0 or sent > self._limits.stream_bytes:
                    break
                chunk = await stream.next(min(self._limits.heartbeat_seconds, remaining))
        except (RuntimeError, OSError):
            pass  # the page left while we wrote
        finally:
            left.cancel()
        return sent
