"""Which form is it? Asked once, kept until the database says that it changed."""

import asyncio
import collections
import functools
import re
from collections.abc import Awaitable, Callable, Collection
from urllib.parse import urljoin, urlsplit

import msgspec

from edge import bounds, database, log, payload, problems, words

_KEY = re.compile(r"frm_[A-Za-z0-9]{22}")
# Looser than any mail server, as browsers are: a sender must never be told that a real address is wrong.
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)*\.?")


class Field(msgspec.Struct, frozen=True):
    """`type` is text, email, tel, textarea, select, checkbox or file.

    `required_since` is the form's version that first asked for it: pages of earlier versions do not know.
    """

    name: str
    label: str = ""
    type: str = "text"
    required: bool = False
    options: tuple[str, ...] = ()
    max_length: int | None = None
    required_since: int = 1

    @property
    def title(self) -> str:
        return self.label or self.name


class Site(msgspec.Struct, frozen=True):
    """`fallback_contact` is free text: how else to reach them, while nothing can be stored."""

    name: str = ""
    url: str = ""
    fallback_contact: str = ""


class Files(msgspec.Struct, frozen=True):
    """What files a form takes: none unless `count` is above 0. Sizes are bytes; `types` like `image/*`, empty: any."""

    count: int = 0
    bytes: int = 0
    total: int = 0
    types: tuple[str, ...] = ()


class Form(msgspec.Struct, frozen=True, dict=True):  # dict: what follows from it is worked out once and kept there
    """As `intake_form_v2` describes it."""

    key: str
    version: int
    agency_id: int = 0
    name: str = ""
    site: Site = Site()
    fields: tuple[Field, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    redirect_targets: tuple[str, ...] = ()
    honeypot: str = ""
    files: Files = Files()
    language: str = words.DEFAULT
    # In the words of the `limits` library; beyond them: hold or refuse.
    address_limit: str = "20/minute"
    form_limit: str = "600/minute"
    over_limit: str = "hold"
    daily_cap: int = 10_000
    # How many were accepted of it on the day (UTC, 2026-03-01) when this was asked.
    today: str = ""
    accepted_today: int = 0
    proof_of_work: bool = False
    # Signs the proof-of-work challenges.
    secret: str = ""

    def __repr__(self) -> str:
        return f"Form({self.key!r}, version={self.version})"

    @functools.cached_property
    def takes_files(self) -> bool:
        return self.files.count > 0 or any(field.type == "file" for field in self.fields)

    @functools.cached_property
    def _origins(self) -> frozenset[str]:
        own = [origin_of(self.site.url)]
        return frozenset(origin.rstrip("/") for origin in self.allowed_origins or own if origin)

    @functools.cached_property
    def _choices(self) -> dict[str, frozenset[str]]:
        """The answers that a field with options takes, by its name."""
        return {field.name: frozenset(map(_plain, field.options)) for field in self.fields if field.options}

    @functools.cached_property
    def _late(self) -> tuple[Field, ...]:
        """Fields that some older page does not know to be required."""
        return tuple(field for field in self.fields if field.required and field.required_since > 1)

    @functools.cached_property
    def _plain_fields(self) -> tuple[tuple[Field, str, int, re.Pattern[str] | None], ...]:
        """Each field with its name, how long an answer may be that needs no closer look, and what it must look like."""
        return tuple(
            (
                field,
                field.name,
                0 if field.options or field.type in ("checkbox", "select", "file") else field.max_length or 320,
                _EMAIL if field.type == "email" else None,
            )
            for field in self.fields
        )

    def allows(self, origin: str) -> bool:
        """Without a list of its own a form trusts the origin of its site; `*` trusts all."""
        return origin in self._origins or "*" in self._origins

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


# Few pages hold a form, and each visitor sends one of their addresses.
@functools.lru_cache(maxsize=512)
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


def faults(
    form: Form, sent: payload.Payload, page_version: int | None = None, files: Collection[str] = ()
) -> tuple[problems.FieldError, ...]:
    """What the sender has to put right, in the order of the form and in its language.

    `page_version` is the version that the sender's page names (`_version`), when `form` is what it was at that
    version; None when it names none. `files` are the names of the fields that came with a file.
    """
    several: dict[str, list[str]] | None = None
    found: list[problems.FieldError] = []
    once = dict(sent.fields)
    if len(once) != len(sent.fields):
        several, once = _by_name(sent), {}
    for field, name, most, pattern in form._plain_fields:
        value = once.get(name)
        if value and len(value) <= most and not value.isspace() and (pattern is None or pattern.fullmatch(value)):
            continue
        given = several.get(name) if several is not None else None if value is None else [value]
        if field.type == "file":
            given = ["file"] if name in files else given
        if given is None:
            if field.required and (page_version == form.version or field.required_since <= 1):
                found.append(_fault(form, field, "required"))
        elif fault := _fault_of(form, field, given):
            found.append(fault)
    return tuple(found)


def older_page(form: Form, sent: payload.Payload, page_version: int | None = None, files: Collection[str] = ()) -> bool:
    """Whether `faults` let a field be absent because the page may be older than the rule. Takes the same arguments.

    A box that is not ticked, and a file input of a script, are not sent at all: without a version they cannot be told
    from a page that lacks them, and nobody is refused for that.
    """
    if not form._late or page_version == form.version:
        return False
    there = {name for name, _value in sent.fields}
    return any(field.name not in there and field.name not in files for field in form._late)


def _by_name(sent: payload.Payload) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for name, value in sent.fields:
        if name in values:
            values[name].append(value)
        else:
            values[name] = [value]
    return values


# What scripts send for a box that is not ticked; browsers send nothing.
_UNTICKED = ("false", "off", "0")


def _fault_of(form: Form, field: Field, values: list[str]) -> problems.FieldError | None:
    """What is wrong with a field that was sent."""
    text = next((value.strip() for value in values if value and not value.isspace()), "")
    if not text or (field.required and field.type == "checkbox" and not field.options and text in _UNTICKED):
        return _fault(form, field, "required") if field.required else None
    if field.options:
        choices = form._choices[field.name]
        wrong = next((value for value in values if _plain(value) not in choices and value.strip()), None)
        return _fault(form, field, "invalid_choice", value=wrong[:80]) if wrong is not None else None
    # A line break counts once, as in the browser's maxlength, though it is sent as two characters.
    if field.max_length and any(
        len(value) > field.max_length and len(value.replace("\r\n", "\n")) > field.max_length for value in values
    ):
        return _fault(form, field, "too_long", limit=field.max_length)
    if field.type == "email" and not (len(text) <= 320 and _EMAIL.fullmatch(text)):
        return _fault(form, field, "invalid_email")
    return None


def _fault(form: Form, field: Field, code: str, **parts: object) -> problems.FieldError:
    name = field.title.rstrip(" :?*")  # the message goes on with a colon
    return problems.FieldError(
        code, field.name, words.of(form.language).fault(code, field=name or field.title, **parts)
    )


def _plain(option: str) -> str:
    """As a browser sends an <option> without a value: blanks at the ends gone, others single."""
    return " ".join(option.split())


type Ask = Callable[[str, int | None], Awaitable[str | None]]
type Remember = Callable[[str, int, str, bool], None]


class Forms:
    """The forms seen lately, unknown keys too: made-up keys must not reach the database each time.

    What was learnt is handed to `remember` (key, version, definition, whether that is the present version) and comes
    back through `recall`, so that forms are known also while the database is away.
    """

    def __init__(self, ask: Ask, limits: bounds.Bounds, told: log.Log) -> None:
        self._ask = ask
        self._log = told
        self._limits = limits
        self._known: collections.OrderedDict[tuple[str, int | None], Form | None] = collections.OrderedDict()
        self._asking: dict[tuple[str, int | None], asyncio.Task[Form | None]] = {}
        self._recalled: dict[tuple[str, int | None], Form] = {}
        self.remember: Remember = lambda *_: None

    def recall(self, key: str, version: int, definition: str, *, present: bool) -> None:
        """A form as it was known once: good enough while nobody can be asked. What cannot be read is passed over."""
        try:
            form = self._read(key, definition)
        except database.Unavailable:
            return
        self._recalled[key, version] = form
        if present:
            self._recalled[key, None] = form

    async def find(self, key: str, version: int | None = None) -> Form | None:
        """The form as it is now, or as it was at `version` if there was such a one. None when there is no such form.

        Raises database.Unavailable when it cannot be asked for and was never known.
        """
        wanted = (key, version)
        if wanted in self._known:
            return self._known[wanted]
        if not is_key(key):
            return None
        if wanted not in self._asking:
            # One question per key, however many wait; one that leaves does not end it for the others.
            task = asyncio.create_task(self._learn(key, version))
            self._asking[wanted] = task
            task.add_done_callback(lambda done: self._answered(wanted, done))
        return await asyncio.shield(self._asking[wanted])

    async def _learn(self, key: str, version: int | None) -> Form | None:
        try:
            definition = await self._ask(key, version)
        except database.Unavailable:
            recalled = self._recalled.get((key, version)) or self._recalled.get((key, None))
            if recalled is None:
                raise
            return recalled
        if definition is None:
            self._recalled.pop((key, version), None)
            return None
        form = self._read(key, definition)
        self._recalled[key, version] = form
        self.remember(key, form.version, definition, version is None)
        return form

    def _read(self, key: str, definition: str) -> Form:
        try:
            return msgspec.json.decode(definition, type=Form)
        except msgspec.MsgspecError as error:
            # The office wrote what we do not understand: not the visitor's fault, and their text is kept.
            self._log.error("definition_unreadable", form=key)
            raise database.Unavailable("definition") from error

    def _answered(self, wanted: tuple[str, int | None], task: asyncio.Task[Form | None]) -> None:
        # Forgotten while it was asked (NOTIFY in between): the answer may be old, so it is not kept.
        current = self._asking.get(wanted) is task
        if current:
            del self._asking[wanted]
        if task.cancelled() or task.exception() is not None or not current:
            return
        self._known[wanted] = task.result()
        while len(self._known) > self._limits.cached_forms:
            self._known.popitem(last=False)

    def forget(self, key: str) -> None:
        for wanted in [wanted for wanted in (*self._known, *self._asking) if wanted[0] == key]:
            self._known.pop(wanted, None)
            self._asking.pop(wanted, None)

    def forget_all(self) -> None:
        """Changes may have been missed."""
        self._known.clear()
        self._asking.clear()
