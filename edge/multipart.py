"""multipart/form-data: RFC 7578 and
https://html.spec.whatwg.org/#multipart-form-data.

The body is in memory and small (256 KiB), so splitting it is enough. The standard library's `email` parser follows
a part's own content type (message/rfc822, nested multipart), which a form must not, and costs 4 MB of memory.
"""

import re

import msgspec

from edge import charsets

_HEADER_BYTES = 8_192
_BOUNDARY = re.compile(r""";\s*boundary=(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70}))""", re.IGNORECASE)
_PARAMETER = re.compile(rb""";\s*([A-Za-z*]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))""", re.DOTALL)


class Malformed(Exception):
    """The bytes are no multipart/form-data. The text may be shown to the sender."""


class TooMany(Exception):
    """More parts than are allowed. `first` holds as many as are."""

    def __init__(self, first: "list[Part]") -> None:
        super().__init__()
        self.first = first


class Part(msgspec.Struct, frozen=True):
    """`filename` is None for a plain field, and empty for a file input in which nothing was chosen.

    `codec` is the one that the part itself names for its content (RFC 7578, 4.4), which browsers do not.
    """

    name: bytes
    filename: bytes | None
    content: bytes
    codec: str | None = None


def split(body: bytes, content_type: str, limit: int) -> list[Part]:
    """At most `limit` parts, in the order sent. Raises Malformed, TooMany."""
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise Malformed("The content type names no boundary.")
    try:
        delimiter = b"\r\n--" + (found.group(1) or found.group(2)).encode("latin-1")
    except UnicodeEncodeError:
        raise Malformed("The boundary is not usable.") from None
    # The first delimiter needs no line break before it; with one in front, all of them look alike.
    framed = b"\r\n" + body
    parts: list[Part] = []
    for section in framed.split(delimiter, limit + 2)[1:]:
        if section.startswith(b"--"):
            return parts
        if len(parts) == limit:
            raise TooMany(parts)
        parts.append(_part(section.lstrip(b" \t")))
    raise Malformed("The content breaks off before the last boundary.")


def _part(section: bytes) -> Part:
    if not section.startswith(b"\r\n"):
        raise Malformed("A boundary is followed by something else than a new line.")
    head, separator, content = section.partition(b"\r\n\r\n")
    if not separator or len(head) > _HEADER_BYTES:
        raise Malformed("A part has no readable headers.")
    headers: dict[bytes, bytes] = {}
    for line in head.split(b"\r\n"):
        key, _, value = line.partition(b":")
        headers.setdefault(key.strip().lower(), value)
    codec = charsets.of_type(headers.get(b"content-type", b"").decode("latin-1"))
    return _disposed(headers.get(b"content-disposition", b""), content, codec)


def _disposed(value: bytes, content: bytes, codec: str | None) -> Part:
    kind = value.partition(b";")[0].strip().lower()
    parameters = {
        found.group(1).lower(): _unquoted(found.group(2)) if found.group(2) is not None else found.group(3)
        for found in _PARAMETER.finditer(value)
    }
    if kind != b"form-data" or b"name" not in parameters:
        raise Malformed("A part does not say which field it is.")
    filename = parameters.get(b"filename", parameters.get(b"filename*"))
    return Part(parameters[b"name"], filename, content, codec)


def _unquoted(text: bytes) -> bytes:
    """Browsers write a quote as %22, line breaks as %0D and %0A; older clients put a backslash before it."""
    for written, meant in ((b'\\"', b'"'), (b"%22", b'"'), (b"%0D", b"\r"), (b"%0A", b"\n")):
        text = text.replace(written, meant)
    return text
