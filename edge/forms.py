"""Which form is it? Asked once, kept until the database says that it changed."""

import asyncio
import collections
import re
from collections.abc import Awaitable, Callable
from typing import Literal
from urllib.parse import urljoin, urlsplit

import msgspec

from edge import bounds, database, log, payload, problems

_KEY = re.compile(r"frm_[A-Za-z0-9]{22}")
# Looser than any mail server, as browsers are: a sender must never be told that a real address is wrong.
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)*\.?")

FieldType = Literal["text", "email", "tel", "textarea", "select", "checkbox"]


class Field(msgspec.Struct, frozen=True):
    name: str
    label: str = ""
    type: str = "text"
    required: bool = False
    options: tuple[str, ...] = ()
    max_length: int | None = None

    @property
    def title(self) -> str:
        return self.label or self.name


class Site(msgspec.Struct, frozen=True):
    name: str = ""
    url: str = ""


class Form(msgspec.Struct, frozen=True):
    """As `intake_form_v1` describes it."""

    key: str
    version: int
    name: str = ""
    site: Site = Site()
    fields: tuple[Field, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    redirect_targets: tuple[str, ...] = ()
    honeypot: str = ""

    def allows(self, origin: str) -> bool:
        """Without a list of its own a form trusts the origin of its site; `*` trusts all."""
        if self.allowed_origins:
            return "*" in self.allowed_origins or origin in (item.rstrip("/") for item in self.allowed_origins)
        return bool(origin) and origin == origin_of(self.site.url)

    @property
    def thanks(self) -> str:
        """The path of the edge's own thank-you page."""
        return f"/f/{self.key}/thanks"

    def redirect(self, wanted: str) -> str:
        """Where the browser goes next: what was wanted if allowed, else the form's own choice, else empty."""
        if wanted == self.thanks:
            return ""
        if wanted and wanted in self.redirect_targets:
            return urljoin(self.site.url, wanted)
        return urljoin(self.site.url, self.redirect_targets[0]) if self.redirect_targets else ""


def origin_of(url: str) -> str:
    """`https://name:port` of an http address, else the empty string."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    default = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" + (f":{port}" if port not in (None, default) else "")


def is_key(text: str) -> bool:
    return _KEY.fullmatch(text) is not None


def faults(form: Form, sent: payload.Payload) -> tuple[problems.FieldError, ...]:
    """What the sender has to put right, in the order of the form."""
    found: list[problems.FieldError] = []
    for field in form.fields:
        values = [value for name, value in sent.fields if name == field.name]
        text = next((value.strip() for value in values if value.strip()), "")
        if not text:
            if field.required:
                found.append(problems.FieldError("required", field.name, f"{field.title} is needed."))
        # A line break counts once, as in the browser's maxlength, though it is sent as two characters.
        elif field.max_length and any(len(v.replace("\r\n", "\n")) > field.max_length for v in values):
            message = f"{field.title} may hold {field.max_length} characters."
            found.append(problems.FieldError("too_long", field.name, message))
        elif field.type == "email" and not (len(text) <= 320 and _EMAIL.fullmatch(text)):
            message = f"{field.title} needs to look like name@example.com."
            found.append(problems.FieldError("invalid_email", field.name, message))
    return tuple(found)


type Ask = Callable[[str], Awaitable[str | None]]


class Forms:
    """The forms seen lately, unknown keys too: made-up keys must not reach the database each time."""

    def __init__(self, ask: Ask, limits: bounds.Bounds, told: log.Log) -> None:
        self._ask = ask
        self._log = told
        self._limits = limits
        self._known: collections.OrderedDict[str, Form | None] = collections.OrderedDict()
        self._asking: dict[str, asyncio.Task[Form | None]] = {}

    async def find(self, key: str) -> Form | None:
        """None when there is no such form. Raises database.Unavailable when it cannot be asked for."""
        if not is_key(key):
            return None
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        if key not in self._asking:
            # One question per key, however many wait; one that leaves does not end it for the others.
            task = asyncio.create_task(self._learn(key))
            self._asking[key] = task
            task.add_done_callback(lambda done: self._answered(key, done))
        return await asyncio.shield(self._asking[key])

    async def _learn(self, key: str) -> Form | None:
        definition = await self._ask(key)
        try:
            return msgspec.json.decode(definition, type=Form) if definition is not None else None
        except msgspec.MsgspecError as error:
            # The office wrote what we do not understand: not the visitor's fault, and their text is kept.
            self._log.error("definition_unreadable", form=key)
            raise database.Unavailable("definition") from error

    def _answered(self, key: str, task: asyncio.Task[Form | None]) -> None:
        # Forgotten while it was asked (NOTIFY in between): the answer may be old, so it is not kept.
        current = self._asking.get(key) is task
        if current:
            del self._asking[key]
        if task.cancelled() or task.exception() is not None or not current:
            return
        self._known[key] = task.result()
        while len(self._known) > self._limits.cached_forms:
            self._known.popitem(last=False)

    def forget(self, key: str) -> None:
        self._known.pop(key, None)
        self._asking.pop(key, None)

    def forget_all(self) -> None:
        """Changes may have been missed."""
        self._known.clear()
        self._asking.clear()
