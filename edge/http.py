"""A request and an answer, as the rooms of the edge see them; RSGI stays in this file and in app.py."""

import asyncio
import functools
import ipaddress
from collections.abc import Awaitable
from typing import Protocol

import msgspec

from edge import config, problems

SECURITY_HEADERS = (
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "strict-origin-when-cross-origin"),
    ("cross-origin-resource-policy", "cross-origin"),
)


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


class Request(msgspec.Struct):
    id: str
    method: str
    path: str
    query: str
    client: str
    headers: Headers
    exchange: Exchange

    def header(self, name: str) -> str:
        """Empty when absent, and when its bytes are not text."""
        try:
            return self.headers.get(name) or ""
        except (ValueError, RuntimeError):
            return ""

    @property
    def content_type(self) -> str:
        return self.header("content-type").partition(";")[0].strip().lower()

    def wants_page(self, form_types: tuple[str, ...] = ()) -> bool:
        """Whether a person with a browser asks, not a script."""
        if self.content_type == "application/json":
            return False
        accept = self.header("accept").lower()
        if "json" in accept:
            return False
        return "text/html" in accept or self.content_type in form_types


class Response(msgspec.Struct, frozen=True):
    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def with_headers(self, *headers: tuple[str, str]) -> "Response":
        return Response(self.status, self.headers + headers, self.body)


def json(status: int, content: object, *headers: tuple[str, str]) -> Response:
    return Response(
        status,
        (("content-type", "application/json"), ("cache-control", "no-store"), *headers),
        msgspec.json.encode(content),
    )


def problem(found: problems.Problem, request_id: str) -> Response:
    return Response(
        found.kind.status,
        (("content-type", "application/problem+json"), ("cache-control", "no-store"), *found.headers),
        problems.document(found, request_id),
    )


async def read_body(request: Request, *, limit: int, seconds: float) -> bytes:
    """At most `limit` bytes, within `seconds`; all that were declared, or nothing.

    Raises Problem: length_required, too_large, too_slow, malformed.
    """
    size = _declared_size(request, limit)
    try:
        async with asyncio.timeout(seconds):
            # The server never hands out more than the declared length, so this is bounded by `limit`.
            body = await request.exchange()
    except TimeoutError:
        detail = f"The content did not arrive within {seconds:g} seconds."
        raise problems.Problem("too_slow", detail, headers=CLOSE) from None
    except RuntimeError:  # RSGI's way to say that the connection broke while we read
        raise _broken_off() from None
    if len(body) != size:
        raise _broken_off()
    return body


def _declared_size(request: Request, limit: int) -> int:
    declared = request.header("content-length")
    # In chunks the end is known only when it comes, and the server reports a body that broke off on the way (a bad
    # chunk, a closed connection) like one that ended: half a message would be stored and receipted. It can read
    # chunks to their checked end only without a limit. Browsers, also with fetch(), always send the length.
    if not declared or request.header("transfer-encoding"):
        detail = "Send the content with its length (Content-Length), not in chunks."
        raise problems.Problem("length_required", detail, headers=CLOSE)
    if not (declared.isascii() and declared.isdigit()):
        raise problems.Problem("malformed", "The content's length is no number.", headers=CLOSE)
    # More digits than that are no number to calculate with.
    if len(declared) > 18 or int(declared) > limit:
        raise _too_large(limit)
    return int(declared)


def _broken_off() -> problems.Problem:
    return problems.Problem("malformed", "The content broke off.", headers=CLOSE)


def _too_large(limit: int) -> problems.Problem:
    return problems.Problem("too_large", f"A submission may hold {limit // 1024} KiB.", headers=CLOSE)


# What was not read would be taken for the next request on the same connection.
CLOSE = (("connection", "close"),)


def client_address(peer: str, forwarded_for: str, trusted: tuple[config.Network, ...]) -> str:
    """The visitor's address: the last one in X-Forwarded-For that no trusted proxy has, else the peer's own.

    `peer` is RSGI's `address:port`. Anybody may send the header, so it counts only from a trusted peer.
    """
    return _client_address(peer.rpartition(":")[0].strip("[]") or peer, forwarded_for, trusted)


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
