"""Which pages of other origins may call: those that are listed, and without cookies."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse
from django.test import Client, override_settings

from conftest import Cast, Database
from consult.settings import environment
from tests import api

ID = "abcdefghijklmnopabcdefghijklmnop"
EXTENSION = f"chrome-extension://{ID}"
PAGE = "https://app.example"
listed = override_settings(CORS_ALLOWED_ORIGINS=[EXTENSION, PAGE])


def preflight(path: str, origin: str, method: str = "PATCH") -> HttpResponse:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization, if-match, idempotency-key, content-type",
    }
    return Client().options(path, headers=headers)  # type: ignore[return-value]


@listed
def test_a_listed_origin_may_call(cast: Cast) -> None:
    program = api.of_member(cast.a, cast.alice.member_id)
    for origin in (EXTENSION, PAGE):
        asked = preflight("/api/v1/clients", origin)
        assert asked.status_code == 200
        assert asked["Access-Control-Allow-Origin"] == origin
        assert asked["Access-Control-Max-Age"] == "7200"
        assert {"PATCH", "DELETE"} <= set(asked["Access-Control-Allow-Methods"].split(", "))
        assert {"authorization", "if-match", "idempotency-key"} <= set(
            asked["Access-Control-Allow-Headers"].split(", ")
        )
        answer = program.get("/api/v1/me", Origin=origin)
        assert answer["Access-Control-Allow-Origin"] == origin
        assert {"ETag", "Location", "RateLimit", "Retry-After"} <= set(
            answer["Access-Control-Expose-Headers"].split(", ")
        )
        assert "Access-Control-Allow-Credentials" not in answer
        assert "origin" in answer["Vary"].lower()
        # A refusal can be read as well.
        assert api.ANONYMOUS.get("/api/v1/me", Origin=origin)["Access-Control-Allow-Origin"] == origin
        assert api.ANONYMOUS.get("/api/v1/no", Origin=origin)["Access-Control-Allow-Origin"] == origin


@listed
def test_nobody_else_may(database: Database) -> None:
    others = (
        "https://evil.example",
        "http://app.example",
        "https://app.example.evil.example",
        "https://app.example:444",
        f"chrome-extension://{ID[::-1]}",
        "null",
        "https://testserver",
    )
    for origin in others:
        for answer in (preflight("/api/v1/clients", origin), api.ANONYMOUS.get("/api/v1/me", Origin=origin)):
            assert not [name for name in answer.headers if name.lower().startswith("access-control-allow")], origin


@listed
def test_pages_are_nobodys_but_the_offices(cast: Cast) -> None:
    for path in ("/", "/a/inbox/", "/accounts/login/", "/admin/", "/api", "/oauth/authorize", "/apix/", "/health/"):
        assert "Access-Control-Allow-Origin" not in preflight(path, PAGE, "GET"), path
        assert "Access-Control-Allow-Origin" not in cast.alice.client.get(path, headers={"Origin": PAGE}), path
    for path in ("/oauth/token", "/oauth/revoke", "/.well-known/jwks.json", "/api/openapi.json"):
        assert preflight(path, PAGE, "POST")["Access-Control-Allow-Origin"] == PAGE, path


def test_there_is_no_star() -> None:
    assert not getattr(settings, "CORS_ALLOW_ALL_ORIGINS", False)
    assert not hasattr(settings, "CORS_ALLOWED_ORIGIN_REGEXES")
    assert settings.CORS_ALLOW_CREDENTIALS is False
    assert re.match(settings.CORS_URLS_REGEX, "/api/v1/me")


def problems(production: bool = False, **variables: str) -> list[str]:
    """Return what the settings say about these variables."""
    try:
        environment.read(variables, production=production)
    except ImproperlyConfigured as error:
        return re.findall(r"- (CONSULT_(?:EXTENSION|API)\w+: .*)", str(error))
    return []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CONSULT_API_ORIGINS", "*"),
        ("CONSULT_API_ORIGINS", "https://app.example/path"),
        ("CONSULT_API_ORIGINS", "https://app.example/"),
        ("CONSULT_API_ORIGINS", "https://*.example"),
        ("CONSULT_API_ORIGINS", "web.example"),
        ("CONSULT_API_ORIGINS", "null"),
        ("CONSULT_API_ORIGINS", "https://user@app.example"),
        ("CONSULT_API_ORIGINS", "https://App.example"),
        ("CONSULT_API_ORIGINS", "https://app.example:443"),
        ("CONSULT_API_ORIGINS", "https://app.example https://b.example"),
        ("CONSULT_API_ORIGINS", "https://good.example,ftp://app.example"),
        ("CONSULT_EXTENSION_IDS", "*"),
        ("CONSULT_EXTENSION_IDS", ID[:-1]),
        ("CONSULT_EXTENSION_IDS", ID[:-1] + "q"),
        ("CONSULT_EXTENSION_IDS", EXTENSION),
        ("CONSULT_EXTENSION_IDS", f"{ID} {ID}"),
        ("CONSULT_API_LIMIT", "often"),
        ("CONSULT_API_LIMIT", "0/hour"),
    ],
)
def test_a_wrong_value_refuses_to_start(name: str, value: str) -> None:
    variables: dict[str, Any] = {name: value}
    found = problems(**variables)
    assert len(found) == 1
    assert found[0].startswith(f"{name}: ")
    assert value == "*" or value not in found[0]


def test_right_values_start() -> None:
    both: dict[str, Any] = {
        "CONSULT_API_ORIGINS": "https://app.acme.test, https://b.acme.test:8443,http://localhost:3000",
        "CONSULT_EXTENSION_IDS": f"{ID},{ID[::-1]},clock@consult.example,{{01970a3e-5d2c-7b1f-8f1e-3f5c9d2b7a41}}",
        "CONSULT_API_LIMIT": "10/second",
    }
    assert problems(**both) == []
    assert problems(production=True, **both) == ["CONSULT_API_ORIGINS: must begin with https:// in production."]
    assert problems(production=True, CONSULT_API_ORIGINS="https://app.acme.test") == []
