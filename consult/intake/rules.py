"""What a form's definition may say, and which field of a submission is the sender's name or address."""

import ipaddress
import re
import secrets
import string
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import SplitResult, urlsplit

FIELD_TYPES = ("text", "email", "tel", "textarea", "select", "checkbox")
FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")
MAX_FIELDS = 50
MAX_LENGTHS = {"textarea": 20_000, "select": 500, "checkbox": 200}
DEFAULT_MAX_LENGTH = 500
HOST = re.compile(r"[a-z0-9.-]+|\[[0-9a-f:.]+\]")
DEFAULT_PORTS = {"http": 80, "https": 443}
# Invisible to people; a name that browsers and password managers do not fill.
HONEYPOT = "hp_topic"

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
    return {
        "name": name,
        "label": str(field.get("label") or "").strip()[:200] or name,
        "type": kind,
        "required": bool(field.get("required")),
        "options": options if kind == "select" else [],
        "max_length": MAX_LENGTHS.get(str(kind), DEFAULT_MAX_LENGTH),
    }


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


def sender(fields: Sequence[Sequence[str]], definition: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """Return (name, e-mail) as claimed in the submission; empty when it names none."""
    emails = {field["name"] for field in definition if field["type"] == "email"} | {"email", "e-mail", "mail"}
    names = ("name", "full_name", "fullname", "your_name", "your-name")
    values = {name.lower(): value.strip() for name, value in reversed(fields)}
    email = next((value.strip() for name, value in fields if name in emails and "@" in value), "")
    name = next((values[name] for name in names if values.get(name)), "")
    if not name:
        name = " ".join(values.get(part, "") for part in ("first_name", "last_name")).strip()
    return name[:200], email[:320]


def gist(fields: Sequence[Sequence[str]], definition: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """Return (subject, excerpt) of a submission: its subject field if it has one, and its longest text."""
    kinds = {field["name"]: field["type"] for field in definition}
    subject = next((value for name, value in fields if name.lower() in ("subject", "topic", "betreff")), "")
    texts = [value for name, value in fields if kinds.get(name) == "textarea"]
    texts = texts or [value for _name, value in fields]
    text = " ".join(max(texts, key=len, default="").split())
    return " ".join(subject.split())[:200], text[:280]


def pretty_receipt(receipt: str) -> str:
    """K7QF2M9X4TDA → K7QF-2M9X-4TDA."""
    return "-".join(receipt[start : start + 4] for start in range(0, len(receipt), 4))


def plain_receipt(text: str) -> str:
    """What a person typed or read aloud → the stored form (Crockford: O is 0, I and L are 1)."""
    plain = re.sub(r"[^0-9A-Z]", "", text.upper())
    return plain.translate(str.maketrans("OIL", "011"))
