"""The rules of the web baseline (ADR 036), as functions that say what breaks them: for the walk over all routes."""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.test import Client
from django.urls import URLPattern, URLResolver

from consult.core import baseline

ROOT = Path(__file__).resolve().parents[1]
EVIL = "https://evil.example/path"
# What a view may be asked to lead to.
LEADING = ("next", "redirect_to", "return_to", "url", "continue", "success_url", "HTTP_REFERER")
TARGETS = (
    EVIL,
    "//evil.example",
    "/\\evil.example",
    "https:evil.example",
    "http://testserver@evil.example",
)
WAYS = (("get", "text/html"), ("post", "text/html"), ("get", "application/json"), ("put", "text/html"))
EXACT = {
    **baseline.HEADERS,
    "X-Frame-Options": "DENY",
    "Strict-Transport-Security": "max-age=31536000",
}
# May be said in other words by a view that means it.
STRICT_ENOUGH = {"Cache-Control": re.compile(r"\bno-store\b")}
# Each of them, with these sources at most: what else a page needs is added here together with its reason.
POLICY = {
    "default-src": {"'none'"},
    "script-src": {"'self'"},
    "style-src": {"'self'"},
    "connect-src": {"'self'", "http://edge.test"},
    "font-src": {"'self'"},
    "img-src": {"'self'", "data:"},
    "manifest-src": {"'self'"},
    "worker-src": {"'self'"},
    "frame-src": {"'self'"},
    "object-src": {"'none'"},
    "base-uri": {"'none'"},
    "form-action": {"'self'"},
    "frame-ancestors": {"'none'"},
}
NONCE = re.compile(r"'nonce-[A-Za-z0-9+/=]{22,}'")


def production() -> dict[str, Any]:
    """Return what `consult.settings.prod` says in so many words, for override_settings."""
    tree = ast.parse((ROOT / "consult/settings/prod.py").read_text("utf-8"))
    said: dict[str, Any] = {"SECURE_HSTS_INCLUDE_SUBDOMAINS": False, "SECURE_HSTS_PRELOAD": False}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            try:
                said[node.targets[0].id] = eval(  # noqa: S307 (our own file: numbers and names of cookies)
                    compile(ast.Expression(node.value), "prod.py", "eval"), {"__builtins__": {}}
                )
            except (NameError, TypeError):
                continue
    return {name: value for name, value in said.items() if not name.startswith("_")}


def views(patterns: Iterable[URLPattern | URLResolver], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (route, view) of every page."""
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from views(pattern.url_patterns, route)
        else:
            yield route, pattern.callback


def header_faults(response: Any) -> Iterator[str]:
    for name, value in EXACT.items():
        found = response.get(name)
        loose = STRICT_ENOUGH.get(name)
        if found is None:
            yield f"no {name}"
        elif found != value and not (loose and loose.search(found)):
            yield f"{name}: {found}"
    yield from policy_faults(response.get("Content-Security-Policy", ""))
    if "X-Request-ID" not in response:
        yield "no X-Request-ID"
    for name in ("X-Powered-By", "Access-Control-Allow-Origin"):
        if name in response:
            yield f"{name}: {response[name]}"


def policy_faults(policy: str) -> Iterator[str]:
    """A stricter policy than ours is fine: sandbox, or fewer sources."""
    found = {name: set(sources) for name, *sources in (part.split() for part in policy.split(";") if part.strip())}
    if "default-src" not in found:
        yield f"no content security policy, or one without default-src: {policy}"
    for name, sources in found.items():
        if name == "sandbox":
            continue
        allowed = POLICY.get(name, set())
        for source in sources - {"'none'"}:
            if source not in allowed and not (name in ("script-src", "style-src") and NONCE.fullmatch(source)):
                yield f"{name} allows {source}"
    for name in ("base-uri", "form-action", "frame-ancestors"):
        if name not in found and "sandbox" not in found:
            yield f"no {name}, which default-src does not cover"


def cookie_faults(response: Any) -> Iterator[str]:
    for name, cookie in response.cookies.items():
        if cookie["max-age"] == 0 and not cookie.value:
            continue  # it is taken away
        wanted = {"secure": True, "httponly": True, "path": "/", "domain": ""}
        wrong = [f"{key}={cookie[key]!r}" for key, value in wanted.items() if cookie[key] != value]
        if not name.startswith("__Host-"):
            wrong.append("its name has no __Host-")
        if cookie["samesite"] not in ("Lax", "Strict"):
            wrong.append(f"samesite={cookie['samesite']!r}")
        if wrong:
            yield f"cookie {name}: {', '.join(wrong)}"


def leads_away(response: Any) -> Iterator[str]:
    for name in ("Location", "HX-Redirect", "HX-Location", "Refresh"):
        target = response.get(name, "")
        parts = urlsplit(target.replace("\\", "/"))
        if (parts.netloc not in ("", "testserver")) or parts.scheme not in ("", "https", "http"):
            yield f"{name} leads to {target}"


def error_faults(response: Any) -> Iterator[str]:
    """Every error is a page or a problem document, never an empty or a bare answer."""
    if response.status_code < 400:
        return
    kind = response.get("Content-Type", "")
    if kind == "application/problem+json":
        if response.json()["status"] != response.status_code:
            yield "a problem document of another status"
    elif not kind.startswith("text/html") or b"<html" not in b"".join(response):
        yield f"{response.status_code} without a page: {kind}"


def faults(response: Any) -> list[str]:
    return [*header_faults(response), *cookie_faults(response), *leads_away(response), *error_faults(response)]


def walk(routes: Iterable[tuple[str, str]], clients: dict[str, Client]) -> dict[str, list[str]]:
    """Ask each (route, path) in every way, as everybody; return what is wrong, by route. Empty: nothing."""
    found: dict[str, list[str]] = {}

    def note(route: str, who: str, how: str, wrong: Iterable[str]) -> None:
        for each in wrong:
            line = f"{how} as {who}: {each}"
            if line not in found.setdefault(route, []):
                found[route].append(line)

    for number, (route, path) in enumerate(routes):
        for who, client in clients.items():
            # A superuser's only pages of their own are the admin's.
            if who == "superuser" and not route.startswith("admin/"):
                continue
            for method, accept in WAYS if who == "owner" else WAYS[:2]:
                answer = getattr(client, method)(path, secure=True, headers={"Accept": accept})
                note(route, who, f"{method} {accept}", faults(answer))
            asked = dict.fromkeys(LEADING, TARGETS[number % len(TARGETS)])
            for method in ("get", "post") if who in ("anonymous", "owner") else ():
                answer = getattr(client, method)(path, asked, secure=True, headers={"Referer": EVIL})
                note(route, who, f"{method} with targets", leads_away(answer))
    return {route: wrong for route, wrong in found.items() if wrong}


def forged(routes: Iterable[tuple[str, str]], client: Client, exempt: set[str]) -> dict[str, int]:
    """Post to each without a token, as a page of another site would; return what was not refused, with its answer."""
    taken = {}
    for route, path in routes:
        for data in ({}, {"csrfmiddlewaretoken": "x" * 64}):
            answer = client.post(path, data, secure=True, headers={"Origin": "https://evil.example"})
            refused = answer.status_code == 403 and (b"open for too long" in answer.content)
            if not refused and route not in exempt:
                taken[route] = answer.status_code
    return taken


def unnamed_exemptions(found: Iterable[tuple[str, Any]], exempt: set[str]) -> list[str]:
    """Return the routes whose views say that they need no token, without being listed."""
    return [route for route, view in found if getattr(view, "csrf_exempt", False) and route not in exempt]
