"""Canaries for whole walks: each knows what kind of input it was planted in, and so where it may come out.

What a person types may be kept and stand on pages of their own agency. Passwords, tokens, codes and states may be
nowhere; headers nowhere but where it is said below; nothing of any input in the log or on an error page.
"""

import dataclasses
import re
import uuid
from typing import Any

from django.core import mail

from conftest import Database

SECRET = re.compile(
    r"passw|token|secret|code|state|csrf|verifier|challenge|assertion|credential|recovery|receipt|(^|_)key$",
    re.IGNORECASE,
)
# What is a secret by its name and none by its meaning.
NO_SECRET = {"postal_code", "country_code"}
SHAPE = re.compile(r"[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}")
QUERY = ("q", "next", "code", "state", "token", "password", "email", "key", "error", "code_challenge", "view", "who")
HEADERS = (
    *("Referer", "User-Agent", "X-Forwarded-For", "X-Forwarded-Host", "Authorization", "Cookie", "Idempotency-Key"),
    *("If-Match", "If-None-Match", "X-Request-ID", "X-Api-Key", "Accept-Language", "HX-Current-URL", "X-Real-IP"),
)
# May come out where: kinds of what was planted, by the kind of what was looked at.
MAY: dict[str, tuple[str, ...]] = {
    # One's own page: what one typed or looked for.
    "page": ("typed", "query"),
    # Where one is led: back to where one was, with what one had asked for.
    "location": ("typed", "query", "query secret", "segment", "header Referer"),
    # A secret is kept nowhere. Of headers, the browser of a sign-in is, and for a day a request's own key.
    "table": ("typed", "query", "segment", "header User-Agent", "header Idempotency-Key"),
    "mail": ("typed",),
}


@dataclasses.dataclass
class Nest:
    """What was planted, and where it came out again."""

    planted: dict[str, str] = dataclasses.field(default_factory=dict)
    leaks: set[str] = dataclasses.field(default_factory=set)
    looked_at: dict[str, int] = dataclasses.field(default_factory=dict)

    def plant(self, kind: str, where: str) -> str:
        """Return a new value; `kind` (typed, secret, query, segment, header …) says where it may come out."""
        value = uuid.uuid4()
        self.planted[value.hex] = f"{kind} ({where})"
        return value.hex

    def look(self, kind: str, text: str, where: str, *, but: tuple[str, ...] = ()) -> None:
        """Note what is in `text` that may not be in a text of this kind."""
        self.looked_at[kind] = self.looked_at.get(kind, 0) + 1
        for each in SHAPE.findall(text):
            what = self.planted.get(each.replace("-", ""), "")
            if what and what.partition(" (")[0] not in (*MAY.get(kind, ()), *but):
                self.leaks.add(f"{kind} {where}: {what}")

    def query(self, where: str, names: tuple[str, ...] = QUERY) -> dict[str, str]:
        return {
            name: self.plant("query secret" if SECRET.search(name) else "query", f"{where} {name}") for name in names
        }

    def headers(self, where: str) -> dict[str, str]:
        made = {name: self.plant(f"header {name}", where) for name in HEADERS}
        return made | {
            "Authorization": f"Bearer cst_{made['Authorization']}",
            "Cookie": f"preferences={made['Cookie']}",
            "Referer": f"http://testserver/{made['Referer']}",
            "X-Request-ID": f"{made['X-Request-ID']} spaced",
            "If-Match": f'"{made["If-Match"]}"',
        }

    def answer(self, answer: Any, where: str) -> None:
        """Look at all of an answer."""
        others = {name: value for name, value in answer.headers.items() if name not in ("Location", "HX-Redirect")}
        self.look("headers", f"{others}\n{answer.cookies.output()}", where)
        for name in ("Location", "HX-Redirect"):
            self.look("location", answer.get(name, ""), where)
        text = (answer.getvalue() if answer.streaming else answer.content).decode(errors="replace")
        # 422 is the form itself, with what was typed; 409 the record's own page with what stands against it.
        self.look("page" if answer.status_code < 400 or answer.status_code in (409, 422) else "error page", text, where)


def afterwards(nest: Nest, database: Database) -> None:
    """Look at what was kept and sent."""
    for (table,) in database.ask("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
        for (row,) in database.ask(f'SELECT t::text FROM "{table}" t'):  # noqa: S608 (names of our own tables)
            nest.look("table", row, table)
    for message in mail.outbox:
        nest.look("mail", message.message().as_string(), "mail")
