"""Secrets at rest: Fernet with rotation (the first key encrypts, every key decrypts)."""

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings


def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(key.strip()) for key in settings.CONSULT_ENCRYPTION_KEYS])


def encrypt(plain: bytes) -> bytes:
    return _fernet().encrypt(plain)


def decrypt(sealed: bytes) -> bytes:
    """Raise cryptography.fernet.InvalidToken when no key fits."""
    return _fernet().decrypt(sealed)
