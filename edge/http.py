"""A request and an answer, as the rooms of the edge see them; RSGI stays in this file and in app.py."""

import asyncio
import functools
import ipaddress
from collections.abc import AsyncIterator, Awaitable
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
    def __aiter__(self) -> AsyncIterator[bytes]: ...
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
    """At most `limit` bytes, within `seconds`. Raises Problem: too_large, too_slow, malformed."""
    declared = request.header("content-length")
    if declared and (not (declared.isascii() and declared.isdigit()) or int(declared[:18]) > limit):
        raise _too_large(limit)
    try:
        async with asyncio.timeout(seconds):
            # The server holds the sender to the declared length; only without one do we have to count.
            return await (request.exchange() if declared else _counted(request.exchange, limit))
    except TimeoutError:
        detail = f"The content did not arrive within {seconds:g} seconds."
        raise problems.Problem("too_slow", detail, headers=CLOSE) from None
    except RuntimeError:  # RSGI's way to say that the connection broke while we read
        raise problems.Problem("malformed", "The content broke off.", headers=CLOSE) from None


async def _counted(exchange: Exchange, limit: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in exchange:
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)
    return b"".join(chunks)


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
