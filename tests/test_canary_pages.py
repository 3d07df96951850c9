"""Canaries in every input of every page: the routes are the matrix's, the fields those of the pages' own forms."""

import re
import uuid
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

from django.conf import settings as office
from django.core.cache import cache
from django.test import Client

from conftest import PASSWORD, Cast, Database, Enquiry
from consult.accounts import models
from consult.core.tests.lines import captured
from tests import worker
from tests.canaries import NO_SECRET, SECRET, Nest, afterwards
from tests.test_route_matrix import ALLAUTH, ROUTES, aside, known, path

__all__ = ["aside", "known"]  # fixtures


class Forms(HTMLParser):
    """The forms of a page: by the path they are posted to, the fields with their types and values."""

    def __init__(self, address: str, text: str) -> None:
        super().__init__()
        self.found: dict[str, dict[str, tuple[str, str]]] = {}
        self.address = address
        self.form: dict[str, tuple[str, str]] = {}
        self.select = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        name = given.get("name", "")
        if tag == "form":
            self.form = {}
            if given.get("method", "").lower() == "post":
                action = (given.get("action") or self.address).partition("?")[0]
                self.form = self.found.setdefault(action, {})
        elif tag == "select":
            self.select = name
        elif tag == "option" and self.select and given.get("value"):
            self.form.setdefault(self.select, ("select", given["value"]))
        elif tag in ("input", "textarea") and name:
            self.form.setdefault(name, (given.get("type", "text"), given.get("value", "")))


def filled(nest: Nest, fields: dict[str, tuple[str, str]], where: str, *, wholly: bool) -> dict[str, str]:
    """Return what is posted: a canary in what is typed; `wholly` also where something is chosen."""
    given = {}
    for name, (type, value) in fields.items():
        # Another slug would move the agency away from what is walked.
        if name in ("csrfmiddlewaretoken", "slug"):
            continue
        if type in ("hidden", "select", "radio", "checkbox", "number", "date", "file", "submit") and not wholly:
            given[name] = value
            continue
        secret = type == "password" or (SECRET.search(name) and name not in NO_SECRET)
        canary = nest.plant("secret" if secret else "typed", f"{where} {name}")
        given[name] = {"email": f"{canary}@new.example", "url": f"https://{canary}.example"}.get(type, canary)
    return given


# Sent to every page that takes posts, besides its own fields.
STRAY = dict.fromkeys(("password", "token", "name", "body", "state", "email", "login"), ("text", ""))


def browser(user: Any = None) -> Client:
    """A browser as strict as one: with the mark of its forms; somebody's has just said the password once more."""
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    if user:
        cache.clear()
        client.force_login(user)
    client.get("/accounts/reauthenticate/" if user else "/accounts/login/")
    if user:
        data = {"password": PASSWORD, "csrfmiddlewaretoken": mark(client)}
        assert client.post("/accounts/reauthenticate/", data).status_code == 302
    return client


def mark(client: Client) -> str:
    return client.cookies[office.CSRF_COOKIE_NAME].value


def with_cookies(client: Client, headers: dict[str, str]) -> dict[str, str]:
    """The planted cookie beside the browser's own ones."""
    own = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    return headers | {"Cookie": f"{own}; {headers['Cookie']}"}


def segments(nest: Nest, route: str, cast: Cast) -> str:
    """The route's address with a canary in the place of everything that may hold one."""

    def put(match: re.Match[str]) -> str:
        canary = nest.plant("segment", f"{route} {match[2]}")
        return str(uuid.UUID(canary)) if match[1] == "uuid" else canary

    route = re.sub(r"\^password/reset/key/.*", f"password/reset/key/1-{nest.plant('segment', route)}/", route)
    inside = re.sub(r"<(uuid|str):(\w+)>", put, route.replace("<slug:agency>", "a"))
    if inside == route or inside == route.replace("<slug:agency>", "a"):
        inside = re.sub("<slug:(agency)>", lambda match: nest.plant("segment", f"{route} agency"), route)
    return "/" + re.sub(r"<int:\w+>", "1", inside.replace("^api(?:/|$)", f"api/{nest.plant('segment', route)}"))


def pages(cast: Cast) -> Iterator[tuple[str, str]]:
    """(route, address) of every page."""
    for route in ROUTES:
        yield route, path(route, cast)
    for route in ALLAUTH:
        yield (
            f"accounts/{route}",
            "/accounts/" + re.sub(r"\^.*", "password/reset/key/1-x/", route.replace("<int:pk>", "1")),
        )


def ask(nest: Nest, client: Client, route: str, address: str, forms: dict[str, Any], cast: Cast) -> None:
    """Plant in every input of one page."""
    cache.clear()
    where = f"GET /{route}"
    answer = client.get(address, nest.query(where), headers=with_cookies(client, nest.headers(where)))
    nest.answer(answer, where)
    if answer.get("Content-Type", "").startswith("text/html"):
        for action, fields in Forms(address, answer.content.decode()).found.items():
            forms.setdefault(action, {}).update(fields)
    at = segments(nest, route, cast)
    nest.answer(client.get(at, nest.query(where), headers={"Host": nest.plant("header Host", where)}), where)
    if "<" in route or "^" in route:
        nest.answer(client.get(at, nest.query(where)), where)
    where = f"POST /{route}"
    fields = forms.get(address, {})
    unmarked = filled(nest, fields | STRAY, where, wholly=True) | {"csrfmiddlewaretoken": nest.plant("secret", where)}
    at = f"{address}?{'&'.join(f'{name}={value}' for name, value in nest.query(where).items())}"
    nest.answer(client.post(at, unmarked, headers={"Origin": f"http://{nest.plant('header Origin', where)}"}), where)
    for wholly in (True, False) if fields else (True,):
        cache.clear()
        given = filled(nest, fields if not wholly else fields | STRAY, where, wholly=wholly)
        headers = with_cookies(client, nest.headers(where)) | {"X-CSRFToken": mark(client)}
        nest.answer(client.post(at, given, headers=headers), where)


# What comes out and may, each for its reason; all of it to nobody but who sent it.
TOLD = re.compile(
    # Links of these pages to themselves carry the address on with which they were asked.
    r"page GET /<slug:agency>/(inbox|deals|deals/list|projects/<slug:project_key>(/board)?)/: query secret"
    # States that do not go together stand in their fields, to be mended.
    r"|page POST /<slug:agency>/projects/<slug:project_key>/states/: secret .* states-[\w-]+\)$"
    # So do a project's key and a task's state.
    r"|page POST /<slug:agency>/(projects/new|tasks/new|tasks/<slug:key>/edit)/: secret .* (key|state)\)$"
    # A code that was typed wrong stands in its field, to be mended.
    r"|page POST /accounts/(2fa/totp/activate|login/code/confirm)/: secret .* code\)$"
)
# Ends what the walk needs: last, and each in a browser of its own.
ENDING = ("accounts/logout/", "accounts/sessions/end-others/", "/leave/")


def test_no_page_lets_a_canary_out(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    nest, forms = Nest(), dict[str, Any]()
    every = sorted(pages(cast), key=lambda each: each[0].endswith(ENDING))
    with captured("json") as read:
        for person in (None, models.User.objects.get(pk=cast.alice.user_id)):
            client = browser(person)
            for route, address in every:
                if person and "_auth_user_id" not in client.session:
                    client = browser(person)
                ask(nest, client, route, address, forms, cast)
                nest.look("log", read(), f"/{route}")
        worker.run_jobs(database)
        nest.look("log", read(), "jobs")
    assert len(nest.planted) > 80 * len(every)
    # Those of the pages whose fields were read, not guessed.
    assert len([address for address, fields in forms.items() if fields]) > 40
    # Who is of another agency sees nothing of it, a colleague no secret.
    for other, agency, may in ((cast.charlie, "b", ()), (cast.bob, "a", ("typed",))):
        for route in ROUTES:
            answer = other.client.get(path(route, cast, agency))
            text = (answer.getvalue() if answer.streaming else answer.content).decode(errors="replace")
            nest.look("another's page", f"{answer.headers}{text}", f"/{route}", but=may)
    afterwards(nest, database)
    assert any(TOLD.match(leak) for leak in nest.leaks), "what is excused happens"
    assert not (found := sorted(leak for leak in nest.leaks if not TOLD.match(leak))), "\n".join(found)
