"""A request and an answer, as the rooms of the edge see them; RSGI stays in this file and in app.py."""

import asyncio
import functools
import ipaddress
import re
import time
from collections.abc import Awaitable
from typing import Protocol

import msgspec
import uuid_utils

from edge import config, problems, words

# On every answer. The resource policy lets clients' sites read what CORS lets them read.
SECURITY_HEADERS = (
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "strict-origin-when-cross-origin"),
    ("cross-origin-resource-policy", "cross-origin"),
    # In the place of Granian's own, which cannot be switched off.
    ("server", "consult"),
)
# For what is no page: should a browser open it nevertheless, it shows text and loads nothing. Pages have their own.
NO_PAGE = ("content-security-policy", "default-src 'none'; frame-ancestors 'none'")


class Headers(Protocol):
    def get(self, key: str, default: str | None = None) -> str | None: ...


class Scope(Protocol):
    """RSGI's description of a request (https://github.com/emmett-framework/granian/blob/master/docs/spec/RSGI.md)."""

    method: str
    path: str
    query_string: str
    client: str
    headers: Headers


class Transport(Protocol):
    async def send_bytes(self, data: bytes) -> None: ...


class Exchange(Protocol):
    """RSGI's HTTP protocol object: the body comes out of it, the answer goes into it."""

    def __call__(self) -> Awaitable[bytes]: ...
    async def client_disconnect(self) -> None: ...
    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None: ...
    def response_stream(self, status: int, headers: list[tuple[str, str]]) -> Transport: ...


class Request:
    """One request. `client` is the visitor's address as far as we can know it."""

    __slots__ = ("client", "exchange", "headers", "id", "method", "origin", "path", "query")

    def __init__(self, scope: Scope, exchange: Exchange, trusted: "tuple[config.Network, ...]" = ()) -> None:
        self.method = scope.method
        self.path = scope.path
        self.query = scope.query_string
        self.headers = scope.headers
        self.exchange = exchange
        self.origin = self.header("origin")
        wanted = self.header("x-request-id")
        self.id = wanted if wanted and _REQUEST_ID.fullmatch(wanted) else new_request_id()
        self.client = client_address(scope.client, self.header("x-forwarded-for") if trusted else "", trusted)

    def header(self, name: str) -> str:
        """Empty when absent, and when its bytes are not text."""
        try:
            return self.headers.get(name) or ""
        except (ValueError, RuntimeError):
            return ""

    def wants_page(self, kind: str = "", form_types: tuple[str, ...] = ()) -> bool:
        """Whether a person with a browser asks, not a script. `kind` is the content's media type."""
        accept = self.header("accept").lower()
        if "json" in accept:
            return False
        return "text/html" in accept or kind in form_types


_REQUEST_ID = re.compile(r"[A-Za-z0-9._\-]{8,64}")


def new_request_id() -> str:
    """A UUIDv7, as 32 hexadecimal digits: half the time that one with dashes takes."""
    return uuid_utils.uuid7().hex


class Response(msgspec.Struct, frozen=True):
    """`code` is that of the problem which it tells, for the log."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    code: str | None = None

    def with_headers(self, *headers: tuple[str, str]) -> "Response":
        return Response(self.status, self.headers + headers, self.body, self.code)


def json(status: int, content: object, *headers: tuple[str, str]) -> Response:
    return Response(
        status,
        (("content-type", "application/json"), ("cache-control", "no-store"), *headers),
        msgspec.json.encode(content),
    )


def problem(found: problems.Problem, request_id: str, language: str = words.DEFAULT, fallback: str = "") -> Response:
    return Response(
        found.kind.status,
        (("content-type", "application/problem+json"), ("cache-control", "no-store"), *found.headers),
        problems.document(found, request_id, language, fallback),
        found.code,
    )


class Deadlines:
    """Ends what takes too long to arrive. One timer for all: one for each request would cost as much as parsing it."""

    _STEP_SECONDS = 0.25

    def __init__(self) -> None:
        self._until: dict[asyncio.Task[object], float] = {}
        # Whose reading was ended, and with what; None: it took too long.
        self._ended: dict[asyncio.Task[object], problems.Problem | None] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def read(self, request: Request, *, limit: int, seconds: float) -> bytes:
        """At most `limit` bytes, within `seconds` and a quarter; all that were declared, or nothing.

        Raises Problem: length_required, too_large, too_slow, malformed, wrong_type, unavailable (see `end`).
        """
        size = declared_size(request, limit)
        try:
            with self.within(seconds):
                # The server never hands out more than the declared length, so this is bounded by `limit`.
                body = await request.exchange()
        except RuntimeError:  # RSGI's way to say that the connection broke while we read
            raise _broken_off() from None
        if len(body) != size:
            raise _broken_off()
        return body

    def within(self, seconds: float) -> "_Reading":
        """Around what reads a body. Raises Problem: too_slow, unavailable."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("needs a task")
        self._until[task] = time.monotonic() + seconds
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._STEP_SECONDS, self._step)
        return _Reading(self, task, seconds)

    def end(self, reason: problems.Problem) -> None:
        """Wait for nobody any more: who is still sending is told why."""
        for task in self._until:
            self._cancel(task, reason)

    @property
    def count(self) -> int:
        """How many are being read."""
        return len(self._until)

    def done(self, task: asyncio.Task[object], seconds: float, *, cancelled: bool) -> None:
        """Raises Problem when this reading was ended by us."""
        self._until.pop(task, None)
        if task not in self._ended:
            return
        reason = self._ended.pop(task)
        if not cancelled:
            return
        task.uncancel()
        if reason is None:
            reason = problems.Problem("too_slow", words.text("too_slow", seconds=f"{seconds:g}"), headers=CLOSE)
        raise reason from None

    def _cancel(self, task: asyncio.Task[object], reason: problems.Problem | None) -> None:
        if task not in self._ended:
            self._ended[task] = reason
            task.cancel()

    def _step(self) -> None:
        now = time.monotonic()
        for task in [task for task, until in self._until.items() if until < now]:
            self._cancel(task, None)
        again = asyncio.get_running_loop().call_later(self._STEP_SECONDS, self._step) if self._until else None
        self._timer = again


class _Reading:
    __slots__ = ("_deadlines", "_seconds", "_task")

    def __init__(self, deadlines: Deadlines, task: asyncio.Task[object], seconds: float) -> None:
        self._deadlines = deadlines
        self._task = task
        self._seconds = seconds

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._deadlines.done(self._task, self._seconds, cancelled=kind is asyncio.CancelledError)


def declared_size(request: Request, limit: int) -> int:
    """The size that a request says it has. Raises Problem: length_required, too_large, malformed, wrong_type."""
    coding = request.header("content-encoding")
    if coding and coding.strip().lower() != "identity":
        raise problems.Problem(
            "wrong_type", words.text("compressed"), headers=(("accept-encoding", "identity"), *CLOSE)
        )
    declared = request.header("content-length")
    # In chunks the end is known only when it comes, and the server reports a body that broke off on the way (a bad
    # chunk, a closed connection) like one that ended: half a message would be stored and receipted. It can read
    # chunks to their checked end only without a limit. Browsers, also with fetch(), always send the length.
    if not declared or request.header("transfer-encoding"):
        raise problems.Problem("length_required", words.text("length_required"), headers=CLOSE)
    if not (declared.isascii() and declared.isdigit()):
        raise problems.Problem("malformed", words.text("bad_length"), headers=CLOSE)
    # More digits than that are no number to calculate with.
    if len(declared) > 18 or int(declared) > limit:
        raise _too_large(limit)
    return int(declared)


def _broken_off() -> problems.Problem:
    return problems.Problem("malformed", words.text("broken_off"), headers=CLOSE)


def _too_large(limit: int) -> problems.Problem:
    return problems.Problem("too_large", words.text("too_large", size=f"{limit // 1024} KiB"), headers=CLOSE)


# What was not read would be taken for the next request on the same connection.
CLOSE = (("connection", "close"),)


def client_address(peer: str, forwarded_for: str, trusted: tuple[config.Network, ...]) -> str:
    """The visitor's address: the last one in X-Forwarded-For that no trusted proxy has, else the peer's own.

    `peer` is RSGI's `address:port`. Anybody may send the header, so it counts only from a trusted peer.
    """
    host = peer.rpartition(":")[0]
    if not forwarded_for and host and host[0] != "[":
        return host
    return _client_address(host.strip("[]") or peer, forwarded_for, trusted)


@functools.lru_cache(maxsize=1024)
def network_of(address: str, bits: int, bits_of_6: int) -> str:
    """The network that an address lies in: `203.0.113.0` for 24 bits; what is no address stays as it is."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((parsed, bits if parsed.version == 4 else bits_of_6), strict=False).network_address)


@functools.lru_cache(maxsize=1024)
def _client_address(host: str, forwarded_for: str, trusted: tuple[config.Network, ...]) -> str:
    for candidate in [host, *reversed(forwarded_for.split(","))]:
        try:
            address = ipaddress.ip_address(candidate.strip())
        except ValueError:
            break
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        host = str(address)
        if not any(address in network for network in trusted):
            break
    return host
