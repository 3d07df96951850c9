"""Every request gets an id and one line; who sent it is believed only from proxies that the operator listed."""

import json
import re
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory, override_settings

from conftest import Cast, Database, Enquiry
from consult.core import http
from consult.core.tests.lines import captured


def requests(text: str) -> list[dict[str, Any]]:
    return [line for line in map(json.loads, text.splitlines()) if line["event"] == "request"]


def test_one_line_a_request(cast: Cast, enquiry: Enquiry) -> None:
    asked = [
        (cast.bob.client, "get", "/a/inbox/1/?q=secret-word", 200, "/<slug:agency>/inbox/<int:number>/"),
        (cast.bob.client, "post", "/a/inbox/1/close/", 302, "/<slug:agency>/inbox/<int:number>/close/"),
        (cast.charlie.client, "get", "/a/inbox/", 404, "/<slug:agency>/inbox/"),
        (cast.stranger, "get", "/a/inbox/", 302, "/<slug:agency>/inbox/"),
        (cast.stranger, "get", "/no/such/secret-word/", 404, "(no route)"),
        (cast.stranger, "get", "/accounts/sign-in/secret-word/", 302, "/accounts/sign-in/<str:token>/"),
        (cast.stranger, "get", "/health/", 200, "/health/"),
    ]
    with captured("json") as read:
        for client, method, path, status, route in asked:
            answer = getattr(client, method)(path)
            text = read()
            [line] = requests(text)
            inside = client is cast.bob.client
            assert line == {
                "event": "request",
                "level": "info",
                "logger": "consult.request",
                "timestamp": line["timestamp"],
                "request_id": answer["X-Request-ID"],
                "method": method.upper(),
                "route": route,
                "status": status,
                "duration_ms": line["duration_ms"],
                "agency": cast.a if inside else None,
                "member": str(cast.bob.member_id) if inside else None,
            }
            assert answer.status_code == status
            assert 0 <= line["duration_ms"] < 60_000
            assert "secret-word" not in text


def test_a_harmless_id_is_taken_and_another_is_made_anew() -> None:
    client = Client()
    for good in ("0123abcd", "trace-1_2.3", "x" * 64):
        assert client.get("/health/", headers={"X-Request-ID": good})["X-Request-ID"] == good
    seen = set()
    for bad in ("", "short", "x" * 65, "with space!", 'quote"12345', "line\\n1234", "<script>1", "é" * 10):
        made = client.get("/health/", headers={"X-Request-ID": bad})["X-Request-ID"]
        assert re.fullmatch("[0-9a-f]{32}", made), bad
        seen.add(made)
    assert len(seen) == 8


def test_the_id_is_on_error_pages_and_in_every_line_meanwhile(database: Database, cast: Cast) -> None:
    with captured("json") as read:
        answer = cast.bob.client.get("/a/inbox/99/", headers={"X-Request-ID": "trace-12345"})
        lines = [json.loads(line) for line in read().splitlines()]
    assert "trace-12345" in answer.content.decode()
    assert {line["request_id"] for line in lines} == {"trace-12345"}


def _seen(proxies: list[str], address: str, forwarded: str = "", proto: str = "") -> tuple[str, bool, set[str]]:
    """Return the address and the scheme that a view sees, and the forwarding headers that are left."""
    found: list[tuple[str, bool, set[str]]] = []

    def view(request: HttpRequest) -> HttpResponse:
        left = {name for name in request.META if name.startswith("HTTP_X_FORWARDED")}
        found.append((request.META["REMOTE_ADDR"], request.is_secure(), left))
        return HttpResponse()

    headers = {name: value for name, value in (("X-Forwarded-For", forwarded), ("X-Forwarded-Proto", proto)) if value}
    with override_settings(CONSULT_TRUSTED_PROXIES=proxies):
        http.TrustedProxies(view)(RequestFactory().get("/", headers=headers, REMOTE_ADDR=address))
    return found[0]


@pytest.mark.parametrize(
    ("proxies", "address", "forwarded", "proto", "seen", "secure"),
    [
        ([], "203.0.113.9", "198.51.100.1", "https", "203.0.113.9", False),
        (["10.0.0.0/8"], "203.0.113.9", "198.51.100.1", "https", "203.0.113.9", False),
        (["10.0.0.0/8"], "10.0.0.1", "198.51.100.1", "https", "198.51.100.1", True),
        (["10.0.0.0/8"], "10.0.0.1", "198.51.100.1", "http", "198.51.100.1", False),
        # What the visitor invented stands left of what the first proxy of ours saw.
        (["10.0.0.0/8"], "10.0.0.1", "1.2.3.4, 198.51.100.1, 10.0.0.2", "", "198.51.100.1", False),
        (["10.0.0.0/8"], "10.0.0.1", "10.0.0.3, 10.0.0.2", "", "10.0.0.3", False),
        (["10.0.0.0/8"], "10.0.0.1", "", "https", "10.0.0.1", True),
        (["::1/128"], "::1", "2001:db8::1", "https", "2001:db8::1", True),
    ],
)
def test_forwarded_headers(
    proxies: list[str], address: str, forwarded: str, proto: str, seen: str, secure: bool
) -> None:
    assert _seen(proxies, address, forwarded, proto) == (seen, secure, set())


def test_rubbish_is_no_address() -> None:
    """An address goes into rate limits and logs: only what is one may take the peer's place."""
    assert _seen(["10.0.0.0/8"], "10.0.0.1", "198.51.100.1, <script>")[0] == "10.0.0.1"
    assert _seen(["10.0.0.0/8"], "10.0.0.1", "198.51.100.1, unknown, 10.0.0.2")[0] == "10.0.0.2"
    # Granian's peer on a socket has no address at all.
    assert _seen(["10.0.0.0/8"], "", "198.51.100.1")[0] == ""
