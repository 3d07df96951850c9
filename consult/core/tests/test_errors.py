"""Errors: a page in the product's look for people, an RFC 9457 document for programs, never a word too many."""

import json
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.urls import include, path

from conftest import Cast
from consult.core import errors

PAGES = {
    400: "This request could not be understood",
    403: "You may not do this here",
    404: "There is nothing here",
    429: "That was too often",
    500: "Something broke on our side",
    503: "The office is away for a moment",
}
SECRET = "postgresql://u:hunter2@db/consult"


def raising(error: Exception) -> Any:
    def view(request: HttpRequest) -> HttpResponse:
        raise error

    return view


# A URLconf of its own, below the product's handlers: this module.
handler400, handler403 = errors.bad_request, errors.permission_denied
handler404, handler500 = errors.not_found, errors.server_error
urlpatterns = [
    path("bad/", raising(BadRequest("No such member."))),
    path("suspicious/", raising(SuspiciousOperation(SECRET))),
    path("denied/", raising(PermissionDenied("Viewers read."))),
    path("missing/", raising(Http404(SECRET))),
    path("broken/", raising(RuntimeError(SECRET))),
    path("", include("consult.urls")),
]


def test_pages_need_neither_request_nor_database() -> None:
    """The database is blocked in this test; the request is as bare as one can be."""
    for status, heading in PAGES.items():
        page = errors.answer(RequestFactory().get("/"), status)
        text = page.content.decode()
        assert page.status_code == status
        assert heading in text
        assert '<html lang="en"' in text
        assert "consult/app.css" in text
        assert "Reference for whoever" not in text
    assert "This page was open for too long" in errors.csrf_failure(RequestFactory().get("/")).content.decode()


def test_what_is_said_is_escaped() -> None:
    request = RequestFactory().get("/")
    request.request_id = "<script>"  # type: ignore[attr-defined]
    page = errors.answer(request, 403, detail="<b>no</b>").content.decode()
    assert "<script>" not in page.replace("<script ", "")
    assert "&lt;b&gt;no&lt;/b&gt;" in page


def test_problems_follow_rfc_9457() -> None:
    for status in errors.CODES:
        request = RequestFactory().get("/", headers={"Accept": "application/json"})
        request.request_id = "trace-12345"  # type: ignore[attr-defined]
        told = errors.answer(request, status)
        assert (told.status_code, told["Content-Type"]) == (status, "application/problem+json")
        document = json.loads(told.content)
        assert document["status"] == status
        assert document["type"] == f"urn:consult:problem:{document['code']}"
        assert document["title"]
        assert document["request_id"] == "trace-12345"
        assert "detail" not in document
    document = json.loads(errors.problem(409, code="busy", detail="Later.", retry_seconds=5).content)
    assert document == {
        "type": "urn:consult:problem:busy",
        "title": "Conflict",
        "status": 409,
        "code": "busy",
        "detail": "Later.",
        "retry_seconds": 5,
    }
    assert json.loads(errors.problem(418).content)["code"] == "error"


@pytest.mark.parametrize(
    ("accept", "json_wanted"),
    [
        ("", False),
        ("*/*", False),
        ("text/html,application/xhtml+xml,*/*;q=0.8", False),
        ("application/json", True),
        ("application/problem+json", True),
        ("application/json, text/html;q=0.5", True),
        ("text/html, application/json;q=0.5", False),
        ("image/png", False),
    ],
)
def test_who_gets_which(accept: str, json_wanted: bool) -> None:
    headers = {"Accept": accept} if accept else {}
    assert errors.wants_json(RequestFactory().get("/", headers=headers)) is json_wanted


@override_settings(ROOT_URLCONF=__name__)
def test_what_views_raise() -> None:
    client = Client(raise_request_exception=False)
    for address, status, detail in (
        ("/bad/", 400, "No such member."),
        ("/suspicious/", 400, ""),
        ("/denied/", 403, "Viewers read."),
        ("/missing/", 404, ""),
        ("/broken/", 500, ""),
        ("/no/such/page/", 404, ""),
    ):
        page = client.get(address)
        assert page.status_code == status, address
        assert PAGES[status] in page.content.decode()
        assert detail in page.content.decode()
        assert "hunter2" not in page.content.decode()
        assert page["X-Request-ID"] in page.content.decode()
        told = client.get(address, headers={"Accept": "application/json"})
        assert told.status_code == status
        assert told["Content-Type"] == "application/problem+json"
        assert told.json().get("detail", "") == detail
        assert "hunter2" not in told.content.decode()


def test_a_form_without_its_mark_is_refused(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies = cast.bob.client.cookies
    answer = client.post("/a/inbox/1/close/")
    assert answer.status_code == 403
    assert "This page was open for too long" in answer.content.decode()
    told = client.post("/a/inbox/1/close/", headers={"Accept": "application/json"})
    assert told.json()["code"] == "csrf"


def test_a_host_that_is_not_ours() -> None:
    page = Client().get("/", headers={"Host": "evil.example"})
    assert page.status_code == 400
    assert "evil.example" not in page.content.decode()
    assert "evil.example" not in settings.ALLOWED_HOSTS


def test_every_page_forbids_what_it_does_not_need(cast: Cast) -> None:
    for client, address in ((Client(), "/"), (Client(), "/no/such/"), (cast.bob.client, "/a/inbox/")):
        answer = client.get(address)
        policy = answer["Content-Security-Policy"]
        for part in (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "object-src 'none'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ):
            assert part in policy
        assert "unsafe" not in policy
        assert "connect-src 'self' http://edge.test" in policy
        assert answer["X-Frame-Options"] == "DENY"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Referrer-Policy"] == "same-origin"
        # No script or style inside a page, which the policy would stop.
        text = answer.content.decode()
        assert "<style" not in text
        assert " onclick" not in text
        assert " style=" not in text


def test_who_posts_to_a_page_that_takes_nothing_is_told_that(cast: Cast) -> None:
    """405 and not 403: a program has no token of a form, and needs none to learn that it is wrong here."""
    program = Client(enforce_csrf_checks=True)
    for address in ("/api/docs", "/api/openapi.json"):
        answer = program.post(address)
        assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD"), address
