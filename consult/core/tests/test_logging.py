"""No way of logging lets a secret out, in neither format."""

import json
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any
from wsgiref.util import setup_testing_defaults

import jwt
import pytest
import structlog
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.exceptions import SuspiciousOperation
from django.core.handlers.wsgi import WSGIHandler
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import include, path

from conftest import Cast
from consult.core import logging as consult_logging
from consult.core.tests.lines import Read, captured

SECRET = "Zx9-hunter2-Qw7"


@pytest.fixture(params=["json", "console"])
def written(request: pytest.FixtureRequest) -> Iterator[Read]:
    with captured(request.param) as read:
        yield read


def log() -> Any:
    return structlog.get_logger("consult.test")


class Odd:
    """Something whose text is a secret."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__


NAMED = [
    "password",
    "passwd",
    "passphrase",
    "new_password1",
    "secret",
    "SECRET_KEY",
    "client_secret",
    "token",
    "access_token",
    "refreshToken",
    "cookie",
    "Set-Cookie",
    "Authorization",
    "HTTP_AUTHORIZATION",
    "api_key",
    "apikey",
    "X-Api-Key",
    "private_key",
    "CONSULT_ENCRYPTION_KEYS",
    "dsn",
    "DATABASE_URL",
    "EDGE_DATABASE_URL",
    "EMAIL_URL",
    "REDIS_URL",
    "sessionid",
    "session_key",
    "csrfmiddlewaretoken",
    "csrftoken",
    "credentials",
    "signature",
]
TEXTS = {
    "dsn": f"postgresql://consult_app:{SECRET}@db.example:5432/consult",
    "dsn with an @": f"postgresql://consult_app:p@{SECRET}@db.example/consult",
    "dsn of redis": f"rediss://:{SECRET}@cache.example:6379/0",
    "dsn by keyword": f"host=db user=consult_app password={SECRET} dbname=consult",
    "dsn by keyword, quoted": f"host=db password='two words {SECRET}' dbname=consult",
    "dsn with a parameter": f"postgresql://db.example/consult?user=me&password={SECRET}",
    "url query": f"GET https://office.example/x?a=1&token={SECRET}&b=2",
    "url query key": f"GET /x?api_key={SECRET}",
    "bearer": f"Authorization: Bearer {SECRET}",
    "bearer alone": f"sent bearer {SECRET}",
    "basic": f"authorization: Basic {SECRET}",
    "other scheme": f"Authorization: Signature keyId=1,sig={SECRET}",
    "cookie": f"Cookie: theme=dark; __Host-session={SECRET}; other=1",
    "cookie of the session alone": f"__Host-session={SECRET}; Path=/",
    "set cookie": f"Set-Cookie: sessionid={SECRET}; HttpOnly",
    "csrf": f"csrfmiddlewaretoken={SECRET}&name=x",
    "json": json.dumps({"user": "ann", "password": f"two words {SECRET}"}),
    "json header": json.dumps({"Authorization": f"Token {SECRET}"}),
    "python": str({"password": f"a '{SECRET}", "name": "x"}),
    "assignment": f"SECRET_KEY={SECRET}",
    "assignment, several": f"CONSULT_ENCRYPTION_KEYS={SECRET},{SECRET}",
    "assignment, prefixed": f"GITHUB_CLIENT_SECRET_2 = {SECRET}",
    "github": f"pushed with ghp_{'a1' * 10}{SECRET}",
    "sign-in link": f"GET /accounts/sign-in/{SECRET}/",
    "invitation": f"GET /accounts/invitations/{SECRET}/",
    "invitation in a mail": f"https://office.example/accounts/invitations/{SECRET}/?next=1",
    "row that PostgreSQL quotes": f"duplicate key\nDETAIL:  Key (email)=({SECRET}\n\n{SECRET}) already exists.",
    "values that PostgreSQL quotes": f"bad input\nCONTEXT:  unnamed portal parameter $1 = '{SECRET}'",
    "password reset": f"https://office.example/accounts/password/reset/key/1-{SECRET}/",
}
WAYS: dict[str, Callable[[str], Any]] = {
    "message": lambda text: log().info(text),
    "value": lambda text: log().warning("happened", what=text),
    "nested": lambda text: log().error("happened", a={"b": [{"c": (text,)}]}),
    "odd object": lambda text: log().info("happened", what=Odd(text)),
    "bytes": lambda text: log().info("happened", what=text.encode()),
    "exception": lambda text: _raised(text),
    "bound": lambda text: log().bind(what=text).info("happened"),
    "context": lambda text: _in_context(text),
    "stdlib message": lambda text: logging.getLogger("library").warning(text),
    "stdlib argument": lambda text: logging.getLogger("library").error("failed: %s (%d)", text, 7),
    "stdlib named argument": lambda text: logging.getLogger("library").error("failed: %(x)s", {"x": text}),
    "stdlib extra": lambda text: logging.getLogger("library").error("failed", extra={"what": {"deep": text}}),
    "stdlib exception": lambda text: _raised(text, stdlib=True),
    "stdlib stack": lambda text: logging.getLogger("library").error(text, stack_info=True),
    "django": lambda text: logging.getLogger("django.security.SuspiciousOperation").error(f"bad: {text}"),
    "django's other": lambda text: logging.getLogger("django.security").error(
        "bad: %s", text, extra={"status_code": 400}
    ),
}


def _raised(text: str, *, stdlib: bool = False) -> None:
    password = text  # A local variable of the frame, which some renderers show.
    try:
        try:
            raise ValueError(password)
        except ValueError as error:
            raise RuntimeError(f"again: {text}") from error
    except RuntimeError:
        if stdlib:
            logging.getLogger("library").exception("failed")
        else:
            log().exception("failed")


def _in_context(text: str) -> None:
    with structlog.contextvars.bound_contextvars(what=text):
        log().info("happened")


def test_values_with_telling_names(written: Read) -> None:
    for name in NAMED:
        for way in (
            lambda name: log().info("happened", **{name: SECRET}),
            lambda name: log().info("happened", headers={"inner": [{name: [SECRET, "more"]}]}),
            lambda name: logging.getLogger("library").error("failed", extra={name: SECRET}),
        ):
            way(name)
            line = written()
            assert consult_logging.HIDDEN in line, (name, line)
            assert SECRET not in line, (name, line)


def test_secrets_inside_texts(written: Read) -> None:
    leaks = []
    for shape, text in TEXTS.items():
        for name, way in WAYS.items():
            way(text)
            line = written()
            assert line, (shape, name)
            if SECRET in line:
                leaks.append((shape, name, line))
    assert leaks == []


def test_keys_and_tokens_by_their_shape(written: Read) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    fernet = Fernet.generate_key().decode()
    token = jwt.encode({"sub": "x"}, private, algorithm="ES256")
    for secret in (pem.splitlines()[1], fernet, token, Fernet(fernet).encrypt(b"x").decode()):
        text = pem if secret in pem else f"it was {secret}, sorry"
        for name, way in WAYS.items():
            way(text)
            assert secret not in written(), name


def test_what_is_no_secret_stays_readable(written: Read) -> None:
    log().info("stored", count=3, ok=True, share=0.5, nothing=None, route="/<slug:agency>/inbox/", keys=["a"])
    logging.getLogger("library").warning("took %d ms for %s", 7, "the token bucket, the session and the cookie jar")
    text = written()
    assert consult_logging.HIDDEN not in text
    for part in ("stored", "/<slug:agency>/inbox/", "took 7 ms for the token bucket, the session and the cookie jar"):
        assert part in text


def test_json_lines_are_whole() -> None:
    with captured("json") as read:
        log().info("one\ntwo", id=7, what={"a": [1, "b"]})
        logging.getLogger("library").error("failed %s", "here", extra={"more": 1})
        _raised("plain")
        lines = [json.loads(line) for line in read().splitlines()]
    assert [line["event"] for line in lines] == ["one\ntwo", "failed here", "failed"]
    assert all({"level", "logger", "timestamp"} <= set(line) for line in lines)
    assert lines[0]["what"] == {"a": [1, "b"]}
    assert lines[1]["more"] == 1
    assert "ValueError: plain" in lines[2]["exception"]
    assert "RuntimeError: again: plain" in lines[2]["exception"]


def test_hiding_ends_on_whatever_it_is_given() -> None:
    for odd in (object(), {1, 2}, Odd("x" * 5), type, sys, b"\xff\xfe", float("nan"), {"a": {"b": {"c": None}}}):
        consult_logging.hide(odd)
    # Long lines must not take long: the shapes have no nested repetition.
    assert consult_logging.hide("a" * 200_000) == "a" * 200_000
    assert consult_logging.hide("://" * 50_000) == "://" * 50_000


def _suspicious(request: HttpRequest, secret: str) -> HttpResponse:
    raise SuspiciousOperation(f"{request.GET} in {secret} is odd")


def _broken(request: HttpRequest, secret: str) -> HttpResponse:
    raise IntegrityError(f"violates a constraint\nDETAIL:  Failing row contains (1, {request.GET['q']}).")


urlpatterns = [
    path("suspicious/<str:secret>/", _suspicious),
    path("broken/<str:secret>/", _broken),
    path("", include("consult.urls")),
]


def ask(method: str, address: str, **environ: str) -> int:
    """Ask the office as a server does, with its whole stack and no test client's leniency; return the status."""
    path_info, _, query = address.partition("?")
    given = {"REQUEST_METHOD": method, "PATH_INFO": path_info, "QUERY_STRING": query, "HTTP_HOST": "testserver"}
    given |= {"REMOTE_ADDR": "203.0.113.9", "CONTENT_LENGTH": "0", **environ}
    setup_testing_defaults(given)
    answered: list[str] = []
    body = WSGIHandler()(given, lambda status, headers: answered.append(status))  # type: ignore[arg-type]
    b"".join(body)
    body.close()
    return int(answered[0].split()[0])


# What is asked; the answer; what the log tells of it besides the request's own line.
ASKED: dict[str, tuple[str, str, dict[str, str], int, str]] = {
    "wrong host": (
        "GET",
        f"/accounts/github/login/callback/?code={SECRET}&state={SECRET}",
        {"HTTP_HOST": f"{SECRET}.example".lower()},
        400,
        "Refused: DisallowedHost at request.py:",
    ),
    "odd host": ("GET", f"/a/inbox/?q={SECRET}", {"HTTP_HOST": f"{SECRET}_{{}}"}, 400, "Refused: DisallowedHost at"),
    "form without a mark": ("POST", f"/a/inbox/?q={SECRET}", {}, 403, "Forbidden (CSRF cookie not set.)"),
    "form without a mark, one-time secret": ("POST", f"/a/inbox/new/{SECRET}/?q={SECRET}", {}, 404, ""),
    "form with half a mark": (
        "POST",
        f"/accounts/login/?next={SECRET}",
        {"HTTP_COOKIE": f"csrftoken={'a' * 32}", "HTTP_X_CSRFTOKEN": SECRET},
        403,
        "Forbidden (has incorrect length)",
    ),
    "form without a mark, to a link": ("POST", f"/accounts/invitations/{SECRET}/", {}, 403, "Forbidden ("),
    "form from elsewhere": (
        "POST",
        f"/accounts/login/?next={SECRET}",
        {"HTTP_ORIGIN": f"https://{SECRET}.example"},
        403,
        "Forbidden (Origin checking failed)",
    ),
    "form from an address elsewhere": (
        "POST",
        f"/accounts/login/?next={SECRET}",
        {"HTTP_REFERER": f"https://evil.example/{SECRET}", "wsgi.url_scheme": "https"},
        403,
        "Forbidden (Referer checking failed)",
    ),
    "authorization": ("GET", f"/oauth/authorize?state={SECRET}&code_challenge={SECRET}", {}, 400, ""),
    "authorization, posted": ("POST", f"/oauth/authorize?state={SECRET}", {}, 403, "Forbidden (CSRF cookie not set.)"),
    "too long to be led back to": (
        "GET",
        f"/a/inbox/?{'&'.join(f'q={SECRET}' for _ in range(1200))}",
        {},
        400,
        "Refused: DisallowedRedirect at",
    ),
    "something suspicious": ("GET", f"/suspicious/{SECRET}/?q={SECRET}", {}, 400, "Refused: SuspiciousOperation at"),
    "a constraint": ("GET", f"/broken/{SECRET}/?q={SECRET}", {}, 500, "violates a constraint"),
    "nothing there": ("GET", f"/no/such/{SECRET}/?q={SECRET}", {}, 404, ""),
}


@pytest.mark.parametrize("case", ASKED)
def test_no_line_carries_what_was_asked(case: str, written: Read, cast: Cast) -> None:
    method, address, environ, status, told = ASKED[case]
    with override_settings(ROOT_URLCONF=__name__):
        assert ask(method, address, **environ) == status
    text = written()
    assert SECRET.lower() not in text.lower()
    assert "?" not in text
    assert told in text, text
    assert f"{status}" in text, "the request's own line"


def test_a_request_is_told_by_its_route(written: Read) -> None:
    request = HttpRequest()
    request.method, request.path = "GET", f"/{SECRET}/"
    log().info("happened", request=request)
    logging.getLogger("library").error("failed: %s", "so", extra={"request": request})
    text = written()
    assert SECRET not in text
    assert text.count("GET (no route)") == 2
