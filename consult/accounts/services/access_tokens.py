"""Access tokens, and the one strict way to believe whoever calls with a token."""

import base64
import dataclasses
import datetime as dt
import functools
import json
import re
import secrets
from typing import Annotated
from uuid import UUID

import jwt
import msgspec
from django.conf import settings
from django.db import connection

from consult.accounts import queries
from consult.accounts.services import keys
from consult.accounts.services.key_ring import ring
from consult.accounts.services.tokens import PREFIX, BadToken, believe_api_token
from consult.core import origin

ALGORITHM = "ES256"
# RFC 9068.
TYPE = "at+jwt"
AUDIENCE = "consult-api"
ACCESS_TOKEN_LIFE = dt.timedelta(minutes=10)
LONGEST_SECONDS = 15 * 60
LEEWAY_SECONDS = 10
_LENGTH = 4_096
_KID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_ES256 = jwt.PyJWS(algorithms=[ALGORITHM]).get_algorithm_by_name(ALGORITHM)


class _Payload(msgspec.Struct):
    """What must be in a token, and as what. Times are whole seconds since 1970, UTC."""

    iss: str
    aud: str
    sub: UUID
    agency: Annotated[int, msgspec.Meta(gt=0, le=2**63 - 1)]
    sid: UUID
    jti: str
    scope: str
    iat: int
    exp: int
    nbf: int | None = None


_payload = msgspec.json.Decoder(_Payload)


@dataclasses.dataclass(frozen=True)
class Claims:
    """What a signature vouches for: who, where, by which sign-in (`grant_id`), within which scopes, by which key."""

    member_id: UUID
    agency_id: int
    grant_id: UUID
    scopes: frozenset[str]
    kid: str


def access_token(
    *, agency_id: int, member_id: UUID, grant_id: UUID, client_id: str, scopes: list[str], now: dt.datetime
) -> str:
    """Return a token with which a program may call the API in the member's place for ACCESS_TOKEN_LIFE."""
    claims = {
        "iss": settings.CONSULT_OFFICE_URL,
        "aud": AUDIENCE,
        "sub": str(member_id),
        "agency": agency_id,
        "sid": str(grant_id),
        "client_id": client_id,
        "scope": " ".join(scopes),
        "iat": now,
        "exp": now + ACCESS_TOKEN_LIFE,
        "jti": secrets.token_urlsafe(12),
    }
    return keys.sign(claims, typ=TYPE, now=now)


def verify(token: str, *, now: dt.datetime) -> Claims:
    """Return what the token claims. Raise BadToken unless every check passes: key, algorithm, type, signature, claims.

    Whether sign-in and member still stand is not looked at here: `believe` does.

    The signature is PyJWT's affair; the rest is not left to its `decode`, which goes through a token letter by letter,
    twice, and took two thirds of the time.
    """
    if len(token) > _LENGTH or not token.isascii():
        raise BadToken
    try:
        head, body, signature = token.split(".")
        kid = _kid(head)
        key = ring.find(kid)
        if key is None or not _ES256.verify(f"{head}.{body}".encode(), key, _bytes(signature)):
            raise BadToken
        # Not `_bytes`: the signature vouches for how this is written.
        return _claims(_payload.decode(base64.urlsafe_b64decode(body + "==")), kid, now.timestamp())
    except (jwt.PyJWTError, ValueError, TypeError, LookupError, OverflowError, RecursionError):
        raise BadToken from None


@functools.lru_cache(maxsize=32)
def _kid(head: str) -> str:
    """Return the kid of a header that is as ours are: unverified, good for a look-up only. Raise ValueError."""
    header = json.loads(_bytes(head))
    if header["alg"] != ALGORITHM or header["typ"] != TYPE or "crit" in header:
        raise ValueError("another kind of token")
    kid = header["kid"]
    if not isinstance(kid, str) or not _KID.fullmatch(kid):
        raise ValueError("no kid")
    return kid


def _bytes(segment: str) -> bytes:
    """Decode base64url without padding. Raise ValueError for what is written in any other way than the one."""
    content = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    if base64.urlsafe_b64encode(content).rstrip(b"=") != segment.encode():
        raise ValueError("not base64url")
    return content


def _claims(payload: _Payload, kid: str, now: float) -> Claims:
    """Check what is signed, at `now` (seconds since 1970). Raise ValueError."""
    if payload.iss != settings.CONSULT_OFFICE_URL or payload.aud != AUDIENCE:
        raise ValueError("not from here, or not for here")
    if not 0 < payload.exp - payload.iat <= LONGEST_SECONDS:
        raise ValueError("lives too long")
    begins = payload.iat if payload.nbf is None else max(payload.iat, payload.nbf)
    if begins > now + LEEWAY_SECONDS or payload.exp <= now - LEEWAY_SECONDS:
        raise ValueError("too early or too late")
    return Claims(payload.sub, payload.agency, payload.sid, frozenset(payload.scope.split()), kid)


def believe(bearer: str, *, now: dt.datetime) -> queries.Caller:
    """Return who calls with this token, an API token's secret or an access token: with their role as it is now.

    Raise BadToken. One query each: it sees at once that somebody has left, signed out, or revoked the token or its key.
    """
    if bearer.startswith(PREFIX):
        return believe_api_token(bearer, now=now)
    claims = verify(bearer, now=now)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT found.* FROM accounts_grant_v1(%s, %s, %s) found"
            " JOIN accounts_user u ON u.id = found.user_id AND u.is_active",
            [claims.grant_id, claims.kid, now],
        )
        row = cursor.fetchone()
    if row is None:
        raise BadToken
    grant_id, scopes, user_id, *place = row
    here = queries.Membership(*place)
    if (here.agency_id, here.member_id) != (claims.agency_id, claims.member_id):
        raise BadToken
    origin.believe(grant_id)
    granted = frozenset(json.loads(scopes) if isinstance(scopes, str) else scopes)
    return queries.Caller(here, user_id, claims.scopes & granted, grant_id)
