"""Secrets at rest: the first key encrypts, every key decrypts."""

import pytest
from cryptography.fernet import Fernet, InvalidToken
from django.test import override_settings

from consult.core import encryption

OLD, NEW, OTHER = (Fernet.generate_key().decode() for _ in range(3))


def test_keys_rotate() -> None:
    with override_settings(CONSULT_ENCRYPTION_KEYS=[OLD]):
        sealed = encryption.encrypt(b"private")
        assert b"private" not in sealed
        assert encryption.encrypt(b"private") != sealed
    with override_settings(CONSULT_ENCRYPTION_KEYS=[f" {NEW} ", OLD]):
        assert encryption.decrypt(sealed) == b"private"
        resealed = encryption.encrypt(b"private")
    with override_settings(CONSULT_ENCRYPTION_KEYS=[NEW]):
        assert encryption.decrypt(resealed) == b"private"
        with pytest.raises(InvalidToken):
            encryption.decrypt(sealed)
    with override_settings(CONSULT_ENCRYPTION_KEYS=[OTHER]):
        for bad in (sealed, resealed, b"", b"rubbish", resealed[:-4] + b"AAAA"):
            with pytest.raises(InvalidToken):
                encryption.decrypt(bad)
