"""Receipts: 12 characters of Crockford's base32 (60 bits), shown in groups of four."""

import re
import secrets

# https://www.crockford.com/base32.html: no I, L, O, U, so that a receipt survives being read out.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 12
_MISREAD = str.maketrans("ILO", "110")
_SHAPE = re.compile(f"[{ALPHABET}]{{{_LENGTH}}}")


def new() -> str:
    """An unguessable receipt, as stored: without dashes."""
    bits = secrets.randbits(5 * _LENGTH)
    return "".join(ALPHABET[bits >> 5 * position & 31] for position in range(_LENGTH))


def shown(receipt: str) -> str:
    """As people see it: K7QF-2M9X-4TDA."""
    return "-".join(receipt[start : start + 4] for start in range(0, _LENGTH, 4))


def read(text: str) -> str | None:
    """What somebody typed or followed, back to the stored form; None when it cannot be a receipt."""
    if len(text) > 40:
        return None
    receipt = re.sub(r"[\s\-]", "", text).upper().translate(_MISREAD)
    return receipt if _SHAPE.fullmatch(receipt) else None
