"""What is this file? Said by its first bytes, never by its name or by what its sender calls it.

Sniffing proves nothing: it keeps honest people from sending what nobody can use. Whatever is stored is served as an
attachment that no browser runs.
"""

import re
import struct
from typing import BinaryIO

OCTETS = "application/octet-stream"
EMPTY = "inode/x-empty"
_HEAD_BYTES = 64 * 1024

_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_MARKS = (
    (re.compile(rb"\s*%PDF-"), "application/pdf"),
    (re.compile(rb"\s*\{\\rtf"), "application/rtf"),
    (re.compile(rb"%!PS"), "application/postscript"),
    (re.compile(rb"#!\s*/"), "text/x-script"),
)
_SVG = re.compile(rb"<(\w+:)?svg[\s>]", re.IGNORECASE)
_HTML = re.compile(rb"<(!doctype\s+html|html|head|body|script|iframe|style|title)[\s>/]", re.IGNORECASE)
_XML = re.compile(rb"\s*<\?xml\s", re.IGNORECASE)

_OFFICE = "application/vnd.openxmlformats-officedocument."
# The first names in a zip file that say what it is more than a zip file.
_IN_ZIP = (
    (b"word/", _OFFICE + "wordprocessingml.document"),
    (b"xl/", _OFFICE + "spreadsheetml.sheet"),
    (b"ppt/", _OFFICE + "presentationml.presentation"),
    (b"META-INF/MANIFEST.MF", "application/java-archive"),
    (b"AndroidManifest.xml", "application/vnd.android.package-archive"),
)
# The same for Microsoft's older compound files: names in their directory, UTF-16.
_IN_COMPOUND = (
    ("WordDocument", "application/msword"),
    ("PowerPoint Document", "application/vnd.ms-powerpoint"),
    ("Workbook", "application/vnd.ms-excel"),
    ("Book", "application/vnd.ms-excel"),
    ("__substg1.0_", "application/vnd.ms-outlook"),
)
# puremagic's other names for them, and its guesses that are wrong more often than right.
_USUAL = {
    "application/ogg": "audio/ogg",
    "application/x-gzip": "application/gzip",
    "audio/vnd.audiokoz": "audio/mpeg",
    "audio/x-wav": "audio/wav",
    "image/heif": "image/heic",
    "image/x-ms-bmp": "image/bmp",
}
_DOUBTFUL = ("", "audio/x-sndr", OCTETS)


def media_type(file: BinaryIO) -> str:
    """The kind of what is in an open file: blocks, and leaves the position at the beginning. Raises OSError."""
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    try:
        if not head:
            return EMPTY
        if head.startswith(b"PK\x03\x04"):
            return _zipped(head)
        if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
            return _compound(head, file)
        text = _text(head)
        if text is not None:
            return _marked(text)
        return "application/pdf" if b"%PDF-" in head[:1024] else _magic(head)
    finally:
        file.seek(0)


def _text(head: bytes) -> bytes | None:
    """The text as UTF-8; None when these are no characters that people write."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            return head[: len(head) & ~1].decode("utf-16").encode("utf-8", "replace")
        except UnicodeDecodeError:
            return None
    if _CONTROLS.search(head):
        return None
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        # The cut may go through a character; and old programs write windows-1252.
        if error.end < len(head) - 3 and (_magic(head) != OCTETS or not _mostly_ascii(head)):
            return None
    return head.removeprefix(b"\xef\xbb\xbf")


def _mostly_ascii(head: bytes) -> bool:
    return sum(byte < 0x80 for byte in head) * 2 > len(head)


def _marked(text: bytes) -> str:
    for mark, kind in _MARKS:
        if mark.match(text):
            return kind
    if _HTML.search(text[:4096]):
        return "text/html"
    if _SVG.search(text[:4096]):
        return "image/svg+xml"
    return "text/xml" if _XML.match(text) else "text/plain"


def _zipped(head: bytes) -> str:
    names: list[bytes] = []
    for found in re.finditer(rb"PK\x03\x04", head):
        start = found.start()
        if start + 30 > len(head):
            break
        size, name_size, extra_size = struct.unpack_from("<I4xHH", head, start + 18)
        name = head[start + 30 : start + 30 + name_size]
        names.append(name)
        if name == b"mimetype":  # OpenDocument and EPUB write it first and uncompressed
            content = head[start + 30 + name_size + extra_size :][: min(size, 100)]
            if re.fullmatch(rb"application/[a-z0-9.+-]+", content):
                return content.decode()
    for beginning, kind in _IN_ZIP:
        if any(name.startswith(beginning) for name in names):
            return kind
    return "application/zip"


def _compound(head: bytes, file: BinaryIO) -> str:
    """[MS-CFB] 2.2: the sector's size and the directory's first sector stand in the header."""
    if len(head) < 52:
        return OCTETS
    shift, first = struct.unpack_from("<H", head, 30)[0], struct.unpack_from("<I", head, 48)[0]
    if shift in (9, 12):
        file.seek((first + 1) << shift)
        directory = file.read(8_192)
        for name, kind in _IN_COMPOUND:
            if name.encode("utf-16-le") in directory:
                return kind
    return "application/x-ole-storage"


def _magic(head: bytes) -> str:
    if head.startswith((b"MZ", b"\x7fELF")):
        return "application/x-executable"
    import puremagic  # only where a file came: its tables take six megabytes

    found = [match for match in puremagic.magic_string(head) if match.mime_type not in _DOUBTFUL]
    if not found:
        return OCTETS
    best: list[str] = [match.mime_type for match in found if match.confidence == found[0].confidence]
    # AVIF is named as a film too.
    kind = next((kind for kind in best if kind.startswith("image/")), best[0])
    return _USUAL.get(kind, kind)
