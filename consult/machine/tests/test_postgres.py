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

from consult.machine import local, postgres, postgres_cluster, postgres_home, processes


@pytest.fixture
def home() -> Iterator[Path]:
    with private_folder() as directory:
        yield directory


@pytest.fixture(scope="module")
def made() -> Iterator[postgres_cluster.Cluster]:
    with private_folder() as directory:
        cluster = postgres_cluster.Cluster(directory / "data", durable=False)
        yield cluster
        cluster.stop()


@pytest.fixture
def cluster(made: postgres_cluster.Cluster) -> postgres_cluster.Cluster:
    """A running server in a private folder; whoever breaks it puts it right."""
    if not made.running_pid():
        made.start()
    return made


@contextlib.contextmanager
def private_folder() -> Iterator[Path]:
    """A folder that nobody else may enter, like a clone in a `mktemp -d`."""
    directory = Path(tempfile.mkdtemp(prefix="consult-home-"))
    try:
        yield directory
    finally:
        if (directory / "data").exists():
            postgres.remove(postgres_cluster.Cluster(directory / "data"))
        shutil.rmtree(directory)


def write(cluster: postgres_cluster.Cluster) -> None:
    with psycopg.connect(cluster.url("consult_owner")) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept AS SELECT 42 AS value")


def kept(cluster: postgres_cluster.Cluster) -> object:
    with psycopg.connect(cluster.url("consult_owner")) as connection:
        row = connection.execute("SELECT value FROM kept").fetchone()
    return row and row[0]


def test_closed_folder_stays_closed_and_data_lies_where_the_server_reaches_it(
    cluster: postgres_cluster.Cluster,
) -> None:
    pid, home = cluster.running_pid(), cluster.directory.parent
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


def test_killed_server_starts_again_with_what_was_committed(cluster: postgres_cluster.Cluster) -> None:
    write(cluster)
    with contextlib.closing(psycopg.connect(cluster.url("consult_owner"))):
        os.kill(cluster.running_pid() or 0, signal.SIGKILL)
        assert processes.wait_until(lambda: cluster.ended() is not None, 5)
        assert cluster.ended() == -signal.SIGKILL
        assert cluster.running_pid() is None
        cluster.start()
    assert kept(cluster) == 42


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
    file = cluster.home.data / "PG_VERSION"
    file.write_text("14\n")
    try:
        with pytest.raises(postgres_cluster.PostgresError, match=r"made by PostgreSQL 14.*version 18"):
            cluster.start()
        assert file.read_text() == "14\n"
    finally:
        file.write_text("18\n")


def test_lost_secrets_are_said_at_once(cluster: postgres_cluster.Cluster) -> None:
    cluster.stop()
    file = cluster.directory / local.FILE_NAME
    file.rename(file.with_suffix(".away"))
    other = postgres_cluster.Cluster(cluster.directory, durable=False)
    try:
        with pytest.raises(postgres_cluster.PostgresError, match="other passwords"):
            other.start(20)
    finally:
        other.stop()
        file.with_suffix(".away").replace(file)


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
    file = cluster.home.data / "pg_hba.conf"
    file.rename(file.with_suffix(".away"))
    try:
        with pytest.raises(postgres_cluster.PostgresError, match=r"(?s)Log: .*postgres\.log.*pg_hba\.conf"):
            cluster.start(20)
    finally:
        file.with_suffix(".away").rename(file)


def test_long_path_gets_its_socket_elsewhere(home: Path) -> None:
    directory = home / ("a" * 60) / ("b" * 60)
    cluster = postgres_cluster.Cluster(directory, durable=False)
    cluster.start()
    try:
        assert len(str(cluster.home.sockets)) <= postgres_home.LONGEST_SOCKET_DIR
        assert (cluster.home.sockets / f".s.PGSQL.{cluster.port}").is_socket()
        assert cluster.home.sockets.stat().st_mode & 0o077 == 0
    finally:
        postgres.remove(cluster)
    assert not cluster.home.data.exists()
    assert not cluster.home.sockets.exists()


USER = """
import pathlib, sys
from consult.machine import postgres
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
from consult.machine import postgres
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


def test_a_run_that_just_begins_is_left_alone() -> None:
    begins = Path(tempfile.mkdtemp(prefix=f"{postgres.TEMPORARY}{os.getpid()}-"))
    try:
        with postgres.temporary():
            assert begins.exists()
    finally:
        begins.rmdir()
