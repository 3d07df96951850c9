"""Text from pages that are not UTF-8: https://encoding.spec.whatwg.org/#names-and-labels."""

import codecs
import re

UTF_8 = "utf-8"

# Only these: a codec that Python would find by any name can be slow, or none for text at all. Those of more than one
# byte are left out; what comes in them is taken for UTF-8 and flagged.
_CODECS = {
    **dict.fromkeys(("utf-8", "utf8"), UTF_8),
    # As browsers do: they call it ISO 8859-1 or ASCII and send windows-1252.
    **dict.fromkeys(("windows-1252", "cp1252", "x-cp1252", "iso-8859-1", "iso8859-1", "iso_8859-1"), "cp1252"),
    **dict.fromkeys(("latin1", "latin-1", "l1", "ascii", "us-ascii"), "cp1252"),
    **dict.fromkeys(("windows-1254", "iso-8859-9", "latin5"), "cp1254"),
    **dict.fromkeys(("windows-874", "iso-8859-11", "tis-620"), "cp874"),
    **{f"windows-{page}": f"cp{page}" for page in (1250, 1251, 1253, 1255, 1256, 1257, 1258)},
    **{f"iso-8859-{part}": f"iso8859_{part}" for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)},
    "iso-8859-8-i": "iso8859_8",
    "latin2": "iso8859_2",
    "ibm866": "cp866",
    "koi8-r": "koi8_r",
    "koi8-u": "koi8_u",
    "macintosh": "mac_roman",
    "x-mac-cyrillic": "mac_cyrillic",
}

_PARAMETER = re.compile(r""";\s*charset\s*=\s*["']?([^\s;"']+)""", re.IGNORECASE)


def known(label: str) -> str | None:
    """Python's codec for a label such as `ISO-8859-1`; None for a label that is not ours."""
    return _CODECS.get(label.strip().lower())


def of_type(content_type: str) -> str | None:
    """The codec that a Content-Type header names."""
    found = _PARAMETER.search(content_type)
    return known(found.group(1)) if found else None


def decoded(raw: bytes, codec: str) -> tuple[str, bool]:
    """The text, and whether all of it was in `codec`. Raises nothing.

    A byte that the codec does not have is read as windows-1252, which is what pages without a declared encoding are
    written in: one lost character would be lost for ever, a wrong one can still be understood.
    """
    try:
        return raw.decode(codec), True
    except UnicodeDecodeError:
        return raw.decode(codec, _OTHERWISE), False


def _as_windows_1252(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    # Five bytes mean nothing in windows-1252 either: U+FFFD.
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


_OTHERWISE = "edge.windows-1252"
codecs.register_error(_OTHERWISE, _as_windows_1252)
