"""The keys that sign tokens, and the token for live pages."""

import datetime as dt
import secrets
from uuid import UUID

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.db import connection, transaction

from consult.accounts import models
from consult.core import encryption

LIVE_TOKEN_LIFE = dt.timedelta(minutes=10)


def live_token(*, agency_id: int, member_id: UUID, now: dt.datetime) -> str:
    """Return an ES256 token with which one page may listen to its agency's nudges for LIVE_TOKEN_LIFE."""
    key = _signing_key()
    private = serialization.load_pem_private_key(_open(key), None)
    claims = {
        "iss": "consult",
        "aud": "consult-live",
        "sub": str(member_id),
        "agency": agency_id,
        "iat": now,
        "exp": now + LIVE_TOKEN_LIFE,
        "jti": secrets.token_urlsafe(12),
    }
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise TypeError("the signing key is not an elliptic curve key")
    return jwt.encode(claims, private, algorithm="ES256", headers={"kid": key.kid, "typ": "live+jwt"})


def _open(key: models.SigningKey) -> bytes:
    sealed = bytes(key.private_key_encrypted).decode()
    return encryption.open_sealed(sealed, bound_to=f"accounts_signingkey/{key.kid}")


def _signing_key() -> models.SigningKey:
    """Return the newest key; make the first one. The lock lets only one process do so."""
    newest = models.SigningKey.objects.order_by("-created_at")
    if key := newest.first():
        return key
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('accounts_signingkey'))")
        if key := newest.first():
            return key
        private = ec.generate_private_key(ec.SECP256R1())
        pem = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        public = private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        kid = secrets.token_urlsafe(12)
        key = models.SigningKey.objects.create(
            kid=kid,
            public_key=public.decode(),
            private_key_encrypted=encryption.seal(pem, bound_to=f"accounts_signingkey/{kid}").encode(),
        )
        cursor.execute("SELECT pg_notify('consult_keys', %s)", [key.kid])
    return key
