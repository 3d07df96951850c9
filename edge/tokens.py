"""Live tokens: one strict way to believe them.

Imported when the first stream is opened, not before: PyJWT and cryptography are 9 MB.
"""

import math
import re

import jwt
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from edge import keys as keyring

ALGORITHM = "ES256"
TYPE = "live+jwt"
ISSUER = "consult"
AUDIENCE = "consult-live"
REQUIRED = ["iss", "aud", "sub", "agency", "iat", "exp", "jti"]
LIFETIME_SECONDS = 15 * 60
LEEWAY_SECONDS = 5
_LENGTH = 4_096
_KID = re.compile(r"[A-Za-z0-9._\-]{1,100}")

type Keys = dict[str, ec.EllipticCurvePublicKey]


class Claims(msgspec.Struct, frozen=True):
    """`expires_at` is seconds since 1970, UTC."""

    member: str
    agency: int
    expires_at: float


def load_keys(pems: dict[str, str]) -> Keys:
    """Only P-256 keys; anything else cannot sign ES256 and is left out."""
    keys: Keys = {}
    for kid, pem in pems.items():
        try:
            key = load_pem_public_key(pem.encode())
        except (ValueError, UnsupportedAlgorithm):
            continue
        if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
            keys[kid] = key
    return keys


def kid_of(token: str) -> str:
    """Which key the token says it is signed with: unverified, good for a look-up only. Raises Invalid."""
    if not token or len(token) > _LENGTH or not token.isascii():
        raise keyring.Invalid("no token")
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise keyring.Invalid("no token") from None
    kid = header.get("kid")
    if not isinstance(kid, str) or not _KID.fullmatch(kid):
        raise keyring.Invalid("no kid")
    if header.get("alg") != ALGORITHM or header.get("typ") != TYPE or "crit" in header:
        raise keyring.Invalid("header")
    return kid


def verify(token: str, keys: Keys) -> Claims:
    """Raises Invalid unless every check passes: key, algorithm, type, signature, claims, times, audience."""
    key = keys.get(kid_of(token))
    if key is None:
        raise keyring.Invalid("unknown kid")
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            issuer=ISSUER,
            audience=AUDIENCE,
            leeway=LEEWAY_SECONDS,
            options={"require": REQUIRED, "strict_aud": True},
        )
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise keyring.Invalid(type(error).__name__) from None
    agency, member, issued, expires = claims["agency"], claims["sub"], claims["iat"], claims["exp"]
    if type(agency) is not int or not 0 < agency < 2**63 or not isinstance(member, str) or not member:
        raise keyring.Invalid("claims")
    for moment in (issued, expires):
        if type(moment) not in (int, float) or not math.isfinite(moment):
            raise keyring.Invalid("times")
    if not 0 < expires - issued <= LIFETIME_SECONDS:
        raise keyring.Invalid("lifetime")
    return Claims(member=member, agency=agency, expires_at=float(expires))
