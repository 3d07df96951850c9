"""Development: the embedded PostgreSQL or DATABASE_URL; keys made on this machine, kept with mode 0600."""

import os
import sys

from pydantic import SecretStr

from consult.machine import local, postgres
from consult.settings import environment
from consult.settings.base import *  # noqa: F403
from consult.settings.base import configure

_environment = environment.read_or_exit()
_secrets = local.load(local.data_dir())
_environment.SECRET_KEY = SecretStr(_environment.SECRET_KEY.get_secret_value() or _secrets.secret_key)
_environment.CONSULT_ENCRYPTION_KEYS = SecretStr(
    _environment.CONSULT_ENCRYPTION_KEYS.get_secret_value() or _secrets.encryption_key
)
_environment.ALLOWED_HOSTS = _environment.ALLOWED_HOSTS or "localhost,127.0.0.1,[::1]"
_environment.CONSULT_OFFICE_URL = (
    _environment.CONSULT_OFFICE_URL or f"http://127.0.0.1:{_environment.CONSULT_OFFICE_PORT}"
)
_environment.CONSULT_EDGE_URL = (
    _environment.CONSULT_EDGE_URL or f"http://127.0.0.1:{os.environ.get('CONSULT_EDGE_PORT', '8787')}"
)
if not _environment.DATABASE_URL.get_secret_value():
    _urls = postgres.ensure(local.data_dir())
    _environment.DATABASE_URL = SecretStr(_urls["consult_app"])
    _environment.WORKER_DATABASE_URL = SecretStr(_urls["consult_worker"])
    _environment.MIGRATE_DATABASE_URL = SecretStr(_urls["consult_owner"])
globals().update(configure(_environment))

# `runserver` shows Django's error pages; what `consult up` serves looks like production.
DEBUG = "runserver" in sys.argv
if DEBUG:
    CACHES["process"] = {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}  # type: ignore[name-defined] # noqa: F405
# Static files straight from where they are: nothing has to be collected first.
STATIC_ROOT = None
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 0
if not _environment.EMAIL_URL.get_secret_value():
    # Nothing leaves this machine: mails are files, shown at /mail/.
    CONSULT_MAILBOX = local.data_dir() / "mail"
    EMAIL_BACKEND = "consult.core.mailbox.Folder"
# Passkeys work on http://localhost.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True
