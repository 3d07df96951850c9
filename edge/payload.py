"""Bytes become a value: the fields of one submission, in the order sent, safe to store as jsonb."""

import re
from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

import msgspec

from edge import bounds, charsets, multipart, problems, words
from edge.files import Stored

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
JSON = "application/json"
FORM_TYPES = (URLENCODED, MULTIPART)
TYPES = (*FORM_TYPES, JSON)

# What the edge itself uses. Any other name with an underscore is stored like every field: nothing gets lost.
CONTROLS = frozenset(
    ("_next", "_redirect", "_page", "_charset_", "_key", "_version", "_elapsed", "_rendered", "_proof", "altcha")
)

CLEANED = "cleaned"
FILE_REFUSED = "file_refused"

type Pairs = list[tuple[str, str]]


class Payload(msgspec.Struct, frozen=True):
    """`fields` as sent, names may repeat; `controls` holds the first value of each sent name in CONTROLS.

    `files` are stored already and are no fields; `faults` says which of them the form does not take: then none is.
    """

    fields: tuple[tuple[str, str], ...]
    controls: dict[str, str]
    signals: tuple[str, ...]
    files: tuple[Stored, ...] = ()
    faults: tuple[problems.FieldError, ...] = ()

    def number(self, control: str, *, digits: int = 8) -> int | None:
        """What a control says, if it is a whole number of at most so many digits."""
        text = self.controls.get(control, "")
        return int(text) if text.isascii() and text.isdigit() and len(text) <= digits else None


class Unreadable(Exception):
    """The content is not what its type says, or has too many or too long parts. `code` is a problem's.

    `first` is what could be read, or the beginning of a content with too many fields: to be shown to its sender, never
    to be stored.
    """

    def __init__(self, code: str, detail: str, first: Payload | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.first = first


class _TooMany(Exception):
    def __init__(self, first: Pairs) -> None:
        super().__init__()
        self.first = first


def parse(body: bytes, content_type: str, limits: bounds.Bounds = bounds.DEFAULT) -> Payload:
    """`content_type` is the whole header. Raises Unreadable and nothing else, whatever the bytes are.

    Not for multipart: that is read as it streams in (uploads.py), and comes here in parts.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == JSON and (found := _plain_json(body, limits)) is not None:
        return found
    signals: set[str] = set()
    try:
        if media_type == URLENCODED:
            pairs = _urlencoded(body, content_type, limits, signals)
        elif media_type == JSON:
            pairs = _json(body, limits, signals)
        else:
            raise Unreadable("wrong_type", words.text("wrong_type", types=", ".join(TYPES)))
    except _TooMany as found:
        first = _checked([pair for pair in found.first if pair[1].strip()], limits, signals)
        raise Unreadable("malformed", words.text("too_many_fields", limit=limits.fields), first) from None
    return _checked(pairs, limits, signals)


def _checked(pairs: Pairs, limits: bounds.Bounds, signals: set[str]) -> Payload:
    fields: Pairs = []
    controls: dict[str, str] = {}
    fault = ""
    for sent_name, sent_value in pairs:
        name, value = storable(sent_name), storable(sent_value)
        if name != sent_name or value != sent_value:
            signals.add(CLEANED)
        if len(name) > limits.field_name_chars:
            fault = fault or words.text("name_too_long", limit=limits.field_name_chars)
            continue
        if len(value) > limits.field_value_chars:
            fault = fault or words.text("value_too_long", limit=limits.field_value_chars)
        if name in CONTROLS:
            controls.setdefault(name, value)
        elif name or value:
            fields.append((name, value))
    found = Payload(tuple(fields), controls, tuple(sorted(signals)))
    if fault:
        raise Unreadable("malformed", fault, found)
    return found


def storable(text: str) -> str:
    """PostgreSQL stores neither NUL nor a lone surrogate: each becomes U+FFFD."""
    if "\x00" not in text and (text.isascii() or not _SURROGATE.search(text)):
        return text
    return _SURROGATE.sub("\ufffd", text.replace("\x00", "\ufffd"))


_SURROGATE = re.compile("[\ud800-\udfff]")


def _text(raw: bytes, codec: str, signals: set[str]) -> str:
    text, whole = charsets.decoded(raw, codec)
    if not whole:
        signals.add(CLEANED)
    return text


def _codec(sent: Iterable[tuple[bytes, bytes]], content_type: str) -> str:
    """Browsers fill in a field `_charset_` (https://html.spec.whatwg.org/#attr-fe-name-charset); scripts use the type.

    `sent` are names and values as they came.
    """
    label = next((value for name, value in sent if name.lower() == b"_charset_"), b"")
    return charsets.known(label.decode("latin-1")) or charsets.of_type(content_type) or charsets.UTF_8


def _urlencoded(body: bytes, content_type: str, limits: bounds.Bounds, signals: set[str]) -> Pairs:
    # Empty parts count for nothing, but are not looked through without end.
    most = 10 * limits.fields
    parts = [part for part in body.split(b"&", most + 1)[: most + 1] if part]
    sent: list[tuple[bytes, bytes]] = []
    for part in parts[: limits.fields]:
        name, _, value = part.replace(b"+", b" ").partition(b"=")
        sent.append((unquote_to_bytes(name), unquote_to_bytes(value)))
    codec = _codec(sent, content_type)
    pairs = [(_text(name, codec, signals), _text(value, codec, signals)) for name, value in sent]
    if len(parts) > limits.fields or body.count(b"&") > most:
        raise _TooMany(pairs)
    return pairs


def unreadable_parts(
    code: str, detail: str, parts: list[multipart.Part], content_type: str, limits: bounds.Bounds
) -> Unreadable:
    """The error that gives back what was read until it happened."""
    try:
        first = of_parts([part for part in parts if part.filename is None and part.content], content_type, limits)
    except Unreadable:  # what was read is no better
        return Unreadable(code, detail)
    return Unreadable(code, detail, first)


def of_parts(parts: list[multipart.Part], content_type: str, limits: bounds.Bounds) -> Payload:
    """The fields of parts that were read elsewhere. Raises Unreadable."""
    signals: set[str] = set()
    return _checked(_from_parts(parts, content_type, signals), limits, signals)


def codec_of_parts(parts: list[multipart.Part], content_type: str) -> str:
    return _codec(((part.name, part.content) for part in parts if part.filename is None), content_type)


def _from_parts(parts: list[multipart.Part], content_type: str, signals: set[str]) -> Pairs:
    codec = codec_of_parts(parts, content_type)
    pairs: Pairs = []
    for part in parts:
        name = _text(part.name, codec, signals)
        if part.filename is None:
            pairs.append((name, _text(part.content, part.codec or codec, signals)))
        elif part.filename or part.content:
            # This form takes no files; that one was chosen, and its name, must not be lost silently.
            signals.add(FILE_REFUSED)
            pairs.append((name, _text(part.filename, codec, signals)))
    return pairs


_PlainObject = msgspec.json.Decoder(dict[str, str])
# Shorter than any limit that a single name or value could break.
_PLAIN_BYTES = 50_000


def _plain_json(body: bytes, limits: bounds.Bounds) -> Payload | None:
    """What nearly every page sends: short strings, nothing escaped that could hide what cannot be stored.

    None for all else: it takes the longer way, with the same result.
    """
    # Without \\u there is neither NUL nor surrogate: bare ones are not JSON.
    if len(body) > _PLAIN_BYTES or b"\\u" in body:
        return None
    try:
        sent = _PlainObject.decode(body)
    except (msgspec.MsgspecError, ValueError):
        return None
    if len(sent) > limits.fields or (sent and len(max(sent, key=len)) > limits.field_name_chars):
        return None
    if "" not in sent and CONTROLS.isdisjoint(sent):
        return Payload(tuple(sent.items()), {}, ())
    fields = tuple(pair for pair in sent.items() if pair[0] not in CONTROLS and (pair[0] or pair[1]))
    return Payload(fields, {name: value for name, value in sent.items() if name in CONTROLS}, ())


_Object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_Strings = msgspec.json.Decoder(list[str])
_String = msgspec.json.Decoder(str)

# One escape, or a pair that makes one character. Scanning whole escapes keeps "\\ud800" as it is.
_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\."
)


def _json(body: bytes, limits: bounds.Bounds, signals: set[str]) -> Pairs:
    text = _text(body, charsets.UTF_8, signals)  # always, whatever its type says (RFC 8259, 8.1)
    if "\\u" in text:
        repaired = _ESCAPE.sub(lambda found: "\\ufffd" if found.group(1) else found.group(0), text)
        if repaired != text:
            signals.add(CLEANED)
            text = repaired
    try:
        content = _Object.decode(text.removeprefix("\ufeff"))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise Unreadable("malformed", words.text("not_json")) from None
    if len(content) > limits.fields:
        raise _TooMany([])
    pairs: Pairs = []
    for name, raw in content.items():
        pairs.extend((name, value) for value in _json_values(name, bytes(raw).strip()))
    if len(pairs) > limits.fields:
        raise _TooMany([])
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
        raise Unreadable("malformed", words.text("bad_value", field=repr(shown))) from None
