"""The environment is read once: every problem in one message, and never a value."""

from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.conf import global_settings
from django.contrib.auth import hashers
from django.core.exceptions import ImproperlyConfigured

from consult.settings import base, environment

SECRET = "hunter2-very-secret"


def problems(environ: dict[str, str], *, production: bool = False) -> list[str]:
    """Return the lines of the refusal."""
    with pytest.raises(ImproperlyConfigured) as refused:
        environment.read(environ, production=production)
    message = str(refused.value)
    for value in environ.values():
        assert value not in message
    assert SECRET not in message
    assert refused.value.__cause__ is None
    assert message.endswith("See docs/settings.md.")
    return [line.removeprefix("  - ") for line in message.splitlines() if line.startswith("  - ")]


def test_nothing_set_is_enough_outside_production() -> None:
    found = environment.read({})
    assert found.CONSULT_OFFICE_PORT == 8000
    assert found.SECRET_KEY.get_secret_value() == ""
    assert environment.read({"SECRET_KEY": "", "CONSULT_OFFICE_PORT": ""}) == found


def test_a_value_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"  {SECRET}\n", encoding="utf-8")
    assert environment.read({"SECRET_KEY_FILE": str(file)}).SECRET_KEY.get_secret_value() == SECRET
    file.write_text("9000\n")
    assert environment.read({"CONSULT_OFFICE_PORT_FILE": str(file)}).CONSULT_OFFICE_PORT == 9000


def test_value_and_file_together_are_an_error(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET)
    told = problems({"SECRET_KEY": "another", "SECRET_KEY_FILE": str(file)})
    assert told == ["SECRET_KEY: both SECRET_KEY and SECRET_KEY_FILE are set; keep one."]


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")
    for path, kind in (
        (tmp_path / "missing", "FileNotFoundError"),
        (tmp_path, "IsADirectoryError"),
        (binary, "UnicodeDecodeError"),
    ):
        assert problems({"EMAIL_URL_FILE": str(path)}) == [f"EMAIL_URL_FILE: the file cannot be read ({kind})."]


def test_every_problem_is_said_at_once(tmp_path: Path) -> None:
    told = problems(
        {
            "SECRET_KEY_FILE": str(tmp_path / "missing"),
            "CONSULT_OFFICE_PORT": "many-" + SECRET,
            "CONSULT_LOG_FORMAT": "xml-" + SECRET,
            "DATABASE_URL": f"mysql://root:{SECRET}@db/consult",
            "CONSULT_EDGE_PORT": "not-ours",
        },
        production=True,
    )
    assert [line.partition(":")[0] for line in told] == [
        "SECRET_KEY_FILE",
        "CONSULT_LOG_FORMAT",
        "CONSULT_OFFICE_PORT",
        "DATABASE_URL",
        "CONSULT_ENCRYPTION_KEYS",
        "EMAIL_URL",
        "ALLOWED_HOSTS",
        "CONSULT_OFFICE_URL",
        "CONSULT_EDGE_URL",
    ]


@pytest.mark.parametrize("name", ["DATABASE_URL", "WORKER_DATABASE_URL", "MIGRATE_DATABASE_URL", "BACKUP_DATABASE_URL"])
def test_only_postgresql_is_accepted(name: str) -> None:
    for engine in ("sqlite", "mysql", "oracle"):
        [told] = problems({name: f"{engine}:///{SECRET}"})
        assert told == f"{name}: the engine “{engine}” is refused; only PostgreSQL is accepted."
    # What a library would quote in its own message.
    for url in (
        SECRET,
        f"{SECRET}:x",
        f"postgresql://u:{SECRET}@[::1/db",
        f"postgresql://u:{SECRET}%zz@h/db",
        f"postgresql://u:{SECRET} x@h/db",
    ):
        assert problems({name: url})[0].startswith(f"{name}: not an address like postgresql://")
    for url in ("postgresql://u:p@h:5432/db", "postgres://u@h/db?sslmode=require", "postgresql://%2Fvar%2Frun/db"):
        environment.read({name: url})


def test_what_cannot_be_understood_is_refused_everywhere() -> None:
    for name, value in {
        "EMAIL_URL": f"smtp://user:{SECRET}/x@mail.example:25",
        "REDIS_URL": f"http://:{SECRET}@redis",
        "CONSULT_OFFICE_URL": f"https://office.example/{SECRET}",
        "CONSULT_EDGE_URL": f"ftp://{SECRET}",
        "CONSULT_TRUSTED_PROXIES": f"10.0.0.0/8,{SECRET}",
        "CONSULT_ENCRYPTION_KEYS": f"{Fernet.generate_key().decode()},{SECRET}",
    }.items():
        assert [line.partition(":")[0] for line in problems({name: value})] == [name]
    for name, value in {
        "EMAIL_URL": "smtps://user:pass%2Fword@mail.example",
        "REDIS_URL": "redis://redis:6379/0",
        "CONSULT_TRUSTED_PROXIES": " 10.0.0.0/8 , ::1/128,",
        "CONSULT_ENCRYPTION_KEYS": ",".join(Fernet.generate_key().decode() for _ in range(2)),
    }.items():
        environment.read({name: value})


def test_an_origin_loses_its_slash() -> None:
    """Django would not take `https://office.example/` for a trusted origin, and links would have two."""
    found = environment.read({"CONSULT_OFFICE_URL": "https://office.example/"})
    assert found.CONSULT_OFFICE_URL == "https://office.example"


def test_a_value_is_never_shown() -> None:
    found = environment.read(
        {"SECRET_KEY": SECRET, "EMAIL_URL": f"smtp://u:{SECRET}@h", "DATABASE_URL": "postgres://u@h/d"}
    )
    assert SECRET not in repr(found)
    assert SECRET not in str(found)


def test_mail_settings_from_the_address() -> None:
    found = base._mail("smtp://user%40example.com:p%2Fw@mail.example:587?tls=true")
    assert found["EMAIL_HOST"] == "mail.example"
    assert (found["EMAIL_PORT"], found["EMAIL_USE_TLS"], found["EMAIL_USE_SSL"]) == (587, True, False)
    assert (found["EMAIL_HOST_USER"], found["EMAIL_HOST_PASSWORD"]) == ("user@example.com", "p/w")
    found = base._mail("smtps://mail.example")
    assert (found["EMAIL_PORT"], found["EMAIL_USE_TLS"], found["EMAIL_USE_SSL"]) == (465, False, True)
    assert base._mail("smtp://mail.example")["EMAIL_PORT"] == 25
    assert base._mail("") == {}


def test_passwords_are_hashed_as_django_does_today() -> None:
    """Nothing of ours says otherwise; a weaker one in the tests alone, for their speed."""
    assert not hasattr(base, "PASSWORD_HASHERS")
    assert global_settings.PASSWORD_HASHERS[0] == "django.contrib.auth.hashers.PBKDF2PasswordHasher"
    assert hashers.PBKDF2PasswordHasher.iterations >= 600_000
