"""Production: secrets from the environment alone; refuses to start when one is missing or weak."""

from consult.settings import environment
from consult.settings.base import *  # noqa: F403
from consult.settings.base import configure

_environment = environment.read(production=True)
_environment.CONSULT_LOG_FORMAT = "json"
globals().update(configure(_environment))

DEBUG = False
SECURE_SSL_REDIRECT = True
SECURE_REDIRECT_EXEMPT = [r"^health/$", r"^ready/$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_NAME = "__Host-session"
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_NAME = "__Host-csrf"
