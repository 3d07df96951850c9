"""Production's settings, imported by a process of their own as production does."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from consult.settings import environment

ROOT = Path(__file__).resolve().parents[3]
GOOD = {
    "SECRET_KEY": "aB3$" * 5 + "xY7-kLm9_QwErTyUiOpZxCvBnM1234567890",
    "DATABASE_URL": "postgresql://consult_app:db-password@127.0.0.1:1/consult",
    "ALLOWED_HOSTS": "office.acme.test, www.office.acme.test",
    "CONSULT_OFFICE_URL": "https://office.acme.test",
    "CONSULT_EDGE_URL": "https://in.acme.test",
    "CONSULT_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    "EMAIL_URL": "smtp://user:mail-password@mail.acme.test:587?tls=true",
}
SHOW = """
import json
from consult.settings import prod
names = ("DEBUG", "ALLOWED_HOSTS", "SESSION_COOKIE_SECURE", "SESSION_COOKIE_HTTPONLY", "SESSION_COOKIE_NAME",
         "CSRF_COOKIE_SECURE", "CSRF_COOKIE_HTTPONLY", "CSRF_COOKIE_NAME", "SECURE_HSTS_SECONDS", "SECURE_SSL_REDIRECT",
         "SECURE_HSTS_INCLUDE_SUBDOMAINS", "SECURE_HSTS_PRELOAD", "CSRF_TRUSTED_ORIGINS", "X_FRAME_OPTIONS",
         "EMAIL_HOST", "LANGUAGE_COOKIE_NAME", "LANGUAGE_COOKIE_SECURE", "SECRET_KEY_FALLBACKS")
print(json.dumps({name: getattr(prod, name) for name in names}))
"""


def python(code: str | None, environ: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    arguments = ["-c", code] if code else list(command)
    return subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "consult.settings.prod", **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def settings(**environ: str) -> dict[str, Any]:
    done = python(SHOW, GOOD | environ)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def refused(environ: dict[str, str]) -> list[str]:
    """Return the names of what is wrong; no value may be shown, in whatever the process writes."""
    done = python("import consult.settings.prod", environ)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.count("Consult cannot start with this configuration") == 1
    for name, value in environ.items():
        assert len(value) < 8 or value not in done.stdout + done.stderr, name
    for secret in ("db-password", "mail-password"):
        assert secret not in done.stderr
    return [line.removeprefix("  - ") for line in done.stderr.splitlines() if line.startswith("  - ")]


def test_a_good_environment_makes_it_strict() -> None:
    # DEBUG is no variable of ours: nothing in the environment switches it on.
    found = settings(DEBUG="True", DJANGO_DEBUG="1", CONSULT_DEBUG="on")
    assert found == {
        "DEBUG": False,
        "ALLOWED_HOSTS": ["office.acme.test", "www.office.acme.test"],
        "SESSION_COOKIE_SECURE": True,
        "SESSION_COOKIE_HTTPONLY": True,
        # The prefix makes the browser refuse a cookie that another host or plain HTTP set.
        "SESSION_COOKIE_NAME": "__Host-session",
        "CSRF_COOKIE_SECURE": True,
        "CSRF_COOKIE_HTTPONLY": True,
        "CSRF_COOKIE_NAME": "__Host-csrf",
        "SECURE_HSTS_SECONDS": 365 * 24 * 3600,
        "SECURE_SSL_REDIRECT": True,
        "SECURE_HSTS_INCLUDE_SUBDOMAINS": False,
        "SECURE_HSTS_PRELOAD": False,
        "LANGUAGE_COOKIE_NAME": "__Host-language",
        "LANGUAGE_COOKIE_SECURE": True,
        "SECRET_KEY_FALLBACKS": [],
        "CSRF_TRUSTED_ORIGINS": ["https://office.acme.test"],
        "X_FRAME_OPTIONS": "DENY",
        "EMAIL_HOST": "mail.acme.test",
    }


def test_how_far_https_is_promised_is_the_operators_choice() -> None:
    for choice, subdomains, preload in (("host", False, False), ("subdomains", True, False), ("preload", True, True)):
        found = settings(CONSULT_HSTS=choice)
        assert (found["SECURE_HSTS_INCLUDE_SUBDOMAINS"], found["SECURE_HSTS_PRELOAD"]) == (subdomains, preload)
    assert [line.partition(":")[0] for line in named(GOOD | {"CONSULT_HSTS": "everything"})] == ["CONSULT_HSTS"]


def test_the_refusal_is_no_traceback() -> None:
    """Whatever begins with the settings: a server's worker, a command of Django, one of ours."""
    for command in (
        ("-c", "import consult.wsgi"),
        ("manage.py", "check"),
        ("-m", "consult.cli", "sign-in-link", "a@b.example"),
        ("-m", "consult.cli", "worker"),
    ):
        done = python(None, {"CONSULT_PROCESS": "office"}, *command)
        assert done.returncode == 1, command
        assert "Consult cannot start with this configuration" in done.stderr
        assert "Traceback" not in done.stderr, command
        assert done.stdout == ""


def test_an_earlier_key_is_as_strong_as_the_present_one() -> None:
    other = "Zq8!" * 5 + "pLm3-vNx_RtYuIoPaSdFgHjKl0987654321"
    assert settings(SECRET_KEY_FALLBACKS=f"{other}, {other[::-1]}")["SECRET_KEY_FALLBACKS"] == [other, other[::-1]]
    assert named(GOOD | {"SECRET_KEY_FALLBACKS": f"{other},too-short"}) == [
        "SECRET_KEY_FALLBACKS: weak; it needs at least 50 random characters."
    ]


def test_nothing_set_is_refused_in_one_message() -> None:
    assert sorted(refused({})) == sorted(f"{name}: missing." for name in GOOD)


def test_each_weak_value_is_named() -> None:
    weak = {
        "SECRET_KEY": "too-short-to-be-good",
        "DATABASE_URL": "sqlite:///var/db.sqlite3",
        "ALLOWED_HOSTS": "*",
        "CONSULT_OFFICE_URL": "http://office.acme.test",
        "CONSULT_EDGE_URL": "http://in.acme.test",
        "CONSULT_ENCRYPTION_KEYS": "not-a-fernet-key",
        "EMAIL_URL": "https://mail.acme.test",
    }
    told = refused(weak)
    assert sorted(line.partition(":")[0] for line in told) == sorted(GOOD)
    assert any("the engine “sqlite” is refused" in line for line in told)
    # The rest of what production asks for, without a process for each.
    for key in ("a" * 60, "django-insecure-" + "aB3$xY7-kLm9_QwErTyUiOpZxCvBnM1234567890aB3$xY7"):
        assert named(GOOD | {"SECRET_KEY": key}) == ["SECRET_KEY: weak; it needs at least 50 random characters."]
    # A worker is asked for its own address, the rest being good.
    assert named(GOOD | {"CONSULT_PROCESS": "worker"}) == ["WORKER_DATABASE_URL: missing."]
    assert len(named(GOOD | {"DATABASE_URL": "postgresql://u:db-password@[::1/consult"})) == 1


def test_what_nobody_can_mean_is_refused() -> None:
    """What would start, and then believe everybody, or reach nobody."""
    for name, value in (
        ("CONSULT_TRUSTED_PROXIES", "10.0.0.0/8,0.0.0.0/0"),
        ("CONSULT_TRUSTED_PROXIES", "::/0"),
        ("CONSULT_TRUSTED_PROXIES", "128.0.0.0/1"),
        ("ALLOWED_HOSTS", "office.acme.test,office.example"),
        ("ALLOWED_HOSTS", "https://office.acme.test"),
        ("ALLOWED_HOSTS", "office.acme.test:443"),
        ("CONSULT_OFFICE_URL", "https://me:db-password@office.acme.test"),
        ("CONSULT_OFFICE_URL", "https://office.acme.test?next=1"),
        ("CONSULT_OFFICE_URL", "https://office.acme.test#top"),
        ("CONSULT_OFFICE_URL", "https://office.acme.test:99999"),
        ("CONSULT_OFFICE_URL", "https://office.acme.test:0"),
        ("CONSULT_OFFICE_URL", "https://"),
        ("CONSULT_OFFICE_URL", "https://other.acme.test"),
        ("CONSULT_EDGE_URL", "https://in.example"),
        ("CONSULT_EDGE_URL", "https://in.example.com"),
        ("CONSULT_EDGE_URL", "https://in.acme.test:99999"),
        ("CONSULT_SITE_URL", "https://me:db-password@acme.test"),
        ("CONSULT_GITHUB_URL", "https://me:db-password@github.com"),
        ("CONSULT_API_ORIGINS", "https://app.example"),
        ("CONSULT_API_ORIGINS", "https://app.acme.test:99999"),
        ("CONSULT_MAIL_FROM", "Consult <consult@office.example>"),
        ("CONSULT_OFFICE_PORT", "99999"),
        ("DATABASE_URL", "postgresql://consult_app:db-password@127.0.0.1:99999/consult"),
        ("DATABASE_URL", "postgresql://consult_app:db-password@db.example:5432/consult"),
        ("EMAIL_URL", "smtp://user:mail-password@mail.example:587?tls=true"),
        ("EMAIL_URL", "smtp://user:mail-password@mail.acme.test:99999"),
        ("REDIS_URL", "redis://:db-password@redis.acme.test:99999/0"),
    ):
        assert [line.partition(":")[0] for line in named(GOOD | {name: value})] == [name], (name, value)
    for name, value in (
        ("CONSULT_TRUSTED_PROXIES", "10.0.0.0/8,fc00::/7,203.0.113.7/32"),
        ("ALLOWED_HOSTS", ".acme.test"),
        ("ALLOWED_HOSTS", "OFFICE.acme.test,[::1]"),
        ("CONSULT_OFFICE_URL", "https://office.acme.test:8443/"),
        ("DATABASE_URL", "postgresql://u:p@one.acme.test:5432,two.acme.test:5433/consult"),
        ("DATABASE_URL", "postgresql://u@%2Fvar%2Frun/consult"),
        ("CONSULT_MAIL_FROM", "Acme <hello@acme.test>"),
    ):
        environment.read(GOOD | {name: value}, production=True)


def test_the_examples_file_starts_nothing() -> None:
    lines = [line.removeprefix("#") for line in (ROOT / ".env.example").read_text("utf-8").splitlines()]
    given = dict(line.split("=", 1) for line in lines if re.fullmatch(r"[A-Z_]+=\S.*", line))
    told = {line.partition(":")[0] for line in named(given)}
    assert {"ALLOWED_HOSTS", "CONSULT_OFFICE_URL", "CONSULT_EDGE_URL", "EMAIL_URL", "DATABASE_URL"} <= told


def named(environ: dict[str, str]) -> list[str]:
    with pytest.raises(ImproperlyConfigured) as error:
        environment.read(environ, production=True)
    assert "password" not in str(error.value).replace("user:password@", "")
    return [line.removeprefix("  - ") for line in str(error.value).splitlines() if line.startswith("  - ")]


def test_djangos_own_check_finds_nothing_to_say() -> None:
    done = python(None, GOOD, "manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout
