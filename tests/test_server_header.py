"""What really runs does not say which server program it is: an embedded server adds that where no test client looks."""

import socket
from urllib.parse import urlsplit

import httpx
import pytest

from tests.conftest import Running

OFFICE = ("/", "/accounts/login/", "/no/such/", "/health/", "/ready/", "/api/v1/me", "/static/consult/no.css", "/demo/")
EDGE = ("/health/", "/ready/", "/metrics", "/no/such", "/live", "/f/frm_none")
PROGRAMS = ("granian", "hyper", "python", "django", "gunicorn", "uvicorn")


@pytest.mark.parametrize(("program", "paths"), [("office", OFFICE), ("edge", EDGE)])
def test_no_answer_names_its_server(program: str, paths: tuple[str, ...], running: Running) -> None:
    with httpx.Client(base_url=running.facts[program]) as client:
        for path in paths:
            for method, headers in (("GET", {}), ("POST", {}), ("OPTIONS", {}), ("GET", {"Host": "evil.example"})):
                answer = client.request(method, path, headers=headers)
                said = answer.headers.get_list("server")
                assert said == ["consult"], (method, path, answer.status_code, said)
                assert not any(name in str(answer.headers).lower() for name in PROGRAMS), answer.headers


@pytest.mark.parametrize("program", ["office", "edge"])
@pytest.mark.parametrize(
    "sent", [b"GET / HTTP/1.1\r\nbad header\r\n\r\n", b"\x16\x03\x01 nonsense\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"]
)
def test_nor_does_what_the_server_answers_by_itself(program: str, sent: bytes, running: Running) -> None:
    address = urlsplit(running.facts[program])
    with socket.create_connection((str(address.hostname), address.port or 0), timeout=10) as direct:
        direct.sendall(sent)
        said = b"".join(iter(lambda: direct.recv(65_536), b"")).lower()
    assert said.startswith(b"http/1.1 400"), said
    assert not any(name.encode() in said for name in PROGRAMS), said
