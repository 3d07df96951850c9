"""Which submission is it? An id that a retry makes again, and the receipt that belongs to it."""

import functools
import hashlib
import time
import uuid

import msgspec

from edge.submission import Submission

# Repetitions within this and the bucket before are one submission: a double click, a reload, a retry.
BUCKET_SECONDS = 600

_NAMESPACE = uuid.UUID("6d0c0b58-5a5e-5e0e-9d67-0e6f3b1f5c11")
_KEY_CHARS = 200


def digest(fields: bytes) -> bytes:
    """16 bytes of what was sent: the fields as JSON, line breaks as scripts write them, without what is around it."""
    return hashlib.blake2b(fields.replace(b"\\r\\n", b"\\n"), digest_size=16).digest()


def of_key(form_key: str, key: str) -> bytes:
    """The id of whatever is sent with this key to this form: UUIDv5 (RFC 9562, 5.5)."""
    return uuid.uuid5(_NAMESPACE, f"{form_key}\n{key[:_KEY_CHARS]}").bytes


def of_content(form_key: str, address: str, content: bytes, now: float | None = None) -> tuple[bytes, bytes]:
    """The id of this content from this address at this time, and the one that it had in the bucket before.

    UUIDv8 (RFC 9562, 5.8): 48 bits of time in milliseconds like a UUIDv7, so that rows of a day lie together in the
    index, and 74 bits of hash.
    """
    bucket = int((time.time() if now is None else now) // BUCKET_SECONDS)
    hashed = hashlib.blake2b(f"{form_key}\n{address}\n".encode() + content, digest_size=10).digest()
    tail = _as_version_8(hashed)
    present, before = _starts(bucket)
    return present + tail, before + tail


@functools.lru_cache(maxsize=2)
def _starts(bucket: int) -> tuple[bytes, bytes]:
    """When this bucket and the one before began, as the first 48 bits of an id."""
    milliseconds = BUCKET_SECONDS * 1000
    return (bucket * milliseconds).to_bytes(6, "big"), ((bucket - 1) * milliseconds).to_bytes(6, "big")


def _as_version_8(tail: bytes) -> bytes:
    """The last ten bytes of a UUID with its version and variant in their places."""
    return bytes((tail[0] & 0x0F | 0x80, tail[1], tail[2] & 0x3F | 0x80)) + tail[3:]


def rekeyed(row: Submission) -> Submission:
    """The same row under an id of its own: another one has its id, with other content. Made again it is the same.

    The receipt stays: it may be given out already, by an edge whose spool did not know of the other one.
    """
    other = hashlib.blake2b(row.id + row.digest, digest_size=16, person=b"key_reused").digest()
    id = other[:6] + _as_version_8(other[6:])
    signals = '["key_reused"]' if row.signals == "[]" else row.signals[:-1] + ',"key_reused"]'
    return msgspec.structs.replace(row, id=id, earlier=None, signals=signals)
