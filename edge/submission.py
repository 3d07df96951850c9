"""What is stored: one row, the same on its way to PostgreSQL, through the spool and set aside."""

import datetime
from typing import Literal

import msgspec

type Kind = Literal[
    "stored", "duplicate", "conflict", "unknown_form", "set_aside", "spooled",
    # Of rows from a spool: kept, but not counted for it; taken by nobody.
    "duplicate_direct", "set_aside_uncounted", "refused",
]  # fmt: skip


class Submission(msgspec.Struct, array_like=True):
    """`fields`, `signals` and `files` are JSON text; `receipt` is without dashes; `received_at` is UTC.

    `id` and `earlier` are the 16 bytes of a UUID: `earlier` is the id that the same content had in the ten minutes
    before, None where the sender's key made the id. `files` is None when there are none.
    """

    id: bytes
    earlier: bytes | None
    form_key: str
    form_version: int
    agency_id: int
    receipt: str
    received_at: datetime.datetime
    digest: bytes
    fields: str
    page_url: str
    referrer: str
    origin: str
    address: str
    user_agent: str
    content_type: str
    signals: str
    request_id: str
    files: str | None = None


class Outcome(msgspec.Struct, frozen=True):
    """What became of a row. `receipt` (without dashes) is the one to give out: a repetition gets its first one's."""

    kind: Kind
    receipt: str


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Submission).decode


def pack(row: Submission) -> bytes:
    """The row as bytes, for the spool and for what is set aside."""
    return _encode(row)


def unpack(content: bytes) -> Submission:
    """Raises msgspec.MsgspecError when these are not a packed row's bytes."""
    return _decode(content)
