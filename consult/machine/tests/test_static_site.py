"""The static server that shows a built site."""

import http.client
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from consult.machine import static_site

FILES = {
    "index.html": "<h1>Home</h1>",
    "404.html": "<h1>Not here</h1>",
    "thanks/index.html": "<h1>Thanks</h1>",
    "_astro/app.js": "export {}",
    "_astro/font.woff2": "font",
    "logo.svg": "<svg/>",
    "empty/deeper/file.txt": "text",
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[static_site.Server]:
    (tmp_path / "secret.txt").write_text("outside")
    for name, text in FILES.items():
        file = tmp_path / "dist" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    with static_site.Server(("127.0.0.1", 0), partial(static_site.Files, directory=str(tmp_path / "dist"))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def get(server: static_site.Server, path: str, method: str = "GET") -> tuple[int, str, str]:
    """(status, content type or place to go, body)."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=5)
    connection.request(method, path)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, answer.getheader("Location") or answer.getheader("Content-Type") or "", body


@pytest.mark.parametrize(
    ("path", "type", "body"),
    [
        ("/", "text/html; charset=utf-8", FILES["index.html"]),
        ("/thanks/?r=1", "text/html; charset=utf-8", FILES["thanks/index.html"]),
        ("/_astro/app.js", "text/javascript; charset=utf-8", FILES["_astro/app.js"]),
        ("/_astro/font.woff2", "font/woff2", FILES["_astro/font.woff2"]),
        ("/logo.svg", "image/svg+xml", FILES["logo.svg"]),
    ],
)
def test_files_come_with_their_type(server: static_site.Server, path: str, type: str, body: str) -> None:
    assert get(server, path) == (200, type, body)
    assert get(server, path, "HEAD") == (200, type, "")


@pytest.mark.parametrize("path", ["/nothing", "/empty/", "/empty/deeper/", "/../secret.txt", "/%2e%2e/secret.txt"])
def test_missing_files_folders_and_the_outside_are_not_here(server: static_site.Server, path: str) -> None:
    assert get(server, path) == (404, "text/html; charset=utf-8", FILES["404.html"])


def test_folder_without_slash_leads_to_the_folder(server: static_site.Server) -> None:
    assert get(server, "/thanks")[:2] == (301, "/thanks/")


def test_nothing_is_taken(server: static_site.Server) -> None:
    assert get(server, "/", "POST")[0] == 501
