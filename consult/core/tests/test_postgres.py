"""The embedded PostgreSQL as a server: starting, stopping, crashing, sharing. Its roles: test_postgres_roles.py."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from consult.core import local, postgres, postgres_cluster, postgres_home, processes


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that nobody else may enter, like a clone in a `mktemp -d`."""
    directory = Path(tempfile.mkdtemp(prefix="consult-home-"))
    yield directory
    link = directory / "data" / "postgres"
    if link.is_symlink():
        shutil.rmtree(link.resolve(), ignore_errors=True)
    shutil.rmtree(directory)


@pytest.fixture
def cluster(home: Path) -> Iterator[postgres_cluster.Cluster]:
    """A running server there."""
    cluster = postgres_cluster.Cluster(home / "data", durable=False)
    cluster.start()
    yield cluster
    cluster.stop()


def write(cluster: postgres_cluster.Cluster) -> None:
    with psycopg.connect(cluster.url("consult_owner")) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS value")


def kept(cluster: postgres_cluster.Cluster) -> object:
    with psycopg.connect(cluster.url("consult_owner")) as connection:
        row = connection.execute("SELECT value FROM kept").fetchone()
    return row and row[0]


def test_closed_folder_stays_closed_and_data_lies_where_the_server_reaches_it(
    cluster: postgres_cluster.Cluster, home: Path
) -> None:
    pid = cluster.running_pid()
    assert pid
    assert home.stat().st_mode & 0o777 == 0o700
    assert (home / "data" / "postgres" / "PG_VERSION").read_text().strip() == "18"
    server = psutil.Process(pid)
    if os.geteuid() == 0:
        assert server.uids().real != 0
        assert (home / "data" / "postgres").readlink().parent == postgres_home.SYSTEM_DIR
        assert server.gids().real != 0
    else:
        assert server.uids().real == os.geteuid()
        assert not (home / "data" / "postgres").is_symlink()
    assert cluster.home.data.stat().st_mode & 0o777 == 0o700


def test_passwords_only_on_every_way_in(cluster: postgres_cluster.Cluster) -> None:
    rules = (cluster.home.data / "pg_hba.conf").read_text().splitlines()
    methods = {line.split()[-1] for line in rules if line.strip() and not line.startswith("#")}
    assert methods == {"scram-sha-256"}
    right = cluster.secrets.passwords[local.SUPERUSER]
    for host in ("127.0.0.1", str(cluster.home.sockets)):
        address = f"host={host} port={cluster.port} user={local.SUPERUSER} dbname=postgres"
        psycopg.connect(address, password=right).close()
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(address, password="wrong")
        with pytest.raises(psycopg.OperationalError, match="no password supplied"):
            psycopg.connect(address)


def test_data_port_and_urls_survive_a_restart(cluster: postgres_cluster.Cluster) -> None:
    write(cluster)
    urls = cluster.urls
    cluster.stop()
    assert cluster.running_pid() is None
    again = postgres_cluster.Cluster(cluster.directory, durable=False)
    again.start()
    try:
        assert again.urls == urls
        assert kept(again) == 42
    finally:
        again.stop()


def test_killed_server_starts_again_with_what_was_committed(home: Path) -> None:
    cluster = postgres_cluster.Cluster(home / "data")
    cluster.start()
    write(cluster)
    with contextlib.closing(psycopg.connect(cluster.url("consult_owner"))):
        os.kill(cluster.running_pid() or 0, signal.SIGKILL)
        assert processes.wait_until(lambda: cluster.ended() is not None, 5)
        assert cluster.ended() == -signal.SIGKILL
        assert cluster.running_pid() is None
        cluster.start()
    assert kept(cluster) == 42
    cluster.stop()


@pytest.mark.parametrize("zombie", [False, True], ids=["stranger", "zombie"])
def test_pid_that_came_back_is_not_taken_for_the_server(cluster: postgres_cluster.Cluster, zombie: bool) -> None:
    cluster.stop()
    stranger = subprocess.Popen(["/bin/sleep", "0" if zombie else "60"], **cluster.home.as_user)
    try:
        if zombie:
            time.sleep(0.2)
        file = cluster.home.data / "postmaster.pid"
        file.write_text(
            f"{stranger.pid}\n{cluster.home.data}\n1\n5432\n{cluster.home.sockets}\n127.0.0.1\n0 0\nready\n"
        )
        cluster.home.own(file)
        assert cluster.running_pid() is None
        cluster.stop()
        assert zombie or stranger.poll() is None
        file.write_text(
            f"{stranger.pid}\n{cluster.home.data}\n1\n5432\n{cluster.home.sockets}\n127.0.0.1\n0 0\nready\n"
        )
        cluster.home.own(file)
        cluster.start(20)
        assert cluster.running_pid() != stranger.pid
    finally:
        stranger.kill()
        stranger.wait()


def test_helpers_of_a_killed_server_end_before_the_next_one_begins(
    cluster: postgres_cluster.Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A frozen helper cannot notice that its server is gone; two servers on one folder would destroy it."""
    monkeypatch.setattr(postgres_cluster, "GRACE_SECONDS", 0.2)
    helper = next(child for child in psutil.Process(cluster.running_pid()).children())
    helper.suspend()
    os.kill(cluster.running_pid() or 0, signal.SIGKILL)
    assert processes.wait_until(lambda: cluster.ended() is not None, 5)
    cluster.start(60)
    assert processes.born_at(helper.pid) is None


def test_taken_port_is_left_to_its_owner(cluster: postgres_cluster.Cluster) -> None:
    before = cluster.port
    cluster.stop()
    with socket.socket() as taker:
        taker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taker.bind(("127.0.0.1", before))
        taker.listen()
        cluster.start()
        assert cluster.port != before
        psycopg.connect(cluster.url("consult_app")).close()


def test_data_of_another_version_is_refused_and_left_alone(cluster: postgres_cluster.Cluster) -> None:
    cluster.stop()
    (cluster.home.data / "PG_VERSION").write_text("14\n")
    with pytest.raises(postgres_cluster.PostgresError, match=r"made by PostgreSQL 14.*version 18"):
        cluster.start()
    assert (cluster.home.data / "PG_VERSION").read_text() == "14\n"


def test_lost_secrets_are_said_at_once(cluster: postgres_cluster.Cluster) -> None:
    cluster.stop()
    (cluster.directory / local.FILE_NAME).unlink()
    other = postgres_cluster.Cluster(cluster.directory, durable=False)
    try:
        with pytest.raises(postgres_cluster.PostgresError, match="other passwords"):
            other.start(20)
    finally:
        other.stop()


def test_half_made_data_does_not_count(home: Path) -> None:
    cluster = postgres_cluster.Cluster(home / "data", durable=False)
    stage = cluster.home.data.with_name(f"{cluster.home.data.name}.new")
    (stage / "data" / "base").mkdir(parents=True)
    (stage / "data" / "PG_VERSION").write_text("18\n")
    cluster.start()
    cluster.stop()
    assert not stage.exists()


def test_server_that_cannot_start_says_why_with_its_log(cluster: postgres_cluster.Cluster) -> None:
    cluster.stop()
    (cluster.home.data / "pg_hba.conf").unlink()
    with pytest.raises(postgres_cluster.PostgresError, match=r"(?s)Log: .*postgres\.log.*pg_hba\.conf"):
        cluster.start(20)


def test_long_path_gets_its_socket_elsewhere(home: Path) -> None:
    directory = home / ("a" * 60) / ("b" * 60)
    (home / "data").symlink_to(directory)
    link = directory / "postgres"
    cluster = postgres_cluster.Cluster(directory, durable=False)
    cluster.start()
    try:
        assert len(str(cluster.home.sockets)) <= postgres_home.LONGEST_SOCKET_DIR
        assert (cluster.home.sockets / f".s.PGSQL.{cluster.port}").is_socket()
        assert cluster.home.sockets.stat().st_mode & 0o077 == 0
    finally:
        cluster.stop()
        if cluster.home.sockets != cluster.home.data:
            shutil.rmtree(cluster.home.sockets)
        if link.is_symlink():
            shutil.rmtree(link.resolve())


USER = """
import pathlib, sys
from consult.core import postgres
urls = postgres.ensure(pathlib.Path(sys.argv[1]))
import psycopg
psycopg.connect(urls["consult_app"]).close()
print("ready", flush=True)
sys.stdin.readline()
"""


def test_server_on_demand_lives_as_long_as_its_last_user(home: Path) -> None:
    directory = home / "data"
    command = [sys.executable, "-c", USER, str(directory)]

    def user() -> subprocess.Popen[str]:
        return subprocess.Popen(command, cwd=local.ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    with user() as first, user() as second:
        for process in (first, second):
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
        cluster = postgres_cluster.Cluster(directory)
        pid = cluster.running_pid()
        assert pid
        first.communicate("end\n", timeout=10)
        assert cluster.running_pid() == pid
        with pytest.raises(postgres_cluster.PostgresError, match="Another program uses"):
            postgres.claim(cluster, alone=True)
        second.communicate("end\n", timeout=10)
        assert cluster.running_pid() is None


KILLED = """
import sys
from consult.core import postgres
with postgres.temporary() as cluster:
    print(cluster.directory, cluster.running_pid(), flush=True)
    sys.stdin.readline()
"""


def test_what_a_killed_test_run_left_is_removed_by_the_next() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KILLED], cwd=local.ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout
        directory, pid = run.stdout.readline().split()
        run.kill()
        run.wait()
    assert processes.born_at(int(pid)) is not None
    with postgres.temporary() as cluster:
        assert not Path(directory).exists()
        assert processes.born_at(int(pid)) is None
        mine = cluster.directory
        assert mine.exists()
    assert not mine.exists()
