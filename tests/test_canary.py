"""Canaries: a secret of its own is planted in every input, and none of them is found where it does not belong.

Looked at: the log in both formats, the answers' headers, error pages, problem documents, the headers of mails, the
audit, the edge's log and its /metrics. What somebody typed into a form may come back in that form, never elsewhere.
"""

import dataclasses
import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import structlog
from django.conf import settings
from django.core import mail
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import include, path

from conftest import Cast, Database, Enquiry
from consult.accounts import services as accounts
from consult.core import errors
from consult.core.tests.lines import captured
from edge.tests import program
from tests import worker

KINDS = ("passwords", "tokens", "cookies", "headers", "fields", "bodies", "addresses", "environment")


@dataclasses.dataclass
class Canaries:
    """Secrets by where they were planted."""

    planted: dict[str, str] = dataclasses.field(default_factory=dict)

    def plant(self, where: str, prefix: str = "") -> str:
        """Return a new secret that looks like one: 32 random characters, after the prefix of its kind."""
        assert where.partition(" ")[0] in KINDS, where
        value = f"{prefix}{secrets.token_hex(16)}"
        self.planted[f"{where} #{len(self.planted)}"] = value
        return value

    def found_in(self, text: str, *, but: tuple[str, ...] = ()) -> list[str]:
        """Return where each one was planted that the text holds."""
        return [where for where, value in self.planted.items() if value in text and not where.startswith(but or ("-",))]


@dataclasses.dataclass
class Seen:
    """Everything that came out, by kind."""

    texts: dict[str, list[str]] = dataclasses.field(default_factory=dict)

    def note(self, kind: str, text: str) -> None:
        self.texts.setdefault(kind, []).append(text)

    def answer(self, answer: Any) -> None:
        self.note("headers", "\n".join(f"{name}: {value}" for name, value in answer.headers.items()))
        if answer.status_code >= 400:
            problem = answer.get("Content-Type") == "application/problem+json"
            # The form itself, with what was typed, is an answer of 422.
            kind = "problem documents" if problem else "forms" if answer.status_code == 422 else "error pages"
            self.note(kind, answer.content.decode())
        elif answer.get("Content-Type", "").startswith("text/html"):
            self.note("forms", answer.content.decode())


def leaks(canaries: Canaries, seen: Seen) -> list[str]:
    """Return "where it came out: where it was planted" for each canary that got out."""
    found = []
    for kind, texts in seen.texts.items():
        # A password, a token or a cookie has no business on any page; a note may stand in its form.
        mine: tuple[str, ...] = ("fields", "addresses") if kind == "forms" else ()
        if kind == "headers":
            # Where somebody came from is where they are led back to.
            mine = ("addresses",)
        found += [f"{kind}: {where}" for text in texts for where in canaries.found_in(text, but=mine)]
    return sorted(set(found))


def _raising(request: HttpRequest, secret: str) -> HttpResponse:
    password, url = request.POST.get("password", ""), f"postgresql://consult_app:{secret}@db/consult"
    raise RuntimeError(f"cannot reach {url} with password={password!r} and token={secret}")


handler400, handler403 = errors.bad_request, errors.permission_denied
handler404, handler500 = errors.not_found, errors.server_error
urlpatterns = [path("canary/<str:secret>/", _raising), path("", include("consult.urls"))]


def walk(cast: Cast, canaries: Canaries, seen: Seen) -> None:
    """Plant one in every input of the office, as somebody who is signed in and as somebody who is not."""
    plant = canaries.plant
    for signed_in in (False, True):
        client = Client(raise_request_exception=False)
        if signed_in:
            client.cookies = cast.alice.client.cookies.__class__(cast.alice.client.cookies)
        client.cookies["preferences"] = plant("cookies other")
        if not signed_in:
            client.cookies[settings.SESSION_COOKIE_NAME] = plant("cookies session")
            client.cookies[settings.CSRF_COOKIE_NAME] = plant("cookies csrf")
        for accept in ("text/html", "application/json"):
            headers = {
                "Accept": accept,
                "Authorization": f"Bearer {plant('tokens bearer', 'cst_')}",
                "X-Api-Key": plant("headers key"),
                "X-CSRFToken": plant("headers csrf"),
                "X-Request-ID": plant("headers request id") + " spaced",
                "Referer": f"https://office.example/?token={plant('headers referer')}",
                "User-Agent": plant("headers agent"),
                "Accept-Language": plant("headers language"),
                "X-Forwarded-For": plant("headers forwarded"),
                "Cookie2": plant("headers cookie"),
            }

            def get(where: str, headers: dict[str, str] = headers, client: Client = client) -> None:
                seen.answer(client.get(where, headers=headers))

            def post(
                where: str, data: Any, headers: dict[str, str] = headers, client: Client = client, **how: Any
            ) -> None:
                seen.answer(client.post(where, data, headers=headers, **how))

            get(f"/accounts/sign-in/{plant('tokens link')}/")
            get(f"/accounts/password/reset/key/1-{plant('tokens reset')}/")
            get(f"/accounts/confirm-email/{plant('tokens confirm')}/")
            get(f"/a/inbox/?q={plant('addresses search')}&token={plant('addresses token')}")
            get(f"/no/such/{plant('tokens path')}/?password={plant('passwords query')}")
            get(f"/a/settings/audit/?who={plant('addresses filter')}")
            get(f"/canary/{plant('tokens in an exception')}/")
            post(f"/canary/{plant('tokens in an exception')}/", {"password": plant("passwords in an exception")})
            post("/accounts/login/", {"login": cast.vera.email, "password": plant("passwords wrong")})
            post("/accounts/login/", {"login": f"{plant('fields login')}@x.example", "password": plant("passwords")})
            post("/accounts/signup/", {"email": cast.vera.email, "password1": plant("passwords signup")})
            post("/accounts/password/reset/", {"email": cast.vera.email, "token": plant("tokens field")})
            post("/a/inbox/1/notes/", {"body": plant("fields note"), "password": plant("passwords stray")})
            post("/a/inbox/1/notes/", {"body": "", "csrfmiddlewaretoken": plant("tokens csrf")})
            post("/a/inbox/1/assign/", {"member": plant("fields member")})
            post("/a/sites/new/", {"name": plant("fields site"), "url": f"https://{plant('fields url')}.example"})
            post("/a/sites/new/", {"name": "", "url": plant("fields bad url")})
            body = json.dumps({"password": plant("bodies json"), "token": plant("bodies token")})
            post("/a/inbox/1/notes/", body, content_type="application/json")
            post("/a/inbox/1/close/", f"\x00{plant('bodies broken')}", content_type="multipart/form-data; boundary=x")
            post("/a/inbox/1/close/", {"token": plant("bodies too large")}, CONTENT_LENGTH=str(2**40))


@contextmanager
def environment(canaries: Canaries) -> Iterator[None]:
    """Settings as the environment's secrets make them."""
    with override_settings(
        SECRET_KEY=canaries.plant("environment SECRET_KEY"),
        SECRET_KEY_FALLBACKS=[settings.SECRET_KEY, canaries.plant("environment SECRET_KEY_FALLBACKS")],
        EMAIL_HOST_PASSWORD=canaries.plant("environment EMAIL_URL"),
        ROOT_URLCONF=__name__,
    ):
        yield


def everything(database: Database, cast: Cast, canaries: Canaries) -> Seen:
    """Walk with the log in both formats, do the jobs, and gather whatever came out."""
    seen = Seen()
    for format in ("json", "console"):
        with captured(format) as read, environment(canaries):
            walk(cast, canaries, seen)
            database.submit(
                cast.key_a,
                ("name", canaries.plant("fields name") + "\r\nBcc: all@evil.example"),
                ("email", f"{canaries.plant('fields sender')}@visitor.example"),
                ("subject", f"{canaries.plant('fields subject')}\r\nX-Evil: 1"),
                ("password", canaries.plant("passwords of a visitor")),
                ("message", canaries.plant("fields message")),
            )
            worker.run_jobs(database)
            seen.note(f"log ({format})", read())
    for action, data in database.ask("SELECT action, data::text FROM accounts_audit"):
        # What a form is called is what it is called; what was typed beside it is not there.
        seen.note("audit", f"{action} {data}")
    for message in mail.outbox:
        raw = message.message()
        assert "X-Evil" not in raw
        assert "Bcc" not in raw
        # To whom and what about are a mail's own business.
        seen.note(
            "mails", "\n".join(f"{k}: {v}" for k, v in raw.items() if k not in ("Subject", "Reply-To", "To", "From"))
        )
    return seen


def test_no_canary_gets_out(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    canaries = Canaries()
    seen = everything(database, cast, canaries)
    assert {where.partition(" ")[0] for where in canaries.planted} == set(KINDS)
    assert set(seen.texts) >= {"log (json)", "log (console)", "headers", "error pages", "problem documents", "audit"}
    assert len(seen.texts["log (json)"][0].splitlines()) > 40
    assert "cannot reach postgresql://" in seen.texts["log (json)"][0], "the exception itself is told"
    found = leaks(canaries, seen)
    assert found == [], "\n".join(found)


def _log_it(request: HttpRequest) -> None:
    structlog.get_logger("leaky").info("signing in", given=str(request.POST.get("body", "")))


def _tell_it(request: HttpRequest) -> HttpResponse:
    return errors.problem(400, detail=f"{request.headers.get('User-Agent')} may not")


def _record_it(request: HttpRequest, cast: Cast) -> None:
    accounts.record("inbox.add_note", agency_id=cast.a, data={"text": request.POST.get("body", "")})


@pytest.mark.parametrize(
    ("how", "out", "planted"),
    [
        ("log", "log (json)", "fields note"),
        ("problem", "problem documents", "headers agent"),
        ("audit", "audit", "fields note"),
    ],
)
def test_a_line_that_leaks_is_found(
    how: str, out: str, planted: str, database: Database, cast: Cast, enquiry: Enquiry, monkeypatch: pytest.MonkeyPatch
) -> None:
    from consult.inbox.views import actions as views

    before: Callable[..., HttpResponse] = views.add_note

    def leaky(request: HttpRequest, number: int) -> HttpResponse:
        if how == "log":
            _log_it(request)
        if how == "audit":
            _record_it(request, cast)
        return _tell_it(request) if how == "problem" else before(request, number)

    from consult.inbox import urls

    [route] = [each for each in urls.urlpatterns if each.name == "add_note"]
    monkeypatch.setattr(route, "callback", leaky)
    canaries = Canaries()
    found = leaks(canaries, everything(database, cast, canaries))
    assert any(line.startswith(f"{out}: {planted}") for line in found), found


def test_no_canary_gets_out_of_the_edge(database: Database, cast: Cast) -> None:
    canaries = Canaries()
    plant = canaries.plant
    for format in ("json", "console"):
        with program.running(database.urls["consult_edge"], CONSULT_LOG_FORMAT=format) as edge:
            said: list[str] = []
            with httpx.Client(base_url=edge.url, timeout=30) as client:
                headers = {
                    "authorization": f"Bearer {plant('tokens bearer')}",
                    "cookie": f"session={plant('cookies session')}",
                    "user-agent": plant("headers agent"),
                    "referer": f"https://a.example/?token={plant('headers referer')}",
                    "idempotency-key": plant("headers key"),
                }
                fields = {"name": plant("fields name"), "email": "a@b.example", "password": plant("passwords field")}
                stored = client.post(f"/f/{cast.key_a}", json=fields | {"message": "x"}, headers=headers)
                assert stored.status_code == 201
                answers = [
                    stored,
                    client.post(f"/f/{plant('tokens form')}", json=fields, headers=headers),
                    client.post(f"/f/{cast.key_a}", content=plant("bodies broken"), headers=headers),
                    client.post(f"/f/{cast.key_a}", content=b"{" + plant("bodies json").encode(), headers=headers),
                    client.get("/live", params={"token": plant("tokens live")}, headers=headers),
                    client.get(f"/{plant('addresses path')}", headers=headers),
                    client.get(f"/f/{cast.key_a}/thanks", params={"receipt": plant("addresses receipt")}),
                ]
                said += [f"{answer.headers}\n{answer.text}" for answer in answers]
                said.append(client.get("/metrics").text)
            edge.stop()
            said.append("".join(edge.raw))
            found = {where for text in said for where in canaries.found_in(text)}
            assert found == set(), format
            assert "consult_edge:" not in said[-1], "the database's password"
