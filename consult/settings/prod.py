"""Production: secrets from the environment alone; refuses to start when one is missing or weak."""

from consult.settings import environment
from consult.settings.base import *  # noqa: F403
from consult.settings.base import configure

_environment = environment.read_or_exit(production=True)
_environment.CONSULT_LOG_FORMAT = "json"
globals().update(configure(_environment))

DEBUG = False
SECURE_SSL_REDIRECT = True
SECURE_HSTS_SECONDS = 365 * 24 * 3600
# Careful unless told otherwise: a domain that is in the browsers' list does not come out again soon.
SECURE_HSTS_INCLUDE_SUBDOMAINS = _environment.CONSULT_HSTS != "host"
SECURE_HSTS_PRELOAD = _environment.CONSULT_HSTS == "preload"
# Django's own check wants both; here it is the operator's choice (CONSULT_HSTS).
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_NAME = "__Host-session"
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_NAME = "__Host-csrf"
LANGUAGE_COOKIE_SECURE = True
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_NAME = "__Host-language"
