"""Secrets at rest: AES-256-GCM, bound to the row that holds them, with keys that rotate.

A sealed value is text: `enc:v1:<id of the key>:<base64 of nonce and ciphertext>`. The first of CONSULT_ENCRYPTION_KEYS
seals, every one opens; `reseal` brings what older keys have sealed under the first one, so that they can be dropped.
"""

import base64
import binascii
import contextlib
import functools
import hashlib
import os
import re
from collections.abc import Iterable
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import connection, transaction

from consult.core import tenancy

_PREFIX = "enc:v1:"
_SEALED = re.compile(r"enc:v1:([0-9a-f]{8}):([A-Za-z0-9_-]+={0,2})")
_NONCE = 12


class CannotOpen(Exception):
    """No key fits, the value was changed, or it belongs to another row. Nothing of the value is told."""


class Place(NamedTuple):
    """A column with sealed values: `bound_to` is what they are bound to, with `{key}` for the row's key.

    `isolated`: its rows are agencies', and are seen from inside each alone.
    """

    table: str
    key: str
    column: str
    bound_to: str
    isolated: bool = False


# Every column that holds sealed values, for `reseal`.
PLACES: tuple[Place, ...] = (
    Place("core_kv", "key", "value", "core_kv/{key}"),
    # allauth names no row when it seals a person's TOTP secret or the seed of their recovery codes.
    Place("mfa_authenticator", "id", "data", "mfa_authenticator.data"),
    Place("accounts_signingkey", "kid", "private_key_sealed", "accounts_signingkey.private_key_sealed/{key}"),
    Place("inbox_mailbox", "id", "password_sealed", "inbox_mailbox.password_sealed/{key}", isolated=True),
)


def seal(plain: bytes, *, bound_to: str) -> str:
    """Encrypt for one row: only `open_sealed` with the same `bound_to` opens it again."""
    id, cipher = _keys()[0]
    nonce = os.urandom(_NONCE)
    sealed = base64.urlsafe_b64encode(nonce + cipher.encrypt(nonce, plain, bound_to.encode())).decode()
    return f"{_PREFIX}{id}:{sealed}"


def open_sealed(sealed: str, *, bound_to: str) -> bytes:
    """Raise CannotOpen."""
    found = _SEALED.fullmatch(sealed)
    if found is None:
        raise CannotOpen("not a sealed value")
    for id, cipher in _keys():
        if id == found[1]:
            try:
                content = base64.b64decode(found[2], altchars=b"-_", validate=True)
                return cipher.decrypt(content[:_NONCE], content[_NONCE:], bound_to.encode())
            except (InvalidTag, ValueError, binascii.Error):
                raise CannotOpen("changed, or of another row") from None
    raise CannotOpen(f"sealed with the key {found[1]}, which CONSULT_ENCRYPTION_KEYS does not hold")


def hashed(secret: str) -> str:
    """Return what is stored of a secret that is only ever compared: 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def key_ids() -> list[str]:
    """Return the ids of our keys, the one that seals first."""
    return [id for id, _cipher in _keys()]


def derived(purpose: str) -> list[bytes]:
    """Return 32 bytes for a purpose of its own from each key: the first one signs, every one is believed."""
    return [_derive(key.strip(), b"derived " + purpose.encode(), 32) for key in settings.CONSULT_ENCRYPTION_KEYS]


def _keys() -> list[tuple[str, AESGCM]]:
    return _derived(tuple(key.strip() for key in settings.CONSULT_ENCRYPTION_KEYS))


@functools.lru_cache(maxsize=8)
def _derived(keys: tuple[str, ...]) -> list[tuple[str, AESGCM]]:
    return [(_derive(key, b"id", 4).hex(), AESGCM(_derive(key, b"aes-256-gcm", 32))) for key in keys]


def _derive(key: str, purpose: bytes, length: int) -> bytes:
    secret = base64.urlsafe_b64decode(key)
    return HKDF(hashes.SHA256(), length, salt=None, info=b"consult enc v1 " + purpose).derive(secret)


def sealed_with(sealed: str) -> str:
    """Return the id of the key that a sealed value needs. Raise CannotOpen for what is none."""
    found = _SEALED.fullmatch(sealed)
    if found is None:
        raise CannotOpen("not a sealed value")
    return found[1]


def seal_again(sealed: str, *, bound_to: str) -> str:
    """Bring a sealed value under the first key. Raise CannotOpen."""
    return seal(open_sealed(sealed, bound_to=bound_to), bound_to=bound_to)


def in_use(agencies: Iterable[int] = ()) -> dict[str, dict[str, int]]:
    """Return how many rows of each table are sealed with which key: {"core_kv.value": {"1f0a…": 12}}.

    `agencies`: those whose rows are looked at, where rows are agencies'.
    """
    found: dict[str, dict[str, int]] = {}
    for place in PLACES:
        of_place = found[f"{place.table}.{place.column}"] = {}
        for agency_id in agencies if place.isolated else (None,):
            with _inside(agency_id), connection.cursor() as cursor:
                cursor.execute(
                    f"SELECT substring({place.column}::text from 'enc:v1:([0-9a-f]{{8}}):') AS id, count(*) "  # noqa: S608
                    f"FROM {place.table} WHERE {place.column}::text LIKE '%%enc:v1:%%' GROUP BY 1"
                )
                for id, count in cursor.fetchall():
                    of_place[id] = of_place.get(id, 0) + count
    return found


def _inside(agency_id: int | None) -> contextlib.AbstractContextManager[None]:
    return transaction.atomic() if agency_id is None else tenancy.agency(agency_id)


def reseal(place: Place, *, limit: int = 200, agency_id: int | None = None) -> int:
    """Bring at most `limit` rows under the first key and return how many; 0 when none is left. Raise CannotOpen.

    Each call commits, so that a run that is cut off goes on where it was. `agency_id`: of an isolated place.
    """
    first = key_ids()[0]
    # Rows whose every value is under the first key have no other id in them.
    other = f"enc:v1:(?!{first}:)[0-9a-f]{{8}}:"
    table, key, column = place.table, place.key, place.column
    with _inside(agency_id), connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {key}::text, {column}::text, pg_typeof({column})::text FROM {table} "  # noqa: S608
            f"WHERE {column}::text ~ %s ORDER BY {key} LIMIT %s FOR UPDATE SKIP LOCKED",
            [other, limit],
        )
        rows = cursor.fetchall()
        for id, text, kind in rows:
            bound_to = place.bound_to.format(key=id)
            again = _SEALED.sub(lambda found, to=bound_to: seal_again(found[0], bound_to=to), text)  # type: ignore[misc]
            cursor.execute(f"UPDATE {table} SET {column} = %s::{kind} WHERE {key}::text = %s", [again, id])  # noqa: S608
    return len(rows)
