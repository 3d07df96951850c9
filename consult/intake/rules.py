"""What a form's definition may say, and which field of a submission is the sender's name or address."""

import dataclasses
import datetime as dt
import ipaddress
import itertools
import math
import re
import secrets
import string
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import SplitResult, urlsplit

import disposable_email_domains

FIELD_TYPES = ("text", "email", "tel", "textarea", "select", "checkbox", "file")
FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")
MAX_FIELDS = 50
MAX_LENGTHS = {"textarea": 20_000, "select": 500, "checkbox": 200}
DEFAULT_MAX_LENGTH = 500
LONGEST = 50_000
# Those whose length somebody may set.
TYPED = ("text", "email", "tel", "textarea")
HOST = re.compile(r"[a-z0-9.-]+|\[[0-9a-f:.]+\]")
DEFAULT_PORTS = {"http": 80, "https": 443}
# Invisible to people; a name that browsers and password managers do not fill.
HONEYPOT = "hp_topic"
# What they fill by the name of a field, whatever `autocomplete` says: a person with such a browser would be held.
FILLED_BY_BROWSERS = (
    *("name", "mail", "phone", "tel", "mobile", "fax", "address", "street", "city", "town", "zip", "postal", "country"),
    *("state", "region", "company", "organi", "url", "website", "homepage", "user", "login", "pass", "card", "birth"),
    *("otp", "gender", "title"),
)
# What a limit counts in, and how far it may reach: an edge keeps the counters in memory.
LIMIT = re.compile(r"(\d{1,6}) ?(?:/|per) ?(?:(\d{1,3}) ?)?(second|minute|hour|day)s?", re.IGNORECASE)
# Kinds of files in words: what they are called, and their media types.
FILE_KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "images": ("Images", ("image/*",)),
    "pdf": ("PDF", ("application/pdf",)),
    "text": ("Text", ("text/plain", "text/csv", "text/markdown")),
    "office": (
        "Office documents",
        (
            "application/msword",
            "application/vnd.ms-excel",
            "application/vnd.ms-powerpoint",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            "application/vnd.oasis.opendocument.text",
            "application/vnd.oasis.opendocument.spreadsheet",
            "application/vnd.oasis.opendocument.presentation",
            "application/rtf",
        ),
    ),
    "media": ("Audio and video", ("audio/*", "video/*")),
    "archives": (
        "Archives",
        ("application/zip", "application/gzip", "application/x-7z-compressed", "application/x-tar"),
    ),
}
MEGABYTE = 1_000_000
MOST_FILES, MOST_MEGABYTES = 20, 100


@dataclasses.dataclass(frozen=True)
class Settings:
    """How a form is judged, answered and kept. The same names as the columns; the numbers are what a new form has."""

    language: str = "en"
    hold_score: int = 50
    address_limit: str = "20/minute"
    form_limit: str = "600/minute"
    over_limit: str = "hold"
    daily_cap: int = 10_000
    proof_of_work: bool = False
    auto_reply: bool = False
    auto_reply_text: str = ""
    keep_address_days: int = 30
    # None: for ever.
    keep_days: int | None = None
    keep_held_days: int | None = None


CONTACT_FIELDS: list[dict[str, Any]] = [
    {"name": "name", "label": "Name", "type": "text", "required": True},
    {"name": "email", "label": "E-mail", "type": "email", "required": True},
    {"name": "message", "label": "Message", "type": "textarea", "required": True},
]


class BadDefinition(ValueError):
    """A form's definition that no sender could satisfy or no page could show; the text says which part."""


def new_key() -> str:
    """Return a form key: public, but not to be guessed."""
    return "frm_" + "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(22))


def new_secret() -> str:
    """Return a form's secret: 256 bits."""
    return secrets.token_urlsafe(32)


def clean_fields(fields: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the fields as stored: name, label, type, required, options, max_length. Raise BadDefinition."""
    if not fields:
        raise BadDefinition("A form needs at least one field.")
    if len(fields) > MAX_FIELDS:
        raise BadDefinition(f"A form has at most {MAX_FIELDS} fields.")
    cleaned = [clean_field(field) for field in fields]
    names = [field["name"] for field in cleaned]
    if doubled := {name for name in names if names.count(name) > 1}:
        raise BadDefinition(f"Two fields are named “{doubled.pop()}”.")
    return cleaned


def clean_field(field: Mapping[str, Any]) -> dict[str, Any]:
    """Return one field as stored. Raise BadDefinition."""
    name, kind = str(field.get("name", "")).strip(), field.get("type", "text")
    if not FIELD_NAME.fullmatch(name) or name == HONEYPOT:
        raise BadDefinition(f"“{name}” cannot be a field's name: letters, digits, - and _, beginning with a letter.")
    if kind not in FIELD_TYPES:
        raise BadDefinition(f"“{kind}” is no field type.")
    options = [str(option).strip() for option in field.get("options", []) if str(option).strip()]
    if kind == "select" and not options:
        raise BadDefinition(f"The choice “{name}” needs options.")
    longest = field.get("max_length") if kind in TYPED else None
    if longest and not 1 <= int(longest) <= LONGEST:
        raise BadDefinition(f"“{name}” may be 1 to {LONGEST:,} characters long.")
    return {
        "name": name,
        "label": str(field.get("label") or "").strip()[:200] or name,
        "type": kind,
        "required": bool(field.get("required")),
        "options": options if kind in ("select", "checkbox") else [],
        "max_length": int(longest or 0) or MAX_LENGTHS.get(str(kind), DEFAULT_MAX_LENGTH),
    }


def since(
    fields: Sequence[Mapping[str, Any]], before: Sequence[Mapping[str, Any]], version: int
) -> list[dict[str, Any]]:
    """Return the fields of a new version, required ones with `required_since`: the version from which on they have
    been required without a break. A page of an older version may lack them."""
    old = {field["name"]: field.get("required_since", 1) for field in before if field["required"]}
    return [
        {**field, "required_since": old.get(field["name"], version)} if field["required"] else dict(field)
        for field in fields
    ]


def clean_honeypot(name: str, fields: Sequence[Mapping[str, Any]]) -> str:
    """Return the hidden field's name. Raise BadDefinition."""
    name = name.strip() or HONEYPOT
    if not FIELD_NAME.fullmatch(name):
        raise BadDefinition(f"“{name}” cannot be a field's name: letters, digits, - and _, beginning with a letter.")
    if word := next((word for word in FILLED_BY_BROWSERS if word in re.sub(r"[-_]", "", name.lower())), None):
        raise BadDefinition(
            f"“{name}” looks like a field that browsers fill in by themselves (“{word}”); people would be held."
            f" Take a word that means nothing, such as {HONEYPOT}."
        )
    if name in {field["name"] for field in fields}:
        raise BadDefinition(f"“{name}” is a field of this form already.")
    return name


def clean_limit(text: str) -> str:
    """Return a limit as the `limits` library writes it, such as 20/minute or 5/10 minute. Raise BadDefinition."""
    found = LIMIT.fullmatch(text.strip())
    if not found or not int(found[1]) or (found[2] and not int(found[2])):
        raise BadDefinition(f"“{text}” is no limit; write it like 20/minute, 100/hour or 5/10 minutes.")
    several = f"{int(found[2])} " if found[2] and int(found[2]) > 1 else ""
    return f"{int(found[1])}/{several}{found[3].lower()}"


def limit_words(limit: str) -> str:
    """20/minute → 20 a minute; 5/10 minute → 5 in 10 minutes."""
    amount, _, span = limit.partition("/")
    number, _, unit = span.rpartition(" ")
    return f"{amount} in {number} {unit}s" if number else f"{amount} {'an' if unit == 'hour' else 'a'} {unit}"


def clean_files(
    *, count: int, megabytes: int, total: int, kinds: Collection[str], fields: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return what files a form takes, as stored: {} for none; no `types` stands for any. Raise BadDefinition."""
    asked = sum(field["type"] == "file" for field in fields)
    # Who adds a file field wants files.
    count = count or asked
    if not count:
        return {}
    if count > MOST_FILES or not 1 <= megabytes <= MOST_MEGABYTES or not megabytes <= total <= MOST_MEGABYTES:
        raise BadDefinition(
            f"At most {MOST_FILES} files of 1 to {MOST_MEGABYTES} MB, {MOST_MEGABYTES} MB in all,"
            " and all of them together at least as large as one."
        )
    if unknown := set(kinds) - set(FILE_KINDS):
        raise BadDefinition(f"“{unknown.pop()}” is no kind of file.")
    types = [media_type for kind, (_label, its) in FILE_KINDS.items() if kind in kinds for media_type in its]
    return {"count": count, "bytes": megabytes * MEGABYTE, "total": total * MEGABYTE, "types": types}


# No browser runs these, and staff may want to look at them without a program of their own.
HARMLESS_TYPES = frozenset(
    (
        *(f"image/{kind}" for kind in ("png", "jpeg", "gif", "webp", "avif", "heic", "bmp", "tiff")),
        "application/pdf",
        "text/plain",
    )
)
# Files that no submission names are removed after this time: a spooled one may have waited long for the database.
KEEP_UNNAMED_FILES_DAYS = 30
KEEP_INCOMING_FILES_DAYS = 1


def clean_file_name(name: str) -> str:
    """Return a name that can stand in a header: no path and nothing unprintable, whoever wrote it."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(letter if letter.isprintable() else " " for letter in last).strip(" .") or "file"


def is_uuid(text: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text) is not None


def file_kinds(types: Collection[str]) -> list[str]:
    """Return the kinds that stored types stand for; none stands for anything."""
    return [kind for kind, (_label, its) in FILE_KINDS.items() if set(its) <= set(types)]


def clean_origin(text: str) -> str:
    """Return an origin as browsers write it (scheme://host[:port], no default port), or `*`. Raise BadDefinition."""
    if text == "*":
        return text
    parts = _web_address(text)
    if parts is None or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise BadDefinition(f"“{text}” is no origin; write it like https://example.com.")
    return f"{parts.scheme}://{parts.netloc}"


def clean_target(text: str) -> str:
    """Return an absolute http(s) address to send a visitor to. Raise BadDefinition."""
    parts = _web_address(text)
    if parts is None:
        raise BadDefinition(f"“{text}” is no web address; write it in full, like https://example.com/thanks/.")
    return parts.geturl()


def _web_address(text: str) -> SplitResult | None:
    """Return the parts with a host that can stand in a header as it is: an unknown character there is a refusal."""
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname or "", parts.port
        host = f"[{ipaddress.IPv6Address(host).compressed}]" if ":" in host else host.encode("idna").decode()
    except ValueError:
        return None
    good = parts.scheme in DEFAULT_PORTS and HOST.fullmatch(host) and parts.username is None and port != 0
    if not good:
        return None
    shown = "" if port in (None, DEFAULT_PORTS[parts.scheme]) else f":{port}"
    return parts._replace(netloc=host + shown)


NAMES = ("name", "full_name", "fullname", "your_name", "your-name")


def sender(fields: Sequence[Sequence[str]], definition: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """Return (name, e-mail) as claimed in the submission; empty when it names none."""
    emails = {field["name"] for field in definition if field["type"] == "email"}
    emails |= {"email", "e-mail", "mail", "_replyto"}
    values = {name.lower(): value.strip() for name, value in reversed(fields)}
    email = next((value.strip() for name, value in fields if name in emails and "@" in value), "")
    name = next((values[name] for name in NAMES if values.get(name)), "")
    if not name:
        name = " ".join(values.get(part, "") for part in ("first_name", "last_name")).strip()
    return name[:200], email[:320]


PHONES = ("phone", "tel", "telephone", "mobile", "telefon", "phone_number", "phone-number")
COMPANIES = ("company", "organisation", "organization", "firma", "company_name", "company-name", "business")


def phone_and_company(fields: Sequence[Sequence[str]], definition: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """Return (phone, company) as claimed in the submission; empty when it names none."""
    phones = {field["name"] for field in definition if field["type"] == "tel"}
    said = [(name, " ".join(value.split())) for name, value in fields]
    phone = next((value for name, value in said if value and (name in phones or name.lower() in PHONES)), "")
    company = next((value for name, value in said if value and name.lower() in COMPANIES), "")
    return phone[:50], company[:200]


def typed_fields(
    definition: Sequence[Mapping[str, Any]], *, name: str, email: str, phone: str, company: str, message: str
) -> list[list[str]]:
    """Return what was typed in as the form's own fields, where it has such ones; what is empty is left out."""

    def of_type(kind: str, otherwise: str) -> str:
        return next((str(field["name"]) for field in definition if field["type"] == kind), otherwise)

    def named(names: Sequence[str]) -> str:
        return next((str(field["name"]) for field in definition if field["name"].lower() in names), names[0])

    said = [
        (named(NAMES), name),
        (of_type("email", "email"), email),
        (of_type("tel", named(PHONES)), phone),
        (named(COMPANIES), company),
        (of_type("textarea", "message"), message),
    ]
    return [[field, value] for field, value in said if value]


def gist(fields: Sequence[Sequence[str]], definition: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """Return (subject, excerpt) of a submission: its subject field if it has one, and its longest text."""
    kinds = {field["name"]: field["type"] for field in definition}
    subject = next((value for name, value in fields if name.lower() in ("subject", "topic", "betreff", "_subject")), "")
    texts = [value for name, value in fields if kinds.get(name) == "textarea"]
    texts = texts or [value for _name, value in fields]
    text = " ".join(max(texts, key=len, default="").split())
    return " ".join(subject.split())[:200], text[:280]


def new_receipt() -> str:
    """Return a receipt for what no edge has taken: 60 random bits, in the letters of edge/receipts.py."""
    return "".join(secrets.choice("0123456789ABCDEFGHJKMNPQRSTVWXYZ") for _ in range(12))


def pretty_receipt(receipt: str) -> str:
    """K7QF2M9X4TDA → K7QF-2M9X-4TDA."""
    return "-".join(receipt[start : start + 4] for start in range(0, len(receipt), 4))


def plain_receipt(text: str) -> str:
    """What a person typed or read aloud → the stored form (Crockford: O is 0, I and L are 1)."""
    plain = re.sub(r"[^0-9A-Z]", "", text.upper())
    return plain.translate(str.maketrans("OIL", "011"))


# What each signal of the edge adds to the score. One that is not here says something, but nothing against the sender.
SIGNAL_POINTS = {
    "over_limit": 100,
    "honeypot": 60,
    "foreign_origin": 50,
    "too_fast": 30,
    "proof_bad": 30,
    "key_reused": 20,
    "proof_ok": -30,
}
LINK = re.compile(r"(?i)\b(?:https?://|www\.)\w")
# In a name also without a scheme, but with a path: Booking.com is a name, casino.example/win is none.
LINK_IN_NAME = re.compile(r"(?i)\b(?:https?://|www\.)\w|\b[a-z0-9-]+\.[a-z]{2,}/\S")
POINTS_PER_LINK, MOST_POINTS_FOR_LINKS = 15, 45
# Letters that look like one of another alphabet: what hides in “pаypal”.
LOOKALIKES = {
    "LATIN": frozenset("aceijopsxyABCEHIJKMNOPSTXYZ"),
    "CYRILLIC": frozenset("асеіорхујѕАВСЕНІЈКМОРЅТХУ"),
    "GREEK": frozenset("οΑΒΕΖΗΙΚΜΝΟΡΤΥΧ"),
}
# An abbreviation with the ending that a Cyrillic language gives it: “в PDFе”.
INFLECTED = re.compile(r"[A-Z]{2,}[а-яёіїєґўј]{1,4}")


def score(
    signals: Collection[str],
    *,
    fields: Sequence[Sequence[str]],
    definition: Sequence[Mapping[str, Any]] = (),
    repeated: bool = False,
    blocked: bool = False,
) -> tuple[int, list[dict[str, Any]]]:
    """Return (points, reasons) of a submission: how much it looks like spam, never below zero, and why.

    A reason is {"code", "points"}, links also {"count"}; the weightiest first. A signal without points is one too.
    """
    reasons = [{"code": signal, "points": SIGNAL_POINTS.get(signal, 0)} for signal in sorted(set(signals))]
    names = {*NAMES, "first_name", "last_name"}
    if links := sum(len(LINK.findall(value)) for name, value in fields if name.lower() not in names):
        points = min(MOST_POINTS_FOR_LINKS, POINTS_PER_LINK * (links - 1))
        # One link is what people send.
        reasons += [{"code": "links", "points": points, "count": links}] if points else []
    found = {
        "link_in_name": (50, any(LINK_IN_NAME.search(value) for name, value in fields if name.lower() in names)),
        "mixed_scripts": (40, any(map(has_mixed_word, (value for _name, value in fields)))),
        # Whoever is blocked is held, whatever the form's own threshold is (queries.Arrival.held).
        "blocked": (100, blocked),
        "repeat": (40, repeated),
        "disposable": (25, is_disposable(sender(fields, definition)[1])),
    }
    reasons += [{"code": code, "points": points} for code, (points, there) in found.items() if there]
    reasons.sort(key=lambda reason: (-abs(int(str(reason["points"]))), reason["code"]))
    return max(0, sum(int(str(reason["points"])) for reason in reasons)), reasons


def has_mixed_word(text: str) -> bool:
    """Whether a word mixes Latin, Cyrillic and Greek letters so that one poses as another.

    Units (kΩ), brands (Яndex), endings (PDFе), words joined by a hyphen and scripts that are written together, as in
    Japanese, are no such thing.
    """
    if text.isascii():
        return False
    return any(_is_mixed(word) for word in re.findall(r"[^\W\d_]+", text))


def _is_mixed(word: str) -> bool:
    if word.isascii():
        return False
    alphabets: dict[str, list[str]] = {}
    for letter in unicodedata.normalize("NFC", word):
        alphabet = unicodedata.name(letter, "").partition(" ")[0]
        if alphabet in LOOKALIKES:
            alphabets.setdefault(alphabet, []).append(letter)
    if len(alphabets) < 2 or INFLECTED.fullmatch(word):
        return False
    fewest = min(len(letters) for letters in alphabets.values())
    return any(
        len(letters) == fewest and LOOKALIKES[alphabet].issuperset(letters) for alphabet, letters in alphabets.items()
    )


def is_disposable(email: str) -> bool:
    """Whether an address is of a service that gives out addresses for minutes."""
    labels = email.rpartition("@")[2].lower().rstrip(".").split(".")
    return any(".".join(labels[start:]) in disposable_email_domains.blocklist for start in range(len(labels) - 1))


# --- forms that behave otherwise than they did -----------------------------------------------------------------------

# A form's own rhythm is known from so many days on which something came, over so long.
KNOWN_DAYS, KNOWN_FOR = 10, 28
# How unlikely a silence must be for a form that is as busy as this one was.
UNLIKELY = 0.001
# A jump is looked for among so many of a day, against so many before it.
FRESH, BEFORE = 20, 50


def longest_likely_silence(active: Sequence[dt.date], today: dt.date) -> float | None:
    """Return after how many days of silence a form is an alarm; None where its history says too little.

    `active` are the days on which something came, in order, of the time that is looked at. It is longer than one and a
    half times any gap that there was, and longer than chance would make of a form with so many active days.
    """
    if len(active) < KNOWN_DAYS or (today - active[0]).days < KNOWN_FOR:
        return None
    gap = max((after - before).days for before, after in itertools.pairwise(active))
    # From the first to the last day alone: the silence itself is no part of what is usual.
    share = len(active) / ((active[-1] - active[0]).days + 1)
    by_chance = math.log(UNLIKELY) / math.log(1 - share) if share < 1 else 0.0
    return max(2.0, 1.5 * gap, by_chance)


def is_silent(active: Sequence[dt.date], silent_days: float, today: dt.date) -> bool:
    """Return whether a form has been silent for longer than its history makes likely."""
    longest = longest_likely_silence(active, today)
    return longest is not None and silent_days > longest


def held_has_jumped(fresh: tuple[int, int], before: tuple[int, int]) -> bool:
    """Return whether more of a form's enquiries are held than usual; each is (held, all), of a day and of weeks before.

    By more than chance would make of the share before (four standard deviations), and by a tenth of all at least.
    """
    (held, count), (held_before, count_before) = fresh, before
    if count < FRESH or count_before < BEFORE:
        return False
    # As if one more of each kind had come: a form that never held anything may hold one.
    usual = (held_before + 1) / (count_before + 2)
    share = held / count
    return share >= usual + 0.1 and share > usual + 4 * math.sqrt(usual * (1 - usual) / count)


# --- blocked senders ------------------------------------------------------------------------------------------------

_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")


def blockable(text: str) -> str:
    """Return what can be blocked as it is kept: an address, or @ and a domain; empty when this is neither."""
    local, _at, host = text.strip().rpartition("@")
    try:
        host = host.strip().encode("idna").decode().lower()
    except UnicodeError:
        return ""
    local = local.strip().casefold()
    if not _HOST.fullmatch(host) or len(host) > 253 or len(local) > 64 or re.search(r"[\s@\0]", local):
        return ""
    return f"{local}@{host}"


def block_keys(address: str) -> list[str]:
    """Return all by which mail of this address may be blocked: itself, its domain and those above that."""
    kept = blockable(address)
    if not kept or kept.startswith("@"):
        return []
    labels = kept.rpartition("@")[2].split(".")
    return [kept, *("@" + ".".join(labels[start:]) for start in range(len(labels) - 1))]
