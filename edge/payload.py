"""Bytes become a value: the fields of one submission, in the order sent, safe to store as jsonb."""

import re
from urllib.parse import unquote_to_bytes

import msgspec

from edge import bounds, multipart

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
JSON = "application/json"
FORM_TYPES = (URLENCODED, MULTIPART)
TYPES = (*FORM_TYPES, JSON)

# What the edge itself uses. Any other name with an underscore is stored like every field: nothing gets lost.
CONTROLS = ("_next", "_page", "_charset_")

CLEANED = "cleaned"
FILE_IGNORED = "file_ignored"

type Pairs = list[tuple[str, str]]


class Unreadable(Exception):
    """The content is not what its type says, or has too many or too long parts. `code` is a problem's."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Payload(msgspec.Struct, frozen=True):
    """`fields` as sent, names may repeat; `controls` holds the first value of each sent name in CONTROLS."""

    fields: tuple[tuple[str, str], ...]
    controls: dict[str, str]
    signals: tuple[str, ...]

    def value(self, name: str) -> str:
        """The first value that is not blank, else the empty string."""
        return next((value for key, value in self.fields if key == name and value.strip()), "")


def parse(body: bytes, content_type: str, limits: bounds.Bounds = bounds.DEFAULT) -> Payload:
    """`content_type` is the whole header. Raises Unreadable and nothing else, whatever the bytes are."""
    media_type = content_type.partition(";")[0].strip().lower()
    signals: set[str] = set()
    if media_type == URLENCODED:
        pairs = _urlencoded(body, limits, signals)
    elif media_type == MULTIPART:
        pairs = _multipart(body, content_type, limits, signals)
    elif media_type == JSON:
        pairs = _json(body, limits, signals)
    else:
        raise Unreadable("wrong_type", f"Send one of: {', '.join(TYPES)}.")
    return _checked(pairs, limits, signals)


def _checked(pairs: Pairs, limits: bounds.Bounds, signals: set[str]) -> Payload:
    fields: Pairs = []
    controls: dict[str, str] = {}
    for sent_name, sent_value in pairs:
        name, value = storable(sent_name), storable(sent_value)
        if name != sent_name or value != sent_value:
            signals.add(CLEANED)
        if len(name) > limits.field_name_chars:
            raise Unreadable("malformed", f"A field's name may hold {limits.field_name_chars} characters.")
        if len(value) > limits.field_value_chars:
            raise Unreadable("malformed", f"A field may hold {limits.field_value_chars} characters.")
        if name in CONTROLS:
            controls.setdefault(name, value)
        elif name or value:
            fields.append((name, value))
    return Payload(tuple(fields), controls, tuple(sorted(signals)))


def storable(text: str) -> str:
    """PostgreSQL stores neither NUL nor a lone surrogate: each becomes U+FFFD."""
    if "\x00" not in text and (text.isascii() or not _SURROGATE.search(text)):
        return text
    return _SURROGATE.sub("\ufffd", text.replace("\x00", "\ufffd"))


_SURROGATE = re.compile("[\ud800-\udfff]")


def _text(raw: bytes, signals: set[str]) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        signals.add(CLEANED)
        return raw.decode(errors="replace")


def _too_many(limits: bounds.Bounds) -> Unreadable:
    return Unreadable("malformed", f"A submission may hold {limits.fields} fields.")


def _urlencoded(body: bytes, limits: bounds.Bounds, signals: set[str]) -> Pairs:
    if body.count(b"&") > 10 * limits.fields:
        raise _too_many(limits)
    parts = [part for part in body.split(b"&") if part]
    if len(parts) > limits.fields:
        raise _too_many(limits)
    pairs: Pairs = []
    for part in parts:
        name, _, value = part.replace(b"+", b" ").partition(b"=")
        pairs.append((_text(unquote_to_bytes(name), signals), _text(unquote_to_bytes(value), signals)))
    return pairs


def _multipart(body: bytes, content_type: str, limits: bounds.Bounds, signals: set[str]) -> Pairs:
    try:
        parts = multipart.split(body, content_type, limits.fields)
    except multipart.Malformed as found:
        raise Unreadable("malformed", str(found)) from None
    pairs: Pairs = []
    for part in parts:
        name = _text(part.name, signals)
        if part.filename is None:
            pairs.append((name, _text(part.content, signals)))
        elif part.filename or part.content:
            # Files are not stored yet; that one was chosen, and its name, must not be lost silently.
            signals.add(FILE_IGNORED)
            pairs.append((name, _text(part.filename, signals)))
    return pairs


_Object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_Strings = msgspec.json.Decoder(list[str])
_String = msgspec.json.Decoder(str)

# One escape, or a pair that makes one character. Scanning whole escapes keeps "\\ud800" as it is.
_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\."
)


def _json(body: bytes, limits: bounds.Bounds, signals: set[str]) -> Pairs:
    text = _text(body, signals)
    if "\\u" in text:
        repaired = _ESCAPE.sub(lambda found: "\\ufffd" if found.group(1) else found.group(0), text)
        if repaired != text:
            signals.add(CLEANED)
            text = repaired
    try:
        content = _Object.decode(text.removeprefix("\ufeff"))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise Unreadable("malformed", "The content is not a JSON object.") from None
    if len(content) > limits.fields:
        raise _too_many(limits)
    pairs: Pairs = []
    for name, raw in content.items():
        pairs.extend((name, value) for value in _json_values(name, bytes(raw).strip()))
    if len(pairs) > limits.fields:
        raise _too_many(limits)
    return pairs


def _json_values(name: str, raw: bytes) -> list[str]:
    """Numbers stay as they were written, 1e400 and 2^63 too: no arithmetic is done with them."""
    try:
        match raw[:1]:
            case b'"':
                return [_String.decode(raw)]
            case b"[":
                return _Strings.decode(raw)
            case b"{":
                raise ValueError
            case b"n":
                return [""]
            case _:
                return [raw.decode()]
    except (msgspec.MsgspecError, ValueError, RecursionError):
        shown = name[:50].encode(errors="replace").decode()
        detail = f"The value of {shown!r} is no string, number, boolean or list of strings."
        raise Unreadable("malformed", detail) from None
