"""`consult up` as a person starts it: the real office, edge, worker and PostgreSQL in a folder of their own."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest

from consult.machine import local, postgres, postgres_cluster, processes

START_SECONDS = 90
PORT_VARIABLES = ("CONSULT_OFFICE_PORT", "CONSULT_EDGE_PORT", "CONSULT_SITE_PORT")


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


class Up:
    """One `consult up` with a data directory and ports of its own. Without npm: it would build the demo site."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.output = directory.with_suffix(".out")
        self.environment = {"PATH": "/nowhere", "HOME": str(directory), "CONSULT_DATA_DIR": str(directory)}
        self.environment |= dict(zip(PORT_VARIABLES, map(str, free_ports(3)), strict=True))
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        """Starts it and waits until its addresses are there."""
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "consult.cli", "up"],
                cwd=local.ROOT,
                env=self.environment,
                stdout=output,
                stderr=output,
            )
        ready = lambda: self.run_file.exists() or self.process.poll() is not None  # noqa: E731
        assert processes.wait_until(ready, START_SECONDS), self.said
        assert self.process.poll() is None, self.said
        return self.process

    def run(self, command: str = "up", **environment: str) -> subprocess.CompletedProcess[str]:
        """A further `consult` beside it."""
        return subprocess.run(
            [sys.executable, "-m", "consult.cli", command],
            cwd=local.ROOT,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    @property
    def run_file(self) -> Path:
        return self.directory / "run.json"

    @property
    def facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads(self.run_file.read_text())
        return facts

    @property
    def said(self) -> str:
        return self.output.read_text()

    def family(self) -> list[psutil.Process]:
        """It and all below it."""
        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]

    def answers(self) -> bool:
        return status(f"{self.facts['office']}/ready/") == 200 and status(f"{self.facts['edge']}/health/") == 200


def status(address: str) -> int:
    """The HTTP status of a GET, 0 when nobody answers."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    directory = tmp_path_factory.mktemp("up") / "data"
    up = Up(directory)
    yield up
    if up.process.poll() is None:
        up.process.terminate()
        up.process.wait(10)
    up.run("down")
    postgres.remove(postgres_cluster.Cluster(directory))


def test_facts_are_true(up: Up) -> None:
    assert set(up.facts) == {"office", "edge", "site", "sign_in", "mail", "form", "database", "pids"}
    assert up.run_file.stat().st_mode & 0o777 == 0o600
    assert up.facts["site"] is None
    assert set(up.facts["pids"]) == {"postgres", "office", "edge", "worker"}
    assert {member.pid for member in up.family()} > set(up.facts["pids"].values())
    assert up.answers()
    assert up.facts["form"]["post"] == f"{up.facts['edge']}/f/{up.facts['form']['key']}"
    assert up.facts["sign_in"].startswith(f"{up.facts['office']}/accounts/sign-in/")
    assert status(up.facts["mail"]) == 200
    assert status(up.facts["sign_in"]) in (200, 302)
    with psycopg.connect(up.facts["database"]) as connection:
        row = connection.execute("SELECT count(*), current_user FROM accounts_agency").fetchone()
    assert row == (1, "consult_backup")
    for fact in (up.facts["office"], up.facts["sign_in"], str(up.directory), "Ctrl-C"):
        assert fact in up.said
    assert not [password for password in local.load(up.directory).passwords.values() if password in up.said]


def test_small_and_forked_from_a_parent_without_threads(up: Up) -> None:
    assert psutil.Process(up.process.pid).num_threads() == 1
    memory = [member.memory_full_info() for member in up.family()]
    assert sum(getattr(one, "pss", one.uss) for one in memory) < 300e6


def test_the_edge_knows_none_of_the_offices_secrets(up: Up) -> None:
    environment = psutil.Process(up.facts["pids"]["edge"]).environ()
    assert "EDGE_DATABASE_URL" in environment
    secrets = local.load(up.directory)
    others = [password for role, password in secrets.passwords.items() if role != "consult_edge"]
    for secret in (secrets.secret_key, secrets.encryption_key, *others):
        assert secret not in str(environment)


def test_second_start_on_the_same_data_is_refused(up: Up) -> None:
    second = up.run()
    assert second.returncode == 1
    assert f"already runs with the data in {up.directory} (pid {up.process.pid}" in second.stdout
    assert up.answers()


@pytest.mark.parametrize("variable", PORT_VARIABLES[:2])
def test_taken_port_is_named(up: Up, tmp_path: Path, variable: str) -> None:
    others = dict(zip(PORT_VARIABLES, map(str, free_ports(3)), strict=True))
    taken = up.environment[variable]
    copy = up.run(**others | {variable: taken, "CONSULT_DATA_DIR": str(tmp_path / "copy")})
    assert copy.returncode == 1
    assert f"Port {taken}" in copy.stdout
    assert variable in copy.stdout
    assert "python" in copy.stdout
    assert not (tmp_path / "copy" / "postgres").exists()


def test_own_database_needs_all_its_addresses(up: Up, tmp_path: Path) -> None:
    others = dict(zip(PORT_VARIABLES, map(str, free_ports(3)), strict=True))
    answer = up.run(**others, CONSULT_DATA_DIR=str(tmp_path), DATABASE_URL=up.facts["database"])
    assert answer.returncode == 1
    for variable in ("WORKER_DATABASE_URL", "MIGRATE_DATABASE_URL", "BACKUP_DATABASE_URL", "EDGE_DATABASE_URL"):
        assert variable in answer.stdout
    assert "postgresql://" not in answer.stdout


@pytest.mark.parametrize("name", ["office", "worker", "edge", "postgres", "office's worker"])
def test_killed_process_is_said_and_comes_back(up: Up, name: str) -> None:
    before = up.facts["pids"]
    service = name.partition("'")[0]
    victim = before[service]
    if name == "office's worker":
        victim = psutil.Process(victim).children()[0].pid
    os.kill(victim, signal.SIGKILL)
    assert processes.wait_until(lambda: up.facts["pids"].get(service) not in (before[service], None), 20), up.said
    assert processes.wait_until(up.answers, 20), up.said
    assert processes.wait_until(lambda: f"{service} is back" in up.said, 10), up.said
    assert processes.born_at(victim) is None
    # Let the wave of a killed database pass before the next one.
    assert processes.wait_until(lambda: len(up.facts["pids"]) == 4, 10), up.said


def test_killed_supervisor_is_cleaned_up_by_the_next_start(up: Up) -> None:
    family = [(member.pid, member.create_time()) for member in up.family()]
    up.process.kill()
    up.process.wait()
    up.run_file.unlink()
    began = time.monotonic()
    up.start()
    assert time.monotonic() - began < 30
    assert not [pid for pid, born in family if processes.is_same(pid, born)]
    assert up.answers()
    assert "Ended what a killed run had left" in up.said


def test_ctrl_c_ends_everything_within_five_seconds(up: Up) -> None:
    family = [(member.pid, member.create_time()) for member in up.family()]
    assert len(family) > 6
    began = time.monotonic()
    up.process.send_signal(signal.SIGINT)
    assert up.process.wait(10) == 0, up.said
    assert time.monotonic() - began < 5
    assert not [pid for pid, born in family if processes.is_same(pid, born)]
    assert not up.run_file.exists()
    assert not (up.directory / "processes.json").exists()
