"""The secrets that somebody else checks are rotated as docs/operations.md says: set, restart, and the old one is gone.

Each restart is a process of its own, which reads production's settings from files (`NAME_FILE`) and tries each secret.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.test import RequestFactory, override_settings
from psycopg import sql

from conftest import Database
from consult.accounts.adapter import github as adapter
from consult.core.tests.test_settings_prod import GOOD
from consult.machine import postgres_cluster
from tests import s3
from tests.github import CLIENT_ID, GitHub, serving

ROOT = Path(__file__).resolve().parents[1]
OLD, NEW = "old-password-of-it", "new-password-of-it"
ROLES = {
    "DATABASE_URL": "consult_app",
    "WORKER_DATABASE_URL": "consult_worker",
    "MIGRATE_DATABASE_URL": "consult_owner",
    "BACKUP_DATABASE_URL": "consult_backup",
}
# What a program does with each secret when it has been started; what was refused is told by the error's name.
TRY = """
import json, django
django.setup()
from django.core import mail
from django.core.cache import cache
from django.db import connection
import psycopg
from consult.core import database, files
from consult.settings import environment

def connect(process):
    database.use(process)
    connection.ensure_connection()

def store():
    location = files.new_location(1, "export")
    with files.writing(location) as file:
        file.write(b"kept")
    assert b"".join(files.read(location)) == b"kept"

backup = environment.read(production=True).BACKUP_DATABASE_URL.get_secret_value()
tried = {
    "DATABASE_URL": lambda: connect("office"),
    "WORKER_DATABASE_URL": lambda: connect("worker"),
    "MIGRATE_DATABASE_URL": lambda: connect("migrate"),
    "BACKUP_DATABASE_URL": lambda: psycopg.connect(backup).close(),
    "EMAIL_URL": lambda: mail.send_mail("Hello", "Hello", None, ["ann@visitor.test"]),
    "REDIS_URL": lambda: cache.set("a", 1),
    "AWS_SECRET_ACCESS_KEY": store,
}
found = {}
for name, use in tried.items():
    try:
        use()
        found[name] = "works"
    except Exception as error:
        found[name] = type(error).__name__
print(json.dumps(found))
"""


def started(script: str, environ: dict[str, str]) -> str:
    """Run a program anew with this environment; return what it writes."""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "consult.settings.prod", **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for secret in (OLD, NEW):
        assert secret not in done.stdout + done.stderr
    return done.stdout


class Mails:
    """Somebody else's mail server, which lets in whoever knows its password."""

    def __init__(self) -> None:
        self.password = OLD
        self.arrived = 0

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, way: str, data: Any) -> AuthResult:
        known = isinstance(data, LoginPassword) and data.password == self.password.encode()
        return AuthResult(success=known)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.arrived += 1
        return "250 OK"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def mails() -> Iterator[tuple[Mails, int]]:
    box, port = Mails(), free_port()
    controller = Controller(
        box,
        hostname="127.0.0.1",
        port=port,
        authenticator=box.authenticate,
        auth_required=True,
        auth_require_tls=False,
    )
    controller.start()
    try:
        yield box, port
    finally:
        controller.stop()


@pytest.fixture
def cache_server(tmp_path: Path) -> Iterator[tuple["redis.Redis", int]]:
    """A Redis that asks for a password."""
    server = shutil.which("redis-server")
    assert server, "redis-server is missing; `make test` installs it"
    port = free_port()
    arguments = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--requirepass", OLD, "--dir", str(tmp_path)]
    process = subprocess.Popen([server, *arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    for line in process.stdout:
        if "Ready to accept connections" in line:
            break
    try:
        with redis.Redis(port=port, password=OLD) as client:
            yield client, port
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def changed(url: str, password: str) -> str:
    return re.sub(r"(?<=:)[^:@/]+(?=@)", password, url)


@pytest.fixture
def passwords(cluster: postgres_cluster.Cluster, database: Database) -> Iterator[dict[str, dict[str, str]]]:
    """The addresses of each role with its present and with its next password, which is put back at the end."""
    change = sql.SQL("ALTER ROLE {} PASSWORD {}")
    present = {name: database.urls[role] for name, role in ROLES.items()}
    try:
        yield {"old": present, "new": {name: changed(url, NEW) for name, url in present.items()}}
    finally:
        with psycopg.connect(cluster.url("superuser", "postgres"), autocommit=True) as admin:
            for name, role in ROLES.items():
                [password] = re.findall(r":([^:@/]+)@", present[name])
                admin.execute(change.format(sql.Identifier(role), sql.Literal(password)))


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_each_takes_over_and_the_old_one_is_refused(
    database: Database,
    passwords: dict[str, dict[str, str]],
    mails: tuple[Mails, int],
    cache_server: tuple["redis.Redis", int],
    tmp_path: Path,
) -> None:
    box, mail_port = mails
    client, redis_port = cache_server
    with s3.serving() as bucket:
        bucket.secret = OLD

        def environ(password: str, urls: dict[str, str]) -> dict[str, str]:
            values = {
                **urls,
                "EMAIL_URL": f"smtp://user:{password}@127.0.0.1:{mail_port}",
                "REDIS_URL": f"redis://:{password}@127.0.0.1:{redis_port}/0",
            }
            for name, value in values.items():
                (tmp_path / name).write_text(f"{value}\n")
            others = {name: value for name, value in GOOD.items() if name not in values}
            return {
                **others,
                **{f"{name}_FILE": str(tmp_path / name) for name in values},
                "CONSULT_FILES_URL": bucket.url,
                "AWS_ACCESS_KEY_ID": s3.KEY_ID,
                "AWS_SECRET_ACCESS_KEY": password,
            }

        old = json.loads(started(TRY, environ(OLD, passwords["old"])))
        assert len(old) == 7
        assert set(old.values()) == {"works"}, old
        # Each where it is checked.
        for role in ROLES.values():
            database.ask(f"ALTER ROLE {role} PASSWORD '{NEW}'")
        box.password = bucket.secret = NEW
        client.acl_setuser("default", enabled=True, passwords=[f"+{NEW}", f"-{OLD}"])
        refused = json.loads(started(TRY, environ(OLD, passwords["old"])))
        assert "works" not in refused.values(), refused
        new = json.loads(started(TRY, environ(NEW, passwords["new"])))
        assert set(new.values()) == {"works"}, new
        assert box.arrived == 2


@pytest.fixture
def github() -> Iterator[GitHub]:
    with serving() as running:
        yield running


def test_githubs_client_secret_overlaps(github: GitHub) -> None:
    def asked(secret: str) -> str:
        """The exchange of a code, which it does for nobody who does not know the secret; this code is none either."""
        before = len(github.refused)
        request = RequestFactory().get("/")
        where = {"CONSULT_GITHUB_URL": github.url, "CONSULT_GITHUB_CLIENT_ID": CLIENT_ID}
        with override_settings(CONSULT_GITHUB_CLIENT_SECRET=secret, **where):
            client = adapter.GitHub(request).get_client(request, get_adapter().get_app(request, "github"))
            with pytest.raises(OAuth2Error):
                client.get_access_token("no-such-code")
        [why] = github.refused[before:]
        return why

    known, unknown = "bad_verification_code", "incorrect_client_credentials"
    github.client_secrets = [OLD]
    assert (asked(OLD), asked(NEW)) == (known, unknown)
    github.client_secrets = [OLD, NEW]
    assert (asked(OLD), asked(NEW)) == (known, known)
    github.client_secrets = [NEW]
    assert (asked(OLD), asked(NEW)) == (unknown, known)
