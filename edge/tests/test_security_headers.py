"""Every answer of the edge, whatever was asked: the same protections as in the office, as far as they make sense."""

import re

import httpx
import pytest

from edge import app
from edge import http as edge_http
from edge.tests import live_token, program

HTTPS = {"CONSULT_EDGE_URL": "https://in.example"}


def paths(key: str) -> list[str]:
    """Every route that the application knows, and one that it does not."""
    forms = [f"/f/{name}{rest or ''}" for name in (key, "frm_unknown") for rest in app._FORM_ROUTES]
    return [*forms, *app._PLAIN, "/live", "/no/such/thing"]


def faults(answer: httpx.Response) -> list[str]:
    found = []
    for name, value in edge_http.SECURITY_HEADERS:
        if answer.headers.get_list(name) != [value]:
            found.append(f"{name}: {answer.headers.get_list(name)}")
    policies = answer.headers.get_list("content-security-policy")
    if len(policies) != 1 or not policies[0].startswith("default-src 'none'") or "unsafe" in policies[0]:
        found.append(f"content-security-policy: {policies}")
    elif "frame-ancestors 'none'" not in policies[0]:
        found.append("it may be framed")
    if answer.headers.get("access-control-allow-origin") == "*" and answer.headers.get("set-cookie"):
        found.append("a cookie for everybody")
    if "set-cookie" in answer.headers or re.search(r"\d", answer.headers.get("server", "")):
        found.append("a cookie, or the server's version")
    if not re.search(
        r"no-store|immutable", answer.headers.get("cache-control", "no-store" if not answer.content else "")
    ):
        found.append(f"cache-control: {answer.headers.get('cache-control')}")
    if (
        answer.status_code >= 400
        and answer.content
        and not answer.headers["content-type"].startswith(("application/problem+json", "text/html", "application/json"))
    ):
        found.append(f"{answer.status_code} as {answer.headers['content-type']}")
    return found


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_every_route_keeps_every_rule(http: httpx.Client, key: str, accept: str) -> None:
    found = {}
    for path in paths(key):
        for method in ("GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "TRACE"):
            answer = http.request(method, path, headers={"accept": accept, "origin": "https://evil.example"})
            if wrong := faults(answer):
                found[f"{method} {path}"] = wrong
    assert found == {}


def test_the_stream_too(http: httpx.Client, signer: live_token.Signer) -> None:
    with http.stream("GET", "/live", params={"token": signer.token()}) as answer:
        assert answer.status_code == 200
        for name, value in (*edge_http.SECURITY_HEADERS, edge_http.NO_PAGE):
            assert answer.headers.get_list(name) == [value]


def test_https_is_promised_where_there_is_any(edge_database: tuple[str, str]) -> None:
    for environ, said in (
        ({}, None),
        (HTTPS, "max-age=31536000"),
        ({**HTTPS, "CONSULT_HSTS": "subdomains"}, "max-age=31536000; includeSubDomains"),
    ):
        with program.running(edge_database[0], **environ) as running:
            answer = httpx.get(f"http://127.0.0.1:{running.port}/health/")
            assert answer.headers.get("strict-transport-security") == said
