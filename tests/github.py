"""A GitHub for tests: its sign-in pages, token endpoint and API, really served, and as strict as GitHub is.

The authorize page asks the person who they are by a button for each of `people`; the token endpoint checks the client's
secret, the address to return to, the code (once, of this client) and the PKCE verifier (S256).
"""

import base64
import contextlib
import dataclasses
import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

CLIENT_ID = "test-client"
CLIENT_SECRET = "test-client-secret-never-shown"


@dataclasses.dataclass
class Person:
    """Somebody with a GitHub account; `emails` are (address, primary, verified)."""

    id: int
    login: str
    name: str
    emails: list[tuple[str, bool, bool]]
    # What /user shows to everybody; it says nothing about being verified.
    public_email: str | None = None

    @property
    def profile(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "login": self.login,
            "name": self.name,
            "email": self.public_email,
            "avatar_url": f"https://avatars.example/u/{self.id}",
            "html_url": f"https://github.example/{self.login}",
            "plan": {"name": "secret plan"},
        }


@dataclasses.dataclass
class Grant:
    person: Person
    redirect_uri: str
    challenge: str
    scope: str


class GitHub:
    """One GitHub with its people.

    `asked` are the queries of its authorize page, `refused` says why it did not give a token.
    """

    def __init__(self) -> None:
        self.people: dict[str, Person] = {}
        self.codes: dict[str, Grant] = {}
        self.tokens: dict[str, Grant] = {}
        self.asked: list[dict[str, str]] = []
        self.refused: list[str] = []
        # What the API answers instead, for a GitHub that is ill: (status, body).
        self.ill: tuple[int, bytes] | None = None
        self.url = ""
        # GitHub keeps two at once while one takes over.
        self.client_secrets = [CLIENT_SECRET]

    def add(self, id: int, login: str, *emails: tuple[str, bool, bool], public_email: str | None = None) -> Person:
        person = self.people[login] = Person(id, login, login.title(), list(emails), public_email)
        return person

    def authorize(self, address: str, login: str) -> str:
        """As if this person agreed on the page at `address`; return where GitHub then leads."""
        query = dict(parse_qsl(urlsplit(address).query))
        self.asked.append(query)
        assert query["client_id"] == CLIENT_ID
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        code = secrets.token_hex(10)
        self.codes[code] = Grant(self.people[login], query["redirect_uri"], query["code_challenge"], query["scope"])
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, form: dict[str, str]) -> dict[str, str]:
        grant = self.codes.pop(form.get("code", ""), None)
        verifier = form.get("code_verifier", "").encode()
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier).digest()).rstrip(b"=").decode()
        known = any(hmac.compare_digest(form.get("client_secret", ""), secret) for secret in self.client_secrets)
        if form.get("client_id") != CLIENT_ID or not known:
            return self._refuse("incorrect_client_credentials")
        if grant is None:
            return self._refuse("bad_verification_code")
        if form.get("redirect_uri") != grant.redirect_uri:
            return self._refuse("redirect_uri_mismatch")
        if digest != grant.challenge:
            return self._refuse("bad_verifier")
        token = f"gho_{secrets.token_hex(18)}"
        self.tokens[token] = grant
        return {"access_token": token, "scope": grant.scope, "token_type": "bearer"}

    def _refuse(self, why: str) -> dict[str, str]:
        self.refused.append(why)
        return {"error": why}

    def api(self, path: str, authorization: str) -> tuple[int, bytes]:
        if self.ill:
            return self.ill
        grant = self.tokens.get(authorization.rpartition(" ")[2])
        if grant is None:
            return 401, b'{"message": "Bad credentials"}'
        if path == "/user":
            return 200, json.dumps(grant.person.profile).encode()
        if path == "/user/emails" and "user:email" in grant.scope:
            emails = [{"email": e, "primary": p, "verified": v} for e, p, v in grant.person.emails]
            return 200, json.dumps(emails).encode()
        return 404, b'{"message": "Not Found"}'


def _handler(github: GitHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/login/oauth/authorize":
                self._page(parts.query)
            else:
                status, body = github.api(parts.path, self.headers.get("Authorization", ""))
                self._answer(status, body, "application/json")

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            form = {name: values[0] for name, values in parse_qs(raw).items()}
            if self.path == "/login/oauth/access_token":
                # As GitHub does when it is not asked for JSON.
                body = urlencode(github.token(form)).encode()
                self._answer(200, body, "application/x-www-form-urlencoded; charset=utf-8")
            elif self.path.startswith("/login/oauth/authorize"):
                self.send_response(302)
                self.send_header("Location", github.authorize(self.path, form["login"]))
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                self._answer(404, b"{}", "application/json")

        def _page(self, query: str) -> None:
            buttons = "".join(f'<button name="login" value="{login}">{login}</button>' for login in github.people)
            page = f'<!doctype html><title>Sign in</title><form method="post" action="?{query.replace("&", "&amp;")}">'
            self._answer(200, f"{page}{buttons}</form>".encode(), "text/html; charset=utf-8")

        def _answer(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    return Handler


@contextlib.contextmanager
def serving() -> Iterator[GitHub]:
    """A GitHub on a free port of this machine; `url` says which."""
    github = GitHub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(github))
    github.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield github
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
