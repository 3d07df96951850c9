"""All of the office's settings; dev, prod and test import this and change little.

Each of them reads the environment first (`environment.read`) and passes it to `configure`.
"""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from consult.core import database
from consult.core import logging as consult_logging
from consult.settings.environment import CHROME_ID, Environment

# Filled by `configure`; named here so that the type checker knows them.
CONSULT_OFFICE_URL: str
CONSULT_EDGE_URL: str
CONSULT_SITE_URL: str
CONSULT_FILES_URL: str
CONSULT_ENCRYPTION_KEYS: list[str] = []
CONSULT_TRUSTED_PROXIES: list[str] = []
CONSULT_EXTENSION_IDS: list[str] = []
CONSULT_API_ORIGINS: list[str] = []
CONSULT_SIGN_UP: str
CONSULT_GITHUB_CLIENT_ID: str
CONSULT_GITHUB_CLIENT_SECRET: str
CONSULT_GITHUB_URL: str
CONSULT_GITHUB_API_URL: str
CONSULT_API_LIMIT: str
CONSULT_API_MEMBER_LIMIT: str
CONSULT_REDIS_URL: str
CONSULT_KEY_ROTATION_DAYS: int = 30
CONSULT_MAIL_INBOUND: str = ""
CONSULT_IMAP_NETWORKS: list[str] = []
CONSULT_IMPORT_LIMIT_BYTES: int = 50 * 1024 * 1024

ROOT = Path(__file__).resolve().parents[2]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "consult.core.apps.AdminSite",
    "django.contrib.staticfiles",
    "django_cotton.apps.SimpleAppConfig",
    "template_partials.apps.SimpleAppConfig",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.github",
    "allauth.usersessions",
    "corsheaders",
    "csp",
    "procrastinate.contrib.django",
    "consult.core.apps.Core",
    "consult.accounts.apps.Accounts",
    "consult.crm.apps.Crm",
    "consult.intake.apps.Intake",
    "consult.tasks.apps.Tasks",
    "consult.inbox.apps.Inbox",
    "consult.thread.apps.Thread",
]

MIDDLEWARE = [
    "consult.core.http.RequestLog",
    # Outside of whatever may answer by itself: refusals, probes, static files, other hosts.
    "consult.core.baseline.Baseline",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "consult.core.http.TrustedProxies",
    # Before whatever answers itself: a preflight is not redirected.
    "corsheaders.middleware.CorsMiddleware",
    # Leads to HTTPS whatever is no probe, and promises it.
    "django.middleware.security.SecurityMiddleware",
    "consult.core.baseline.Refusals",
    "consult.core.health.Probes",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "consult.accounts.middleware.InsideAgency",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # Looked at before allauth's own templates, which carry the same names.
        "DIRS": [ROOT / "consult/core/templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "template_partials.loader.Loader",
                    [
                        (
                            "django.template.loaders.cached.Loader",
                            [
                                "django_cotton.cotton_loader.Loader",
                                "django.template.loaders.filesystem.Loader",
                                "django.template.loaders.app_directories.Loader",
                            ],
                        )
                    ],
                )
            ],
            "builtins": ["django_cotton.templatetags.cotton", "template_partials.templatetags.partials"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "consult.accounts.middleware.shell",
                "consult.intake.middleware.attention",
                "consult.inbox.middleware.mailbox_trouble",
            ],
        },
    }
]

ROOT_URLCONF = "consult.urls"
WSGI_APPLICATION = "consult.wsgi.application"
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/accounts/agencies/"
LOGOUT_REDIRECT_URL = "/"

ACCOUNT_ADAPTER = "consult.accounts.adapter.account.Accounts"
ACCOUNT_FORMS = {
    "login": "consult.accounts.adapter.forms.SignIn",
    "signup": "consult.accounts.adapter.forms.SignUp",
    "request_login_code": "consult.accounts.adapter.forms.AskForCode",
    "reset_password": "consult.accounts.adapter.forms.ForgottenPassword",
}
ACCOUNT_SIGNUP_FORM_CLASS = "consult.accounts.forms.NewPerson"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
# By code, in the browser that signs up: nothing is done by a link that somebody else's mail scanner opens.
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_CHANGE = False
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 10 * 60
# One address for each person; a new one counts once it is verified.
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_SESSION_REMEMBER = True
# The key of login_failed is the account and the address it is tried from, together. Nothing counts by account alone:
# a stranger could lock somebody else out with it (ADR 032).
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "20/m/ip,5/5m/key",
    "signup": "20/h/ip",
    "reset_password": "10/10m/ip",
    "reset_password_from_key": "20/m/ip",
    "request_login_code": "10/10m/ip",
    "confirm_email": "10/10m/ip",
    "change_password": "5/m/user",
    "manage_email": "10/m/user",
    "reauthenticate": "10/m/user",
}
MFA_ADAPTER = "consult.accounts.adapter.factors.Factors"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Consult"
SOCIALACCOUNT_ADAPTER = "consult.accounts.adapter.github.Identities"
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_QUERY_EMAIL = True
# Whether an address really joins two accounts is decided by the adapter: verified there and here.
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
# A name is asked for, and an agency where there is no invitation: always by the form.
SOCIALACCOUNT_AUTO_SIGNUP = False
SOCIALACCOUNT_REQUESTS_TIMEOUT = 10

# Where development keeps mails instead of sending them, and shows them at /mail/; None everywhere else.
CONSULT_MAILBOX: Path | None = None

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"
PROCRASTINATE_ON_APP_READY = "consult.core.queue.on_app_ready"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT: Path | None = ROOT / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "consult.core.errors.csrf_failure"
# Probes come by address and plain HTTP, whatever the rest is asked for.
SECURE_REDIRECT_EXEMPT = [r"^health/$", r"^ready/$"]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Who may call from a page of another origin (CORS_ALLOWED_ORIGINS, below), what, and with which headers. No cookies.
CORS_URLS_REGEX = r"^/(api/|oauth/token$|oauth/revoke$|\.well-known/)"
CORS_ALLOW_CREDENTIALS = False
CORS_ALLOW_METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]
CORS_ALLOW_HEADERS = [
    "accept",
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "x-request-id",
]
CORS_EXPOSE_HEADERS = ["ETag", "Location", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-ID"]
# Seconds for which a browser need not ask again; browsers keep it for two hours at most.
CORS_PREFLIGHT_MAX_AGE = 7200
# Form fields and JSON; a body with files may be as large as CONSULT_BODY_LIMIT_BYTES as a whole. Beyond them: 413.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
DATA_UPLOAD_MAX_NUMBER_FILES = 20
CONSULT_BODY_LIMIT_BYTES = 10 * 1024 * 1024
# One mail, at its hook.
CONSULT_MAIL_LIMIT_BYTES = 40 * 1024 * 1024
# In the session: Django's other storage is a cookie of its own, signed but readable.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
# Ours are the office's alone; the library's default lets every site read them.
WHITENOISE_ALLOW_ALL_ORIGINS = False
# Django's own logging set-up is off: consult.core.logging does it once, for Django as well.
LOGGING_CONFIG = None


def configure(environment: Environment) -> dict[str, Any]:
    """Turn the environment into settings. The caller puts the returned names into its module."""
    consult_logging.configure(environment.CONSULT_LOG_FORMAT)
    url = environment.DATABASE_URL.get_secret_value()
    redis = environment.REDIS_URL.get_secret_value()
    edge = environment.CONSULT_EDGE_URL
    database.addresses.update(
        office=url,
        seed=url,
        worker=environment.WORKER_DATABASE_URL.get_secret_value(),
        migrate=environment.MIGRATE_DATABASE_URL.get_secret_value(),
    )
    return {
        "SECRET_KEY": environment.SECRET_KEY.get_secret_value(),
        "SECRET_KEY_FALLBACKS": _listed(environment.SECRET_KEY_FALLBACKS.get_secret_value()),
        "DATABASES": {"default": database.settings(environment.CONSULT_PROCESS)},
        # `process`: parts of pages that are the same for everybody.
        "CACHES": {"default": _cache(redis), "process": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
        "ALLOWED_HOSTS": _listed(environment.ALLOWED_HOSTS),
        "CSRF_TRUSTED_ORIGINS": [environment.CONSULT_OFFICE_URL] if environment.CONSULT_OFFICE_URL else [],
        "CONTENT_SECURITY_POLICY": {"DIRECTIVES": _policy(edge, _github(environment))},
        "CONSULT_OFFICE_URL": environment.CONSULT_OFFICE_URL,
        "CONSULT_EDGE_URL": edge,
        "CONSULT_SITE_URL": environment.CONSULT_SITE_URL,
        "CONSULT_FILES_URL": environment.CONSULT_FILES_URL
        or ((environment.CONSULT_DATA_DIR or ROOT / "var").absolute() / "files").as_uri(),
        "CONSULT_ENCRYPTION_KEYS": environment.CONSULT_ENCRYPTION_KEYS.get_secret_value().split(","),
        "CONSULT_TRUSTED_PROXIES": _listed(environment.CONSULT_TRUSTED_PROXIES),
        "CONSULT_EXTENSION_IDS": _listed(environment.CONSULT_EXTENSION_IDS),
        "CONSULT_API_ORIGINS": _listed(environment.CONSULT_API_ORIGINS),
        "CONSULT_SIGN_UP": environment.CONSULT_SIGN_UP,
        "CONSULT_GITHUB_CLIENT_ID": environment.CONSULT_GITHUB_CLIENT_ID,
        "CONSULT_GITHUB_CLIENT_SECRET": environment.CONSULT_GITHUB_CLIENT_SECRET.get_secret_value(),
        "CONSULT_GITHUB_URL": environment.CONSULT_GITHUB_URL,
        "CONSULT_GITHUB_API_URL": environment.CONSULT_GITHUB_API_URL,
        "CORS_ALLOWED_ORIGINS": [
            # A Firefox add-on has another origin in each browser; it calls with its host permission instead.
            *(
                f"chrome-extension://{id}"
                for id in _listed(environment.CONSULT_EXTENSION_IDS)
                if CHROME_ID.fullmatch(id)
            ),
            *_listed(environment.CONSULT_API_ORIGINS),
        ],
        "CONSULT_API_LIMIT": environment.CONSULT_API_LIMIT,
        "CONSULT_API_MEMBER_LIMIT": _times(environment.CONSULT_API_LIMIT, 3),
        "CONSULT_REDIS_URL": redis,
        "CONSULT_KEY_ROTATION_DAYS": environment.CONSULT_KEY_ROTATION_DAYS,
        "CONSULT_MAIL_INBOUND": environment.CONSULT_MAIL_INBOUND,
        "CONSULT_IMAP_NETWORKS": _listed(environment.CONSULT_IMAP_NETWORKS),
        "CONSULT_IMPORT_LIMIT_BYTES": environment.CONSULT_IMPORT_LIMIT_MB * 1024 * 1024,
        "DEFAULT_FROM_EMAIL": environment.CONSULT_MAIL_FROM,
        "SERVER_EMAIL": environment.CONSULT_MAIL_FROM,
        **_mail(environment.EMAIL_URL.get_secret_value()),
    }


def _times(limit: str, factor: int) -> str:
    amount, _slash, span = limit.partition("/")
    return f"{int(amount) * factor}/{span}"


def _listed(text: str) -> list[str]:
    return [each.strip() for each in text.split(",") if each.strip()]


def _cache(redis: str) -> dict[str, Any]:
    if redis:
        return {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": redis}
    # Django's own limit of 300 entries would let anybody push the counters of failed sign-ins out.
    options = {"MAX_ENTRIES": 1_000_000}
    return {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "core_cache", "OPTIONS": options}


def _github(environment: Environment) -> str:
    """Return the origin of GitHub's sign-in pages, empty where GitHub is not set up."""
    parts = urlsplit(environment.CONSULT_GITHUB_URL)
    return f"{parts.scheme}://{parts.netloc}" if environment.CONSULT_GITHUB_CLIENT_ID else ""


def _policy(edge: str, github: str) -> dict[str, list[str]]:
    return {
        "default-src": ["'none'"],
        # No nonces: there is no script or style in any page that would need one.
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "connect-src": ["'self'", *([edge] if edge else [])],
        "font-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "manifest-src": ["'self'"],
        "worker-src": ["'self'"],
        # The development's mailbox shows its mails in one.
        "frame-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        # A form's target includes where its answer leads, and the button for GitHub is a form.
        "form-action": ["'self'", *([github] if github else [])],
        "frame-ancestors": ["'none'"],
    }


def _mail(url: str) -> dict[str, Any]:
    if not url:
        return {}
    parts = urlsplit(url)
    options = parse_qs(parts.query)
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname or "localhost",
        "EMAIL_PORT": parts.port or (465 if parts.scheme == "smtps" else 25),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": options.get("tls") == ["true"],
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_TIMEOUT": 15,
    }
