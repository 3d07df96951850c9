"""What the office reads from its environment: one typed object, every problem said at once, never a value."""

import ipaddress
import os
import re
import sys
from collections.abc import Mapping
from email.utils import parseaddr
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import psycopg
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from psycopg import conninfo
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator


class Environment(BaseModel):
    """Fields are named as their variables; the descriptions are the rows of docs/settings.md."""

    model_config = ConfigDict(hide_input_in_errors=True)

    SECRET_KEY: SecretStr = Field(
        SecretStr(""), description="Signs sessions and one-time links. At least 50 random characters."
    )
    SECRET_KEY_FALLBACKS: SecretStr = Field(
        SecretStr(""),
        description="Earlier SECRET_KEYs, separated by commas: what they signed stays good while a new one takes over.",
    )
    DATABASE_URL: SecretStr = Field(
        SecretStr(""),
        description="PostgreSQL of the office, as role `consult_app`. No other engine is accepted.",
    )
    WORKER_DATABASE_URL: SecretStr = Field(
        SecretStr(""), description="PostgreSQL of the worker, as role `consult_worker`."
    )
    MIGRATE_DATABASE_URL: SecretStr = Field(
        SecretStr(""), description="PostgreSQL for migrations, as role `consult_owner`; direct, not pooled."
    )
    BACKUP_DATABASE_URL: SecretStr = Field(
        SecretStr(""),
        description="PostgreSQL for backups, as role `consult_backup`, which may read everything.",
    )
    ALLOWED_HOSTS: str = Field("", description="Host names of the office, separated by commas. `*` is refused.")
    CONSULT_ENCRYPTION_KEYS: SecretStr = Field(
        SecretStr(""),
        description="Keys for secrets at rest (32 bytes each, url-safe base64); the first encrypts, all decrypt.",
    )
    CONSULT_OFFICE_URL: str = Field(
        "", description="Public address of the office, for example `https://office.example`."
    )
    CONSULT_EDGE_URL: str = Field("", description="Public address of the edge, for example `https://in.example`.")
    CONSULT_SITE_URL: str = Field("", description="Address of the demo site, for the demo form's allowed origins.")
    EMAIL_URL: SecretStr = Field(
        SecretStr(""),
        description="Outgoing mail: `smtp://user:password@host:587?tls=true`. Development writes files instead.",
    )
    CONSULT_MAIL_FROM: str = Field("Consult <consult@localhost>", description="Sender of the mail that Consult sends.")
    CONSULT_MAIL_INBOUND: str = Field(
        "",
        description="Address at which answers come in, such as `inbox@in.example`; a hook hands them over.",
    )
    CONSULT_IMAP_NETWORKS: str = Field(
        "",
        description="Networks (CIDR, commas) of your own where mailboxes may be connected; else public hosts alone.",
    )
    REDIS_URL: SecretStr = Field(
        SecretStr(""), description="Optional Redis for cache and rate limits; without it the database serves."
    )
    CONSULT_LOG_FORMAT: Literal["console", "json"] = Field(
        "console", description="`console` for people, `json` for machines (always `json` in production)."
    )
    CONSULT_TRUSTED_PROXIES: str = Field(
        "",
        description="Networks (CIDR, commas) whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.",
    )
    CONSULT_HSTS: Literal["host", "subdomains", "preload"] = Field(
        "host",
        description="How far browsers are told to use HTTPS alone, for a year: this host, its subdomains, preloaded.",
    )
    CONSULT_OFFICE_HOST: str = Field("127.0.0.1", description="Address that the office listens on.")
    CONSULT_OFFICE_PORT: int = Field(8000, ge=1, le=65535, description="Port that the office listens on.")
    CONSULT_SITE_PORT: int = Field(4321, ge=1, le=65535, description="Port of the demo site (development).")
    CONSULT_DATA_DIR: Path | None = Field(
        None, description="Where development keeps its data and secrets; `var` in the project when unset."
    )
    CONSULT_FILES_URL: str = Field(
        "",
        description="Where files lie (visitors', logos, exports): `file:///folder` or `s3://bucket/prefix?endpoint=…&region=…`.",
    )
    CONSULT_IMPORT_LIMIT_MB: int = Field(
        50, ge=1, le=500, description="How large a CSV file may be that is imported, in megabytes."
    )
    CONSULT_EXTENSION_IDS: str = Field(
        "", description="Ids of the browser extensions that may sign in and call the API, separated by commas."
    )
    CONSULT_API_ORIGINS: str = Field(
        "",
        description="Origins of other web pages whose scripts may call the API, separated by commas. `*` is refused.",
    )
    CONSULT_SIGN_UP: Literal["open", "invited"] = Field(
        "invited", description="Who may sign up: `invited` people only, or, `open`, everybody, each with an agency."
    )
    CONSULT_GITHUB_CLIENT_ID: str = Field(
        "", description="Client id of the OAuth app with which people sign in through GitHub."
    )
    CONSULT_GITHUB_CLIENT_SECRET: SecretStr = Field(SecretStr(""), description="That app's client secret.")
    CONSULT_GITHUB_URL: str = Field("https://github.com", description="Where GitHub's sign-in pages are.")
    CONSULT_GITHUB_API_URL: str = Field("https://api.github.com", description="Where GitHub's API is.")
    CONSULT_API_LIMIT: str = Field(
        "600/minute", description="How often one API token may call, such as 600/minute; a member three times as often."
    )
    CONSULT_KEY_ROTATION_DAYS: int = Field(
        30, ge=1, le=365, description="After how many days another key signs tokens; the worker sees to it."
    )
    CONSULT_PROCESS: Literal["office", "worker", "migrate", "seed"] = Field(
        "office", description="Which database role this process connects with; set by the entry points."
    )

    @field_validator(
        "CONSULT_OFFICE_URL", "CONSULT_EDGE_URL", "CONSULT_SITE_URL", "CONSULT_GITHUB_URL", "CONSULT_GITHUB_API_URL"
    )
    @classmethod
    def _without_slash(cls, address: str) -> str:
        return address.rstrip("/")


def values(environ: Mapping[str, str], names: list[str]) -> tuple[dict[str, str], list[str]]:
    """Take each name, or the content of the file that NAME_FILE names; return the values and the problems."""
    found: dict[str, str] = {}
    problems: list[str] = []
    for name in names:
        plain, file = environ.get(name), environ.get(f"{name}_FILE")
        if plain and file:
            problems.append(f"{name}: both {name} and {name}_FILE are set; keep one.")
        elif file:
            try:
                found[name] = Path(file).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                problems.append(f"{name}_FILE: the file cannot be read ({type(error).__name__}).")
        elif plain:
            found[name] = plain
    return found, problems


def read(environ: Mapping[str, str] = os.environ, *, production: bool = False) -> Environment:
    """Read the environment. Raise ImproperlyConfigured with one line for each problem."""
    found, problems = values(environ, list(Environment.model_fields))
    try:
        environment = Environment.model_validate(found)
    except ValidationError as error:
        wrong = {str(detail["loc"][0]): detail["msg"] for detail in error.errors(include_input=False)}
        problems += [f"{name}: {message}." for name, message in wrong.items()]
        # The rest is looked at without them, so that everything is said at once.
        environment = Environment.model_validate({name: value for name, value in found.items() if name not in wrong})
    said = {problem.partition(":")[0].removesuffix("_FILE") for problem in problems}
    more = [*shape_problems(environment), *(production_problems(environment) if production else [])]
    for problem in more:
        # What is wrong in two ways is said once.
        if (name := problem.partition(":")[0]) not in said:
            said.add(name)
            problems.append(problem)
    if problems:
        raise refusal(problems)
    return environment


def read_or_exit(*, production: bool = False) -> Environment:
    """Like `read`, for the settings: end the process with the message alone, since nobody needs to see a traceback."""
    try:
        return read(production=production)
    except ImproperlyConfigured as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(1) from None


def refusal(problems: list[str]) -> ImproperlyConfigured:
    """Put all problems into one message. Values are never part of it."""
    lines = "\n".join(f"  - {problem}" for problem in problems)
    return ImproperlyConfigured(f"Consult cannot start with this configuration:\n{lines}\nSee docs/settings.md.")


# As the edge reads it.
_FILES_URL = re.compile(r"file:///[^?#]+|s3://[a-z0-9][a-z0-9.-]+(/[^?#]*)?(\?[^#]*)?")
DATABASE_OF = {"office": "DATABASE_URL", "worker": "WORKER_DATABASE_URL", "migrate": "MIGRATE_DATABASE_URL"}


def shape_problems(environment: Environment) -> list[str]:
    """List what is set but cannot be understood: the libraries that read it later would quote the value."""
    problems = []
    for name in (*DATABASE_OF.values(), "BACKUP_DATABASE_URL"):
        problems += _database_problems(name, getattr(environment, name).get_secret_value())
    for name, schemes in (("EMAIL_URL", ("smtp", "smtps")), ("REDIS_URL", ("redis", "rediss", "unix"))):
        address = getattr(environment, name).get_secret_value()
        if address and not _readable(address, schemes):
            problems.append(f"{name}: not an address that begins with {' or '.join(f'{each}://' for each in schemes)}.")
    for name in ("CONSULT_OFFICE_URL", "CONSULT_EDGE_URL", "CONSULT_SITE_URL"):
        address = getattr(environment, name)
        if address and not _is_origin(address):
            problems.append(f"{name}: must be an origin, like https://office.example, without a path or a user.")
    if environment.CONSULT_FILES_URL and not _FILES_URL.fullmatch(environment.CONSULT_FILES_URL):
        problems.append("CONSULT_FILES_URL: neither file:///folder nor s3://bucket/prefix?endpoint=…&region=….")
    try:
        networks = [ipaddress.ip_network(network) for network in listed(environment.CONSULT_TRUSTED_PROXIES)]
    except ValueError:
        problems.append("CONSULT_TRUSTED_PROXIES: not a list of networks like 10.0.0.0/8, separated by commas.")
    else:
        # The widest that anybody has inside: 10.0.0.0/8 and fc00::/7.
        if any(network.prefixlen < (8 if network.version == 4 else 7) for network in networks):
            problems.append("CONSULT_TRUSTED_PROXIES: a network as wide as that believes everybody; list your proxies.")
    try:
        for network in listed(environment.CONSULT_IMAP_NETWORKS):
            ipaddress.ip_network(network)
    except ValueError:
        problems.append("CONSULT_IMAP_NETWORKS: not a list of networks like 10.0.5.0/24, separated by commas.")
    if not _LIMIT.fullmatch(environment.CONSULT_API_LIMIT):
        problems.append("CONSULT_API_LIMIT: not a limit like 600/minute.")
    if environment.CONSULT_MAIL_INBOUND and not _INBOUND.fullmatch(environment.CONSULT_MAIL_INBOUND):
        problems.append(
            "CONSULT_MAIL_INBOUND: not an address like inbox@in.example, of at most 7 letters before the @."
        )
    problems += _origin_problems(environment)
    problems += _github_problems(environment)
    return [*problems, *_key_problems(environment.CONSULT_ENCRYPTION_KEYS.get_secret_value())]


def _github_problems(environment: Environment) -> list[str]:
    problems = [
        f"{name}: not an address like https://github.com."
        for name in ("CONSULT_GITHUB_URL", "CONSULT_GITHUB_API_URL")
        if not (_readable(getattr(environment, name), ("http", "https")) and "@" not in getattr(environment, name))
    ]
    id, secret = environment.CONSULT_GITHUB_CLIENT_ID, environment.CONSULT_GITHUB_CLIENT_SECRET.get_secret_value()
    if id and not secret:
        problems.append("CONSULT_GITHUB_CLIENT_SECRET: missing, though CONSULT_GITHUB_CLIENT_ID is set.")
    if secret and not id:
        problems.append("CONSULT_GITHUB_CLIENT_ID: missing, though CONSULT_GITHUB_CLIENT_SECRET is set.")
    return problems


# What follows the + takes 56 of the 64 characters before an @.
_INBOUND = re.compile(
    r"[a-z0-9]{1,7}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}|[a-z0-9]{1,7}@localhost"
)
_LIMIT = re.compile(r"[1-9]\d{0,6}/(second|minute|hour)")
# Chrome's ids, and those of Firefox add-ons: name@example or {uuid}.
CHROME_ID = re.compile(r"[a-p]{32}")
_EXTENSION_ID = re.compile(
    r"[a-p]{32}|[A-Za-z0-9._-]{1,60}@[A-Za-z0-9.-]{1,60}|\{[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\}"
)
_ORIGIN = re.compile(r"https?://(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9-]{1,63}(?::[1-9]\d{0,4})?")
_DEFAULT_PORT = re.compile(r"http://.*:80|https://.*:443")


def listed(text: str) -> list[str]:
    """Return what stands between commas."""
    return [each.strip() for each in text.split(",") if each.strip()]


def _origin_problems(environment: Environment) -> list[str]:
    """One line for each of the lists of who may call the API with another origin: a wrong one would match nobody."""
    problems = []
    if not all(map(_EXTENSION_ID.fullmatch, listed(environment.CONSULT_EXTENSION_IDS))):
        problems.append("CONSULT_EXTENSION_IDS: an id is 32 letters from a to p, or a Firefox add-on's: name@example.")
    origins = listed(environment.CONSULT_API_ORIGINS)
    if "*" in origins:
        problems.append("CONSULT_API_ORIGINS: `*` lets every web page call; list the real origins.")
    elif not all(
        _ORIGIN.fullmatch(origin) and not _DEFAULT_PORT.fullmatch(origin) and _is_origin(origin) for origin in origins
    ):
        problems.append("CONSULT_API_ORIGINS: not a list of origins like https://app.example, without a path.")
    return problems


def _database_problems(name: str, url: str) -> list[str]:
    if not url:
        return []
    engine = re.match(r"([a-z][a-z0-9+.-]{0,30})://", url)
    if engine and engine[1] not in ("postgresql", "postgres"):
        return [f"{name}: the engine “{engine[1]}” is refused; only PostgreSQL is accepted."]
    try:
        parts = conninfo.conninfo_to_dict(url) if engine else {}
        ports = str(parts.get("port") or 5432).split(",")
        readable = parts and all(not port or 0 < int(port) < 65536 for port in ports)
    except (psycopg.Error, ValueError):
        readable = None
    return [] if readable else [f"{name}: not an address like postgresql://user:password@host:5432/database."]


def _readable(address: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme in schemes and bool(parts.hostname or parts.path) and parts.port != 0
    except ValueError:
        return False


def _is_origin(address: str) -> bool:
    """Whether it is scheme, host and perhaps a port: whatever else it held would stand in every link."""
    if not _readable(address, ("http", "https")):
        return False
    parts = urlsplit(address)
    rest = (parts.path.rstrip("/"), parts.query, parts.fragment)
    return bool(parts.hostname) and "@" not in parts.netloc and not any(rest)


def _key_problems(keys: str) -> list[str]:
    try:
        for key in keys.split(",") if keys else []:
            Fernet(key.strip())
    except ValueError:
        return ["CONSULT_ENCRYPTION_KEYS: not a list of keys (32 url-safe base64-encoded bytes each)."]
    return []


def production_problems(environment: Environment) -> list[str]:
    """List what production may not start with: every missing or weak variable, one line each."""
    database = DATABASE_OF.get(environment.CONSULT_PROCESS, "DATABASE_URL")
    secrets = (database, "CONSULT_ENCRYPTION_KEYS", "EMAIL_URL")
    return [
        *_secret_key_problems("SECRET_KEY", environment.SECRET_KEY.get_secret_value()),
        *_fallback_problems(environment.SECRET_KEY_FALLBACKS.get_secret_value()),
        *(f"{name}: missing." for name in secrets if not getattr(environment, name).get_secret_value()),
        *_host_problems(environment),
        *_left_over(environment),
        # Its client secret and people's tokens go there.
        *(
            f"{name}: must begin with https:// in production."
            for name in ("CONSULT_GITHUB_URL", "CONSULT_GITHUB_API_URL")
            if not getattr(environment, name).startswith("https://")
        ),
        *(
            ["CONSULT_API_ORIGINS: must begin with https:// in production."]
            if any(origin.startswith("http://") for origin in listed(environment.CONSULT_API_ORIGINS))
            else []
        ),
    ]


def _secret_key_problems(name: str, key: str) -> list[str]:
    if not key:
        return [f"{name}: missing."]
    if len(key) < 50 or len(set(key)) < 10 or key.startswith("django-insecure"):
        return [f"{name}: weak; it needs at least 50 random characters."]
    return []


def _fallback_problems(keys: str) -> list[str]:
    # A weak one would sign in its place.
    found = [_secret_key_problems("SECRET_KEY_FALLBACKS", key.strip()) for key in keys.split(",") if key.strip()]
    return next((problems for problems in found if problems), [])


def _host_problems(environment: Environment) -> list[str]:
    problems = []
    hosts = [host.strip() for host in environment.ALLOWED_HOSTS.split(",") if host.strip()]
    if not hosts:
        problems.append("ALLOWED_HOSTS: missing.")
    elif "*" in hosts:
        problems.append("ALLOWED_HOSTS: `*` accepts every host name; list the real ones.")
    elif not all(map(_HOST.fullmatch, hosts)):
        problems.append("ALLOWED_HOSTS: not a list of host names like office.example, without scheme and port.")
    for name in ("CONSULT_OFFICE_URL", "CONSULT_EDGE_URL"):
        address = getattr(environment, name)
        if not address:
            problems.append(f"{name}: missing.")
        elif not address.startswith("https://"):
            problems.append(f"{name}: must begin with https:// in production.")
        elif (
            name == "CONSULT_OFFICE_URL" and not problems and not any(_fits(_host_of(address), host) for host in hosts)
        ):
            problems.append(f"{name}: its host is not in ALLOWED_HOSTS; every link in a mail would be refused.")
    return problems


# Names that nobody can have (RFC 2606), as in .env.example: mail and links to them reach nobody.
_NOBODYS = re.compile(r"(?:.*\.)?(?:example|invalid|example\.(?:com|net|org))\.?")
_HOST = re.compile(r"\.?[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?\.?|\[[0-9a-fA-F:.]{2,45}\]")


def _left_over(environment: Environment) -> list[str]:
    """One line for each variable that still says what .env.example says."""
    urls = (*DATABASE_OF.values(), "BACKUP_DATABASE_URL", "EMAIL_URL", "REDIS_URL", "CONSULT_OFFICE_URL")
    hosts = {name: [_host_of(_text(environment, name))] for name in (*urls, "CONSULT_EDGE_URL", "CONSULT_GITHUB_URL")}
    hosts["ALLOWED_HOSTS"] = listed(environment.ALLOWED_HOSTS)
    hosts["CONSULT_API_ORIGINS"] = [_host_of(origin) for origin in listed(environment.CONSULT_API_ORIGINS)]
    hosts["CONSULT_MAIL_FROM"] = [parseaddr(environment.CONSULT_MAIL_FROM)[1].rpartition("@")[2]]
    return [
        f"{name}: names a host of the examples, which nobody can have."
        for name, found in hosts.items()
        if any(_NOBODYS.fullmatch(host.lower()) for host in found)
    ]


def _text(environment: Environment, name: str) -> str:
    value = getattr(environment, name)
    return str(value.get_secret_value() if isinstance(value, SecretStr) else value)


def _host_of(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _fits(host: str, allowed: str) -> bool:
    """As Django compares them: a leading dot stands for the domain and all below it."""
    allowed = allowed.lower().strip("[]")
    return host == allowed.removeprefix(".") or (allowed.startswith(".") and host.endswith(allowed))
