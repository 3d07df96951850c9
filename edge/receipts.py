"""Receipts: 12 characters of Crockford's base32 (60 bits), shown in groups of four."""

import hashlib
import re

# https://www.crockford.com/base32.html: no I, L, O, U, so that a receipt survives being read out.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 12
_MISREAD = str.maketrans("ILO", "110")
_PAIRS = [first + second for first in ALPHABET for second in ALPHABET]
_SHAPE = re.compile(f"[{ALPHABET}]{{{_LENGTH}}}")


def of(id: bytes, digest: bytes) -> str:
    """The receipt of a submission by its id and content, as stored: without dashes. Made again it is the same.

    Two contents that were sent with one key have two, wherever each of them is kept.
    """
    bits = int.from_bytes(hashlib.blake2b(id + digest, digest_size=8, person=b"receipt").digest()) >> 4
    pairs = _PAIRS
    return (
        f"{pairs[bits >> 50]}{pairs[bits >> 40 & 1023]}{pairs[bits >> 30 & 1023]}"
        f"{pairs[bits >> 20 & 1023]}{pairs[bits >> 10 & 1023]}{pairs[bits & 1023]}"
    )


def shown(receipt: str) -> str:
    """As people see it: K7QF-2M9X-4TDA."""
    return f"{receipt[:4]}-{receipt[4:8]}-{receipt[8:]}"


def read(text: str) -> str | None:
    """What somebody typed or followed, back to the stored form; None when it cannot be a receipt."""
    if len(text) > 40:
        return None
    receipt = re.sub(r"[\s\-]", "", text).upper().translate(_MISREAD)
    return receipt if _SHAPE.fullmatch(receipt) else None
