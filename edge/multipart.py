"""multipart/form-data as it streams in: RFC 7578 and https://html.spec.whatwg.org/#multipart-form-data.

The library `multipart` finds the parts; what they mean for a form is said here. A part's own content type
(message/rfc822, nested multipart) is never followed.
"""

import re
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

import msgspec
import multipart

from edge import charsets, words

_HEADER_BYTES = 8_192
_BOUNDARY = re.compile(r""";\s*boundary=(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70}))""", re.IGNORECASE)
# No browser writes it (RFC 7578, 4.2 forbids it), but libraries do: RFC 5987.
_EXTENDED_NAME = re.compile(r";\s*filename\*\s*=\s*\"?(?:[\w!#$%&+^`{}~-]*'[^']*')?([^;\s\"]*)", re.IGNORECASE)


class Part(msgspec.Struct):
    """`filename` is None for a plain field, and empty for a file input in which nothing was chosen.

    `codec` is the one that the part itself names for its content (RFC 7578, 4.4), which browsers do not. `pieces` is
    the content as far as it was gathered.
    """

    name: bytes
    filename: bytes | None
    codec: str | None = None
    pieces: list[bytes] = []

    @property
    def content(self) -> bytes:
        return b"".join(self.pieces)


class Malformed(Exception):
    """The bytes are no multipart/form-data. `detail` may be shown to the sender."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Reader:
    """Takes the content in chunks of any size and gives its parts: a Part, then its bytes, then None, and so on."""

    def __init__(self, content_type: str) -> None:
        """Raises Malformed."""
        found = _BOUNDARY.search(content_type)
        if found is None:
            raise Malformed(words.text("bad_multipart"))
        try:
            boundary = (found.group(1) or found.group(2)).encode("latin-1")
            # latin-1 keeps each byte of the names: which codec they are in is known only at the end.
            self._parser = multipart.PushMultipartParser(
                boundary, max_header_size=_HEADER_BYTES, header_charset="latin-1"
            )
        except (UnicodeEncodeError, multipart.MultipartError):
            raise Malformed(words.text("bad_multipart")) from None

    def feed(self, chunk: bytes) -> Iterator[Part | bytes | None]:
        """Has to be looped through to its end before the next chunk. Raises Malformed."""
        if not chunk:
            return
        try:
            for event in self._parser.parse(chunk):
                yield _part(event) if isinstance(event, multipart.MultipartSegment) else event
        except multipart.MultipartError:
            raise Malformed(words.text("bad_multipart")) from None

    def end(self) -> None:
        """Raises Malformed when the last boundary did not come."""
        try:
            self._parser.close()  # type: ignore[no-untyped-call]
        except multipart.MultipartError:
            raise Malformed(words.text("broken_off")) from None


def _part(segment: multipart.MultipartSegment) -> Part:
    disposition = segment.header("Content-Disposition", "")
    filename = segment.filename
    if filename is None and (found := _EXTENDED_NAME.search(disposition)):
        filename = unquote_to_bytes(found[1].encode("latin-1")).decode("latin-1")
    return Part(
        (segment.name or "").encode("latin-1"),
        filename.encode("latin-1") if filename is not None else None,
        charsets.of_type(segment.header("Content-Type", "")),
        [],
    )
