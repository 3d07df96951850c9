"""What the office reads from its environment: one typed object, every problem said at once, never a value."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError


class Environment(BaseModel):
    """Fields are named as their variables; the descriptions are the rows of docs/settings.md."""

    model_config = ConfigDict(hide_input_in_errors=True)

    SECRET_KEY: SecretStr = Field(
        SecretStr(""), description="Signs sessions and one-time links. At least 50 random characters."
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
        description="Fernet keys for secrets at rest, separated by commas; the first encrypts, all decrypt.",
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
    CONSULT_OFFICE_HOST: str = Field("127.0.0.1", description="Address that the office listens on.")
    CONSULT_OFFICE_PORT: int = Field(8000, ge=1, le=65535, description="Port that the office listens on.")
    CONSULT_SITE_PORT: int = Field(4321, ge=1, le=65535, description="Port of the demo site (development).")
    CONSULT_DATA_DIR: Path | None = Field(
        None, description="Where development keeps its data and secrets; `var` in the project when unset."
    )
    CONSULT_PROCESS: Literal["office", "worker", "migrate", "seed"] = Field(
        "office", description="Which database role this process connects with; set by the entry points."
    )


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


def read(environ: Mapping[str, str] = os.environ) -> Environment:
    """Read the environment. Raise ImproperlyConfigured with one line for each problem."""
    found, problems = values(environ, list(Environment.model_fields))
    try:
        environment = Environment.model_validate(found)
    except ValidationError as error:
        problems += [f"{detail['loc'][0]}: {detail['msg']}." for detail in error.errors(include_input=False)]
    if problems:
        raise refusal(problems)
    return environment


def refusal(problems: list[str]) -> ImproperlyConfigured:
    """Put all problems into one message. Values are never part of it."""
    lines = "\n".join(f"  - {problem}" for problem in problems)
    return ImproperlyConfigured(f"Consult cannot start with this configuration:\n{lines}\nSee docs/settings.md.")


POSTGRES = ("postgresql://", "postgres://")
DATABASE_OF = {"office": "DATABASE_URL", "worker": "WORKER_DATABASE_URL", "migrate": "MIGRATE_DATABASE_URL"}


def production_problems(environment: Environment) -> list[str]:
    """List what production may not start with: every missing or weak variable, one line each."""
    return [
        *_secret_key_problems(environment.SECRET_KEY.get_secret_value()),
        *_database_problems(environment),
        *_host_problems(environment),
        *_key_problems(environment.CONSULT_ENCRYPTION_KEYS.get_secret_value()),
        *([] if environment.EMAIL_URL.get_secret_value() else ["EMAIL_URL: missing."]),
    ]


def _secret_key_problems(key: str) -> list[str]:
    if not key:
        return ["SECRET_KEY: missing."]
    if len(key) < 50 or len(set(key)) < 10 or key.startswith("django-insecure"):
        return ["SECRET_KEY: weak; it needs at least 50 random characters."]
    return []


def _database_problems(environment: Environment) -> list[str]:
    problems = []
    for name in [DATABASE_OF.get(environment.CONSULT_PROCESS, "DATABASE_URL")]:
        url = getattr(environment, name).get_secret_value()
        if not url:
            problems.append(f"{name}: missing.")
        elif not url.startswith(POSTGRES):
            engine = url.partition(":")[0]
            problems.append(f"{name}: the engine “{engine}” is refused; only PostgreSQL is accepted.")
    return problems


def _host_problems(environment: Environment) -> list[str]:
    problems = []
    hosts = [host.strip() for host in environment.ALLOWED_HOSTS.split(",") if host.strip()]
    if not hosts:
        problems.append("ALLOWED_HOSTS: missing.")
    elif "*" in hosts:
        problems.append("ALLOWED_HOSTS: `*` accepts every host name; list the real ones.")
    for name in ("CONSULT_OFFICE_URL", "CONSULT_EDGE_URL"):
        address = getattr(environment, name)
        if not address:
            problems.append(f"{name}: missing.")
        elif not address.startswith("https://"):
            problems.append(f"{name}: must begin with https:// in production.")
    return problems


def _key_problems(keys: str) -> list[str]:
    if not keys:
        return ["CONSULT_ENCRYPTION_KEYS: missing."]
    try:
        for key in keys.split(","):
            Fernet(key.strip())
    except ValueError:
        return ["CONSULT_ENCRYPTION_KEYS: not a list of Fernet keys (32 url-safe base64-encoded bytes each)."]
    return []
