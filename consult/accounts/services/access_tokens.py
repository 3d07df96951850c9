"""Access tokens, and the one strict way to believe whoever calls with a token."""

import dataclasses
import datetime as dt
import json
import re
import secrets
from typing import Any
from uuid import UUID

import jwt
from django.conf import settings
from django.db import connection

from consult.accounts import queries
from consult.accounts.services import keys
from consult.accounts.services.key_ring import ring
from consult.accounts.services.tokens import PREFIX, BadToken, believe_api_token

ALGORITHM = "ES256"
# RFC 9068.
TYPE = "at+jwt"
AUDIENCE = "consult-api"
REQUIRED = ["iss", "aud", "sub", "agency", "sid", "jti", "scope", "iat", "exp"]
ACCESS_TOKEN_LIFE = dt.timedelta(minutes=10)
LONGEST_SECONDS = 15 * 60
LEEWAY_SECONDS = 10
_LENGTH = 4_096
_KID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# Times are looked at below, with the clock that the caller has read.
_OPTIONS: Any = {
    "require": REQUIRED,
    "strict_aud": True,
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
}


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
    """Return what the token claims. Raise BadToken unless every check passes: key, algorithm, type, signature, times.

    Whether sign-in and member still stand is not looked at here: `believe` does.
    """
    kid = _kid(token)
    key = ring.find(kid)
    if key is None:
        raise BadToken
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            issuer=settings.CONSULT_OFFICE_URL,
            audience=AUDIENCE,
            options=_OPTIONS,
        )
        _check_times(claims, now.timestamp())
        return _claims(claims, kid)
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        raise BadToken from None


def _kid(token: str) -> str:
    """Return the kid of a header that is as ours are: unverified, good for a look-up only. Raise BadToken."""
    if not token or len(token) > _LENGTH or not token.isascii():
        raise BadToken
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise BadToken from None
    kid = header.get("kid")
    if header.get("alg") != ALGORITHM or header.get("typ") != TYPE or "crit" in header:
        raise BadToken
    if not isinstance(kid, str) or not _KID.fullmatch(kid):
        raise BadToken
    return kid


def _check_times(claims: dict[str, Any], now: float) -> None:
    """Raise ValueError. All are whole seconds since 1970, UTC."""
    issued, expires, begins = claims["iat"], claims["exp"], claims.get("nbf", claims["iat"])
    if not all(type(moment) is int for moment in (issued, expires, begins)):
        raise ValueError("not a time")
    if not 0 < expires - issued <= LONGEST_SECONDS:
        raise ValueError("lives too long")
    if max(issued, begins) > now + LEEWAY_SECONDS or expires <= now - LEEWAY_SECONDS:
        raise ValueError("too early or too late")


def _claims(claims: dict[str, Any], kid: str) -> Claims:
    agency_id = claims["agency"]
    if type(agency_id) is not int or not 0 < agency_id < 2**63:
        raise ValueError("not an agency")
    return Claims(
        UUID(claims["sub"]), agency_id, UUID(claims["sid"]), frozenset(claims["scope"].split(" ")) - {""}, kid
    )


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
    granted = frozenset(json.loads(scopes) if isinstance(scopes, str) else scopes)
    return queries.Caller(here, user_id, claims.scopes & granted, grant_id)
