"""Every route of the office × everybody: headers, cookies, CSRF, where it may lead, how errors look (ADR 036).

The rules stand in tests/baseline.py. A new page is walked as soon as it has an address; the canaries below show that
one which breaks a rule makes this fail.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.test import Client, override_settings
from django.urls import get_resolver, include, path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from conftest import PASSWORD, Cast, Enquiry
from consult.accounts import models, services
from consult.core import errors
from tests import baseline
from tests.test_route_matrix import path as matrix_path

# No session is asked for there, so that nobody's can be misused: each with its reason.
WITHOUT_TOKEN = {
    "health/": "answered before anything else, and does nothing",
    "ready/": "answered before anything else, and does nothing",
    "oauth/token": "programs ask there; no cookie counts, only the code or refresh token that is sent",
    "oauth/revoke": "programs ask there; no cookie counts, only the token that is sent",
    "hooks/mail/<str:hook_id>": "mail servers deliver there; no cookie counts, only the signature",
}
# Nor by the API, which looks at no cookie: whoever has a session is nobody there.
BY_BEARER = re.compile(r"\^?api\b")
# What a route does otherwise, and why: the beginnings of what the rules say of it.
OTHERWISE = {
    # Public keys and addresses: the same for everybody, and asked for often.
    ".well-known/jwks.json": ("Cache-Control: public",),
    ".well-known/oauth-authorization-server": ("Cache-Control: public",),
    # RFC 6749 (5.2) says what an error looks like there.
    "oauth/token": ("400 without a page: application/json",),
    # The same for everybody; nothing of anybody is in them.
    "api/openapi.json": ("Cache-Control: public",),
    "api/docs": ("Cache-Control: public",),
    "oauth/revoke": ("400 without a page: application/json",),
}
VALUES = {
    "path:object_id": "1",
    "path:content_type_id": "1",
    "str:token": "no-such-token",
    "int:pk": "1",
    "int:sign_in_id": "1",
}


def routes(cast: Cast) -> list[tuple[str, str]]:
    """Return (route, an address of it) for every page."""
    return [(route, address(route, cast)) for route, _view in baseline.views(get_resolver().url_patterns)]


def without_token() -> set[str]:
    views = baseline.views(get_resolver().url_patterns)
    return {*WITHOUT_TOKEN, *(route for route, _view in views if BY_BEARER.match(route))}


def address(route: str, cast: Cast) -> str:
    for name, value in VALUES.items():
        route = route.replace(f"<{name}>", value)
    # The libraries' own are regular expressions.
    route = re.sub(r"\(\?P<\w+>(?:[^()]|\([^()]*\))*\)", "x1-y2", route).replace("^", "").replace("$", "")
    route = route.replace("\\Z", "").replace("\\.", ".")
    return matrix_path(re.sub(r"<(?!(?:slug:agency|int:number|int:job_id|uuid:))[a-z:]*(\w+)>", r"x-\1", route), cast)


@pytest.fixture
def production() -> Iterator[None]:
    """The office as it is in production: what prod.py says beside the environment."""
    with override_settings(**baseline.production()):
        yield


@pytest.fixture
def clients(production: None, cast: Cast, enquiry: Enquiry) -> dict[str, Client]:
    """Browsers of production's cookies, one for each kind of person; the superuser is inside agency A."""
    user_id = services.create_user(email="root@example.com", name="Root", superuser=True)
    found = {"anonymous": Client(raise_request_exception=False)}
    for who, id in (("owner", cast.alice.user_id), ("superuser", user_id)):
        found[who] = Client(raise_request_exception=False)
        found[who].force_login(models.User.objects.get(pk=id))
    chosen = found["superuser"].post("/admin/accounts/agency/choose/", {"agency": cast.a}, secure=True)
    assert chosen.status_code == 302
    return found


def test_every_route_keeps_every_rule(clients: dict[str, Client], cast: Cast) -> None:
    walked = [*routes(cast), ("(no route)", "/no/such/page/")]
    assert len(walked) > 60
    # Signing out ends the walk for whoever does it.
    last = [pair for pair in walked if "logout" in pair[0]]
    found = baseline.walk([*(pair for pair in walked if pair not in last), *last], clients)
    for route, said in OTHERWISE.items():
        lines = [line for line in found.pop(route, []) if not any(f": {each}" in line for each in said)]
        if lines:
            found[route] = lines
    assert found == {}, "\n".join(f"{route}: {line}" for route, lines in found.items() for line in lines)


def test_static_files_too(production: None, settings: Any) -> None:
    settings.WHITENOISE_USE_FINDERS = settings.WHITENOISE_AUTOREFRESH = True
    answer = Client().get("/static/consult/app.css", secure=True)
    assert answer.status_code == 200
    assert baseline.faults(answer) == ["Cache-Control: max-age=60, public"], "the same for everybody"
    answer.close()


def test_no_post_without_a_token(clients: dict[str, Client], cast: Cast) -> None:
    strict = Client(enforce_csrf_checks=True, raise_request_exception=False)
    strict.force_login(models.User.objects.get(pk=cast.alice.user_id))
    assert baseline.forged(routes(cast), strict, without_token()) == {}
    views = list(baseline.views(get_resolver().url_patterns))
    assert baseline.unnamed_exemptions(views, without_token()) == []
    of_api = [pair for pair in routes(cast) if BY_BEARER.match(pair[0])]
    assert set(baseline.forged(of_api, strict, set()).values()) <= {401, 403, 404, 405}
    assert (
        strict.post("/a/inbox/1/close/", secure=True, headers={"Accept": "application/json"}).json()["code"] == "csrf"
    )
    # With its token, from its own page, it is taken.
    strict.get("/a/inbox/1/", secure=True)
    token = strict.cookies["__Host-csrf"].value
    own = {"Referer": "https://testserver/a/inbox/1/", "X-CSRFToken": token}
    assert strict.post("/a/inbox/1/close/", secure=True, headers=own).status_code == 302


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_what_is_too_large_is_413(accept: str, clients: dict[str, Client], cast: Cast) -> None:
    client = clients["owner"]
    kind = "application/problem+json" if accept == "application/json" else "text/html; charset=utf-8"

    def told(answer: Any, where: str = "") -> None:
        programs = where.startswith("/api/") or where in errors.FOR_PROGRAMS
        wanted = "application/problem+json" if programs else kind
        assert (answer.status_code, answer["Content-Type"]) == (413, wanted)
        assert baseline.faults(answer) == []

    for _route, where in routes(cast):
        # Whole mails come to the hooks, whole tables to imports.
        large = 41 if where.startswith("/hooks/") else 51 if where.endswith(("/import/", "/v1/imports")) else 11
        length = str(large * 1024 * 1024)
        told(client.post(where, secure=True, headers={"Accept": accept}, CONTENT_LENGTH=length), where)
    for data in ({"body": "x" * 1_100_000}, {f"field{number}": "" for number in range(1_001)}):
        text = "&".join(f"{name}={value}" for name, value in data.items())
        form = "application/x-www-form-urlencoded"
        told(client.post("/a/inbox/1/notes/", text, content_type=form, secure=True, headers={"Accept": accept}))
    many = "".join(f'--b\r\nContent-Disposition: form-data; name="f"; filename="{n}"\r\n\r\n\r\n' for n in range(21))
    files = "multipart/form-data; boundary=b"
    told(
        client.post(
            "/a/inbox/1/notes/", f"{many}--b--\r\n", content_type=files, secure=True, headers={"Accept": accept}
        )
    )
    # A length that is none is none.
    assert client.post("/a/inbox/1/close/", secure=True, CONTENT_LENGTH="9" * 40).status_code == 302


def test_the_wrong_method_says_which_is_right(clients: dict[str, Client]) -> None:
    page = clients["owner"].get("/a/inbox/1/close/", secure=True)
    assert (page.status_code, page["Allow"]) == (405, "POST")
    assert "is not opened like that" in page.content.decode()
    document = clients["owner"].get("/a/inbox/1/close/", secure=True, headers={"Accept": "application/json"})
    assert (document.json()["code"], document["Allow"]) == ("method_not_allowed", "POST")


def test_signing_in_sets_careful_cookies_and_changes_the_session(production: None, cast: Cast) -> None:
    client = Client()
    client.get("/accounts/login/", secure=True)
    before = client.session.session_key
    signed_in = client.post(
        "/accounts/login/", {"login": cast.alice.email, "password": PASSWORD, "next": baseline.EVIL}, secure=True
    )
    assert signed_in.status_code == 302
    assert list(baseline.leads_away(signed_in)) == []
    assert "__Host-session" in signed_in.cookies
    assert baseline.faults(signed_in) == []
    assert client.session.session_key != before


def test_a_host_of_another_name_is_refused(clients: dict[str, Client]) -> None:
    for headers in ({"Host": "evil.example"}, {"Host": "testserver", "X-Forwarded-Host": "evil.example"}):
        answer = clients["anonymous"].get("/accounts/login/", secure=True, headers=headers)
        assert "evil.example" not in answer.content.decode()
        assert answer.status_code == (200 if len(headers) == 2 else 400)
        assert baseline.faults(answer) == []
    # Plain HTTP is led to HTTPS, at the same host.
    led = clients["anonymous"].get("/accounts/login/")
    assert (led.status_code, led["Location"]) == (301, "https://testserver/accounts/login/")


# --- canaries: each breaks one rule ---------------------------------------------------------------------------------


def _with(**headers: str) -> Any:
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse("<html>", headers={name.replace("_", "-"): value for name, value in headers.items()})

    return view


def _bad_cookie(request: HttpRequest) -> HttpResponse:
    response = HttpResponse("<html>")
    response.set_cookie("language", "en")
    return response


def _led(request: HttpRequest) -> HttpResponse:
    return redirect(request.POST.get("next") or request.GET.get("next") or "/")


@csrf_exempt
@require_POST
def _without_token(request: HttpRequest) -> HttpResponse:
    return HttpResponse("<html>")


handler400, handler403 = errors.bad_request, errors.permission_denied
handler404, handler500 = errors.not_found, errors.server_error
urlpatterns = [
    path("canary/styles/", _with(Content_Security_Policy="default-src 'self'; style-src 'self' 'unsafe-inline'")),
    path("canary/frames/", _with(X_Frame_Options="SAMEORIGIN")),
    path("canary/kept/", _with(Cache_Control="public, max-age=600")),
    path("canary/read-by-all/", _with(Access_Control_Allow_Origin="*")),
    path("canary/cookie/", _bad_cookie),
    path("canary/leads/", _led),
    path("canary/bare-error/", lambda request: HttpResponse("no", status=409, content_type="text/plain")),
    path("canary/bare-json/", lambda request: JsonResponse({"error": "no"}, status=422)),
    path("canary/no-token/", _without_token),
    path("canary/fine/", _with()),
    path("", include("consult.urls")),
]
CANARIES = {
    "canary/styles/": ["style-src allows 'unsafe-inline'", "no base-uri", "no form-action", "no frame-ancestors"],
    "canary/frames/": ["X-Frame-Options: SAMEORIGIN"],
    "canary/kept/": ["Cache-Control: public"],
    "canary/read-by-all/": ["Access-Control-Allow-Origin: *"],
    "canary/cookie/": ["cookie language: secure='', httponly='', its name has no __Host-, samesite=''"],
    "canary/leads/": [
        "get with targets as anonymous: Location leads to",
        "post with targets as anonymous: Location leads to",
    ],
    "canary/bare-error/": ["409 without a page: text/plain"],
    "canary/bare-json/": ["422 without a page: application/json"],
}


def test_a_view_that_breaks_a_rule_is_found(production: None, cast: Cast) -> None:
    with override_settings(ROOT_URLCONF=__name__):
        clients = {"anonymous": Client(raise_request_exception=False)}
        walked = [pair for pair in routes(cast) if pair[0].startswith("canary/")]
        found = baseline.walk(walked, clients)
        assert sorted(set(found) - {"canary/no-token/"}) == sorted(CANARIES), found
        for route, wrong in CANARIES.items():
            for each in wrong:
                assert any(each in line for line in found[route]), (route, each, found[route])
        strict = Client(enforce_csrf_checks=True)
        assert baseline.forged(walked, strict, set()) == {"canary/no-token/": 200}
        views = list(baseline.views(get_resolver().url_patterns))
        assert baseline.unnamed_exemptions(views, without_token()) == ["canary/no-token/"]


@pytest.mark.parametrize(
    "gone",
    [
        "consult.core.baseline.Baseline",
        "consult.core.baseline.Refusals",
        "csp.middleware.CSPMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
    ],
)
def test_without_a_protection_the_walk_fails(gone: str, production: None, cast: Cast, settings: Any) -> None:
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if each != gone]
    strict = Client(enforce_csrf_checks=True, raise_request_exception=False)
    strict.force_login(models.User.objects.get(pk=cast.alice.user_id))
    some = [("landing", "/"), ("inbox", "/a/inbox/"), ("action", "/a/inbox/1/close/")]
    found = {**baseline.walk(some, {"owner": strict}), **baseline.forged(some, strict, set())}
    assert found


def test_the_policy_may_have_a_nonce_and_nothing_unsafe() -> None:
    rest = "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    assert list(baseline.policy_faults(f"default-src 'none'; script-src 'self' 'nonce-{'a' * 24}'; {rest}")) == []
    assert list(baseline.policy_faults("sandbox; default-src 'none'")) == []
    for bad in (
        "script-src 'unsafe-eval'",
        "script-src https:",
        "img-src *",
        "script-src 'nonce-1'",
        "child-src x.example",
    ):
        assert list(baseline.policy_faults(f"default-src 'none'; {bad}; {rest}")), bad
    assert list(baseline.policy_faults("")) != []


def test_probes_have_them_too(production: None) -> None:
    """They are answered before anything that asks the database or for HTTPS."""
    answer = Client().get("/health/")
    assert [fault for fault in baseline.faults(answer) if "Strict-Transport" not in fault] == []


def test_a_body_in_chunks_is_411(clients: dict[str, Client]) -> None:
    """Django would take it for an empty one, and do something else than was asked."""
    for where in ("/api/v1/clients", "/a/inbox/1/notes/"):
        sent = {"Accept": "application/json", "Transfer-Encoding": "chunked"}
        answer = clients["owner"].post(where, secure=True, headers=sent, CONTENT_LENGTH="")
        assert (answer.status_code, answer.json()["code"]) == (411, "length_required")
