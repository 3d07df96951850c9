"""Tests: keys that open nothing; `conftest.py` gives the address of its own PostgreSQL."""

from cryptography.fernet import Fernet
from pydantic import SecretStr

from consult.settings import environment
from consult.settings.base import *  # noqa: F403
from consult.settings.base import configure

_environment = environment.read_or_exit()
_environment.SECRET_KEY = SecretStr("only-for-tests-" * 5)
_environment.CONSULT_ENCRYPTION_KEYS = SecretStr(Fernet.generate_key().decode())
# Nobody listens there: the fixtures say where the database really is.
_environment.DATABASE_URL = SecretStr("postgresql://127.0.0.1:1/none")
_environment.ALLOWED_HOSTS = "testserver,localhost,127.0.0.1"
_environment.CONSULT_OFFICE_URL = _environment.CONSULT_OFFICE_URL or "http://testserver"
_environment.CONSULT_EDGE_URL = _environment.CONSULT_EDGE_URL or "http://edge.test"
globals().update(configure(_environment))

DEBUG = False
# Every test has the same people.
CONSULT_API_MEMBER_LIMIT = "9999999/second"
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Static files straight from where they are: nothing has to be collected first.
STATIC_ROOT = None
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# Passkeys work on http://localhost.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True
