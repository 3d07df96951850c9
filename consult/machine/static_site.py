"""A folder of static files over HTTP, for looking at a client's site on one's own machine."""

import functools
import http.server
import mimetypes
from http import HTTPStatus
from pathlib import Path

TYPES = {
    ".avif": "image/avif",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
    ".xml": "application/xml",
}


class Files(http.server.SimpleHTTPRequestHandler):
    """GET and HEAD below one folder. Folders are never listed; `404.html` answers for what is missing."""

    protocol_version = "HTTP/1.1"
    server_version = "consult"
    sys_version = ""
    timeout = 30
    extensions_map = mimetypes.types_map | TYPES

    def list_directory(self, path: object) -> None:
        """A folder without index.html is missing."""
        self.send_error(HTTPStatus.NOT_FOUND)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """The site's own page for what is missing, when it has one."""
        page = Path(self.directory) / "404.html"
        if code != HTTPStatus.NOT_FOUND or not page.is_file():
            super().send_error(code, message, explain)
            return
        body = page.read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", TYPES[".html"])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def end_headers(self) -> None:
        """A page that was built anew shows at the next look."""
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def log_message(self, format: str, *values: object) -> None:
        """One line a request is of no use here."""


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    # Listens again at once after it was killed.
    allow_reuse_address = True


def serve(folder: Path, host: str, port: int) -> None:
    """Serves `folder` until the process ends."""

    with Server((host, port), functools.partial(Files, directory=str(folder))) as server:
        server.serve_forever()
