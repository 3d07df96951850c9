"""The whole of Consult, really running: what `make run` starts, with data and ports of its own."""

import contextlib
import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import pytest_django

from conftest import Cast, Database, Enquiry
from consult.machine import postgres, postgres_cluster
from tests import api, api_rows
from tests.github import CLIENT_ID, CLIENT_SECRET, GitHub, serving

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 60
# The browser extension that may sign in there.
EXTENSION_ID = "abcdefghijklmnopabcdefghijklmnop"


@dataclasses.dataclass
class Running:
    """A running installation: the facts of run.json, and a way to ask its database."""

    directory: Path
    environment: dict[str, str]
    process: subprocess.Popen[bytes]

    @property
    def facts(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.directory / "run.json").read_text())
        return found

    def ask(self, statement: str, parameters: tuple[Any, ...] = ()) -> list[Any]:
        with psycopg.connect(self.facts["database"], autocommit=True) as direct:
            return direct.execute(statement, parameters).fetchall()

    def sign_in_link(self) -> str:
        """A fresh one-time link for the demo owner."""
        return subprocess.run(
            [sys.executable, "-m", "consult.cli", "sign-in-link", "owner@demo.example"],
            cwd=ROOT,
            env=self.environment,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout.strip()

    @contextlib.contextmanager
    def browser(self) -> Iterator[httpx.Client]:
        """A client that has signed in as the demo owner."""
        with httpx.Client(base_url=self.facts["office"], follow_redirects=True) as client:
            assert client.get(self.sign_in_link()).status_code == 200
            yield client


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


def eventually[T](ask: Callable[[], T], *, seconds: float = 10) -> T:
    """Return the first true answer; fail when there is none in time."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"nothing after {seconds} s"
        time.sleep(0.05)
    return answer


@pytest.fixture
def document(database: Database) -> dict[str, Any]:
    """What the API says of itself."""
    found: dict[str, Any] = api.told(api.ANONYMOUS.get("/api/openapi.json"))
    return found


@pytest.fixture
def ids(
    cast: Cast, enquiry: Enquiry, database: Database, settings: pytest_django.Settings, tmp_path: Path
) -> dict[str, Any]:
    """What stands in the API's addresses: all of it agency A's, and really there."""
    settings.CONSULT_FILES_URL = tmp_path.as_uri()
    return api_rows.make(cast, enquiry, database, tmp_path)


@pytest.fixture(scope="session")
def github() -> Iterator[GitHub]:
    """The GitHub that the running installation knows."""
    with serving() as served:
        yield served


@contextlib.contextmanager
def started(directory: Path, github: GitHub, **more: str) -> Iterator[Running]:
    """Everything that `consult up` starts, until the block ends; `more` are variables of its environment."""
    office, edge, site = free_ports(3)
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("CONSULT_") and name not in ("DJANGO_SETTINGS_MODULE", "DATABASE_URL")
    } | {
        "CONSULT_DATA_DIR": str(directory),
        "CONSULT_OFFICE_PORT": str(office),
        "CONSULT_EDGE_PORT": str(edge),
        "CONSULT_SITE_PORT": str(site),
        "CONSULT_SIGN_UP": "open",
        "CONSULT_GITHUB_URL": github.url,
        "CONSULT_GITHUB_API_URL": github.url,
        "CONSULT_GITHUB_CLIENT_ID": CLIENT_ID,
        "CONSULT_GITHUB_CLIENT_SECRET": CLIENT_SECRET,
        "CONSULT_EXTENSION_IDS": EXTENSION_ID,
        **more,
    }
    log = directory.parent / "up.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "consult.cli", "up"], cwd=ROOT, env=environment, stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not (directory / "run.json").exists():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield Running(directory, environment, process)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(15)
        postgres.remove(postgres_cluster.Cluster(directory))


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory, github: GitHub) -> Iterator[Running]:
    with started(tmp_path_factory.mktemp("running") / "var", github) as found:
        yield found
