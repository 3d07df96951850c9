"""What our own addresses and ids name, signed: nobody can make one up, and nothing has to be looked up to read it."""

import base64
import binascii
import hashlib
import hmac
import re
import uuid
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

_ENQUIRY, _FORM, _HOOK = 1, 2, 3
_MAC_BYTES = 10
# In the part of an address before the @ (64 characters at most) and in ids of messages, which some programs read only
# when they stand on one line.
_TOKEN = re.compile(r"(?<![a-z2-7])(?:[a-z2-7]{32}|[a-z2-7]{56})(?![a-z2-7])")


class Named(NamedTuple):
    """What a token names: an enquiry by its number, a form, or (neither) the agency's own hook."""

    agency_id: int
    number: int | None = None
    form_id: UUID | None = None


def token(named: Named, key: bytes) -> str:
    """Return the token of an enquiry, a form or a hook: 32 letters and digits, of a form 56."""
    if named.form_id is not None:
        head = bytes([_FORM]) + named.agency_id.to_bytes(8) + named.form_id.bytes
    else:
        kind = _HOOK if named.number is None else _ENQUIRY
        head = bytes([kind]) + named.agency_id.to_bytes(5) + (named.number or 0).to_bytes(4)
    return base64.b32encode(head + _mac(head, key)).decode().lower()


def _mac(head: bytes, key: bytes) -> bytes:
    return hmac.digest(key, head, "sha256")[:_MAC_BYTES]


def named_in(text: str, keys: Iterable[bytes]) -> Named | None:
    """Return what the first token of ours in a text names; None when there is none."""
    for match in _TOKEN.finditer(text.lower()[:20_000]):
        try:
            content = base64.b32decode(match[0].upper())
        except binascii.Error:
            continue
        head, mac = content[:-_MAC_BYTES], content[-_MAC_BYTES:]
        if any(hmac.compare_digest(mac, _mac(head, key)) for key in keys):
            return _named(head)
    return None


def _named(head: bytes) -> Named | None:
    if head[0] == _FORM:
        return Named(int.from_bytes(head[1:9]), form_id=uuid.UUID(bytes=head[9:]))
    return Named(int.from_bytes(head[1:6]), int.from_bytes(head[6:]) if head[0] == _ENQUIRY else None)


# --- the hook's signature -------------------------------------------------------------------------------------------

SKEW_SECONDS = 300
_SIGNATURE = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")


def signature(body: bytes, secret: str, at: int) -> str:
    """Return t=…,v1=…: HMAC-SHA256 over seconds since 1970, a dot and the body."""
    made = hmac.new(secret.encode(), f"{at}.".encode(), hashlib.sha256)
    made.update(body)
    return f"t={at},v1={made.hexdigest()}"


def signed_by(said: str, body: bytes, secrets: Sequence[str], now: int) -> bool:
    """Whether a signature is of one of these secrets and not older, nor from further ahead, than five minutes."""
    found = _SIGNATURE.fullmatch(said.strip())
    if found is None or abs(now - int(found[1])) > SKEW_SECONDS:
        return False
    return any(hmac.compare_digest(signature(body, secret, int(found[1])), found[0]) for secret in secrets)
