"""A PostgreSQL of our own, durable as in production, that may be killed, frozen and filled without harm to others."""

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

from consult.machine import postgres, postgres_cluster, processes
from edge import database
from edge.tests.database import Database
from edge.tests.program import until

_EDGES = "FROM pg_stat_activity WHERE application_name = 'consult-edge'"


class Server:
    """`office` looks at its database as one who may do everything; `edge_url` is what an edge connects with."""

    def __init__(self, cluster: postgres_cluster.Cluster) -> None:
        self._cluster = cluster
        self._stopped: list[int] = []
        self.office = Database(cluster.url("superuser"))
        self.edge_url = cluster.url("consult_edge")

    def kill(self) -> None:
        """kill -9, the server and all of its helpers."""
        processes.signal_each(self._pids(), signal.SIGKILL)
        assert self._cluster.process
        self._cluster.process.wait(10)

    def start(self) -> None:
        """Starts it again after `kill`, or after it ended by itself; it recovers what was committed."""
        self._cluster.start(60)

    def ready(self) -> bool:
        return self._cluster.ready()

    def come_back(self) -> None:
        """Whatever it does after it had no room: it is running and answers when this returns."""
        until(lambda: self._cluster.running_pid() is None or self.ready(), 60)
        if not self.ready():
            self.start()

    def switch_logs(self) -> None:
        """Begins new files of the log until there is no room for one, which ends the server."""
        with contextlib.suppress(*database.AWAY):
            for _ in range(50):
                self.office.execute("SELECT pg_switch_wal(); CREATE TABLE room (); DROP TABLE room")

    def freeze(self) -> None:
        """SIGSTOP, the server first, so that it makes no helper that goes on."""
        self._stopped = self._pids()
        processes.signal_each(self._stopped, signal.SIGSTOP)

    def thaw(self) -> None:
        processes.signal_each(self._stopped, signal.SIGCONT)

    def terminate_edges(self) -> int:
        """`pg_terminate_backend` on every connection of an edge; how many there were."""
        (found,) = self.office.fetch(f"SELECT count(pg_terminate_backend(pid)) AS ended {_EDGES}")
        return int(found["ended"])

    def _pids(self) -> list[int]:
        pid = self._cluster.running_pid()
        assert pid, self._cluster.log_tail()
        return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]


@contextlib.contextmanager
def running(like: postgres_cluster.Cluster, directory: Path) -> Iterator[Server]:
    """A server in this folder with the database of `like`: its schema, its people, its forms."""
    # Whoever runs the server must be able to go through; what is inside is closed by itself.
    directory.chmod(0o711)
    cluster = postgres_cluster.Cluster(directory, bin_dir=like.home.bin_dir)
    try:
        cluster.start(60)
        _copy(like, cluster)
        server = Server(cluster)
        server.office.allow_no_poison()
        yield server
    finally:
        with contextlib.suppress(psutil.Error, AssertionError):
            processes.signal_each(Server(cluster)._pids(), signal.SIGCONT)
        postgres.remove(cluster)


def folder() -> Path:
    """A new folder for a server; should this run be killed, the next one that starts a server removes it."""
    return Path(tempfile.mkdtemp(prefix=f"{postgres.TEMPORARY}{os.getpid()}-"))


def _copy(source: postgres_cluster.Cluster, target: postgres_cluster.Cluster) -> None:
    """All of one database; the roles are there, every server of ours has the same."""
    programs = source.home.bin_dir
    dump = [f"{programs}/pg_dump", "--dbname", source.url("superuser")]
    load = [f"{programs}/psql", "--quiet", "--no-psqlrc", "--single-transaction", "--set=ON_ERROR_STOP=1"]
    dumped = subprocess.run(dump, capture_output=True, check=True).stdout
    subprocess.run([*load, target.url("superuser")], input=dumped, stdout=subprocess.DEVNULL, check=True)
