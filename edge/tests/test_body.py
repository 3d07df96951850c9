"""A body counts only when all of it arrived: half a message is neither stored nor receipted."""

import asyncio
import socket
import types
import uuid
from collections.abc import Awaitable

import httpx
import pytest

from edge import http as edge_http
from edge import problems
from edge.tests.database import Database
from edge.tests.program import PAGE, Program, until

# By itself all that the form needs, so that taking it for the whole would store it.
HALF = b"name=Ann&email=ann%40example.com&message=The+first+half"
CHUNK = b"%x\r\n%s\r\n" % (len(HALF), HALF)
URLENCODED = {"content-type": "application/x-www-form-urlencoded"}


def _head(key: str, *headers: str) -> bytes:
    named = ("host: x", "accept: application/json", "content-type: application/x-www-form-urlencoded", *headers)
    return "\r\n".join((f"POST /f/{key} HTTP/1.1", *named, "", "")).encode()


def _said(program: Program, sent: bytes, *, break_off: bool = True) -> bytes:
    """All that the server says, with our side of the connection ended after what we sent."""
    with socket.create_connection(("127.0.0.1", program.port), timeout=5) as connection:
        connection.sendall(sent)
        if break_off:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while chunk := connection.recv(65_536):
                answer += chunk
        except ConnectionResetError:  # what we sent was not all read
            pass
        return answer


@pytest.mark.parametrize(
    "body",
    [
        CHUNK + b"zz\r\n",
        CHUNK + b"20\r\nonly some",
        CHUNK,
        CHUNK + b"0\r\n\r\n",
        b"0\r\n\r\n",
    ],
    ids=["garbage", "short chunk", "no last chunk", "well-formed", "empty"],
)
def test_chunks_are_not_taken(edge: Program, office: Database, key: str, body: bytes) -> None:
    request_id = str(uuid.uuid4())
    head = _head(key, "transfer-encoding: chunked", f"x-request-id: {request_id}")
    whole = body.endswith(b"0\r\n\r\n")
    answer = _said(edge, head + body, break_off=not whole)

    # To who has gone the server need not say anything.
    assert b'"code":"length_required"' in answer or not (answer or whole)
    until(lambda: bool(edge.requests(request_id)))
    assert [line["status"] for line in edge.requests(request_id)] == [411]
    assert office.submissions(key) == []


def test_chunks_beside_a_length_are_not_taken(edge: Program, office: Database, key: str) -> None:
    head = _head(key, "transfer-encoding: chunked", f"content-length: {len(HALF)}")
    assert _said(edge, head + CHUNK + b"zz\r\n", break_off=False).split()[1] in (b"400", b"411")
    assert office.submissions(key) == []


def test_no_length_and_no_chunks(edge: Program, office: Database, key: str) -> None:
    assert _said(edge, _head(key) + HALF, break_off=False).startswith(b"HTTP/1.1 411")
    assert office.submissions(key) == []


def test_fewer_bytes_than_declared(edge: Program, office: Database, key: str) -> None:
    request_id = str(uuid.uuid4())
    head = _head(key, f"content-length: {len(HALF) + 1}", f"x-request-id: {request_id}")
    answer = _said(edge, head + HALF)

    assert not answer or answer.startswith(b"HTTP/1.1 400")
    until(lambda: bool(edge.requests(request_id)))
    assert [line["status"] for line in edge.requests(request_id)] == [400]
    assert office.submissions(key) == []


def test_as_many_bytes_as_declared(edge: Program, office: Database, key: str) -> None:
    head = _head(key, f"content-length: {len(HALF)}", "connection: close")
    assert _said(edge, head + HALF, break_off=False).startswith(b"HTTP/1.1 201")
    (row,) = office.submissions(key)
    assert row["message"] == "The first half"


def test_people_are_told_on_a_page(http: httpx.Client, office: Database, key: str) -> None:
    answer = http.post(f"/f/{key}", content=iter([HALF]), headers=URLENCODED | PAGE)
    assert answer.status_code == 411
    assert answer.headers["content-type"].startswith("text/html")
    assert "go back one page" in answer.text
    assert office.submissions(key) == []


class _Exchange:
    """A server that hands out less, or more, than was declared and calls it the whole."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def _read(self) -> bytes:
        return self._body

    def __call__(self) -> Awaitable[bytes]:
        return self._read()

    async def client_disconnect(self) -> None:
        raise NotImplementedError

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        raise NotImplementedError

    def response_stream(self, status: int, headers: list[tuple[str, str]]) -> edge_http.Transport:
        raise NotImplementedError


class _Headers:
    def __init__(self, sent: dict[str, str]) -> None:
        self._sent = sent

    def get(self, key: str, default: str | None = None) -> str | None:
        return self._sent.get(key, default)


def _read(body: bytes, **headers: str) -> bytes:
    named = _Headers({name.replace("_", "-"): value for name, value in headers.items()})
    scope = types.SimpleNamespace(method="POST", path="/", query_string="", client="127.0.0.1:1", headers=named)
    request = edge_http.Request(scope, _Exchange(body))
    return asyncio.run(edge_http.Deadlines().read(request, limit=10, seconds=1))


@pytest.mark.parametrize(
    ("code", "body", "headers"),
    [
        ("malformed", b"1234", {"content_length": "5"}),
        ("malformed", b"123456", {"content_length": "5"}),
        ("malformed", b"12345", {"content_length": "-5"}),
        ("malformed", b"12345", {"content_length": "٥"}),
        ("too_large", b"12345678901", {"content_length": "11"}),
        ("too_large", b"12345", {"content_length": "9" * 5_000}),
        ("length_required", b"12345", {}),
        ("length_required", b"12345", {"content_length": "5", "transfer_encoding": "chunked"}),
    ],
)
def test_the_count_must_be_right(code: str, body: bytes, headers: dict[str, str]) -> None:
    with pytest.raises(problems.Problem) as found:
        _read(body, **headers)
    assert found.value.code == code


def test_the_count_is_right() -> None:
    assert _read(b"1234567890", content_length="10") == b"1234567890"
    assert _read(b"", content_length="0") == b""
