"""The office's side of live tokens: a key pair, and tokens signed with it."""

import secrets
import time
import uuid

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec


class Signer:
    def __init__(self, curve: ec.EllipticCurve | None = None) -> None:
        self.kid = f"key-{secrets.token_hex(4)}"
        self._key = ec.generate_private_key(curve or ec.SECP256R1())

    @property
    def pem(self) -> str:
        public = self._key.public_key()
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return public.public_bytes(serialization.Encoding.PEM, form).decode()

    def token(self, header: dict[str, object] | None = None, /, **changes: object) -> str:
        """A good token, but for the changes; None takes a claim out."""
        now = int(time.time())
        claims: dict[str, object] = {
            "iss": "consult",
            "aud": "consult-live",
            "sub": str(uuid.uuid4()),
            "agency": 1,
            "iat": now,
            "exp": now + 600,
            "jti": str(uuid.uuid4()),
            **changes,
        }
        told = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(
            told, self._key, algorithm="ES256", headers={"kid": self.kid, "typ": "live+jwt", **(header or {})}
        )
