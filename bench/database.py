"""One durable PostgreSQL for all that is compared, with the project's own tables, gone at the end."""

import contextlib
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from bench import places, processor
from consult.machine import local, lock, postgres, postgres_cluster

FORM_KEY = "frm_" + "b" * 22
# Who writes for the peers and for pgbench. It bypasses row-level security: what they write is not even checked for
# its agency, which favours them a little.
PEER = "consult_bench"
# What a small server of its own would have; the same for all. fsync, full_page_writes and synchronous_commit stay on.
SETTINGS = {
    "shared_buffers": "256MB",
    "max_connections": "200",
    "wal_buffers": "16MB",
    "min_wal_size": "1GB",
    "max_wal_size": "4GB",
    "effective_cache_size": "1GB",
}
SHOWN = (*SETTINGS, "fsync", "full_page_writes", "synchronous_commit", "checkpoint_timeout", "autovacuum", "jit")
_PREFIX = "postgres-"
DATA_PREFIX = "data-"
_TABLES = "intake_submission, intake_tally, intake_setaside, intake_edge, procrastinate_jobs"


class Busy(Exception):
    """Two benchmarks at once would measure each other."""


class Cluster(postgres_cluster.Cluster):
    """The project's embedded server with the settings above."""

    def _command(self) -> list[str]:
        return [*super()._command(), *(word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}"))]


class Database:
    """`edge_url` is the edge's own address, `peer_url` that of the peers."""

    def __init__(self, cluster: Cluster) -> None:
        self.bin_dir = cluster.home.bin_dir
        self.edge_url = cluster.url("consult_edge")
        self._pid = cluster.running_pid() or 0
        self._admin = psycopg.connect(cluster.url("superuser"), autocommit=True)
        parts = urlsplit(self.edge_url)
        self._password = secrets.token_hex()
        self.peer_url = parts._replace(netloc=f"{PEER}:{self._password}@{parts.hostname}:{parts.port}").geturl()

    def open(self) -> None:
        """The peers' role, and a form that holds or refuses nothing however often it is sent."""
        self._ask(f"CREATE ROLE {PEER} LOGIN BYPASSRLS PASSWORD '{self._password}'")
        self._ask(f"GRANT CONNECT ON DATABASE {postgres_cluster.DATABASE} TO {PEER}")
        self._ask(f"GRANT USAGE ON SCHEMA public TO {PEER}")
        self._ask(f"GRANT SELECT ON intake_form, intake_formversion TO {PEER}")
        self._ask(f"GRANT INSERT ON intake_submission TO {PEER}")
        self._ask(
            "UPDATE intake_form SET address_limit = '1000000/second', form_limit = '1000000/second', "
            "daily_cap = 2000000000"
        )

    def close(self) -> None:
        self._admin.close()

    def fresh(self) -> None:
        """Empties the tables, so that their size is the same for all, and writes everything out."""
        self._ask(f"TRUNCATE {_TABLES} CASCADE")
        self._ask("VACUUM ANALYZE intake_submission, intake_tally, procrastinate_jobs")
        self._ask("CHECKPOINT")

    def rows(self) -> int:
        return int(self._ask("SELECT count(*) FROM intake_submission")[0][0])

    def counted(self) -> int:
        """What the edge's doors have counted as accepted."""
        return int(self._ask("SELECT coalesce(sum(accepted), 0) FROM intake_tally")[0][0])

    def form(self) -> tuple[int, str]:
        """(agency id, form id)."""
        found = self._ask("SELECT agency_id, id::text FROM intake_form")[0]
        return int(found[0]), str(found[1])

    def cpu_seconds(self) -> float:
        """Processor time of the server until now, as far as its processes still run."""
        return processor.seconds(self._pid)

    def settings(self) -> dict[str, str]:
        return {name: str(self._ask(f"SHOW {name}")[0][0]) for name in SHOWN}

    def version(self) -> str:
        return str(self._ask("SHOW server_version")[0][0])

    def indexes(self) -> list[str]:
        """Indexes and constraints of the table that all write to."""
        found = self._ask(
            "SELECT indexname FROM pg_indexes WHERE tablename = 'intake_submission' UNION "
            "SELECT conname FROM pg_constraint WHERE conrelid = 'intake_submission'::regclass AND contype <> 'n' "
            "ORDER BY 1"
        )
        return [str(row[0]) for row in found]

    def _ask(self, statement: str) -> list[Any]:
        cursor = self._admin.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


@contextlib.contextmanager
def running() -> Iterator[Database]:
    """A server of its own on the disk of `places.CACHE`, migrated. Raises Busy."""
    # A temporary folder may be in memory, where fsync costs nothing.
    alone = lock.Lock(places.make(places.CACHE) / "lock")
    if not alone.take():
        raise Busy("Another benchmark is running.")
    # Of a benchmark that was killed.
    for left in places.CACHE.glob(f"{_PREFIX}*"):
        postgres.remove(Cluster(left))
    for left in places.CACHE.glob(f"{DATA_PREFIX}*"):
        shutil.rmtree(left, ignore_errors=True)
    directory = Path(tempfile.mkdtemp(dir=places.CACHE, prefix=_PREFIX))
    if os.geteuid() == 0:
        directory.chmod(0o711)
    cluster = Cluster(directory)
    try:
        cluster.start()
        _migrate(cluster, directory)
        database = Database(cluster)
        try:
            database.open()
            yield database
        finally:
            database.close()
    finally:
        postgres.remove(cluster)
        alone.abandon()


def _migrate(cluster: Cluster, directory: Path) -> None:
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "CONSULT_DATA_DIR": str(directory),
        "DATABASE_URL": cluster.url("consult_app"),
        "WORKER_DATABASE_URL": cluster.url("consult_worker"),
        "MIGRATE_DATABASE_URL": cluster.url("consult_owner"),
    }
    command = [sys.executable, "-m", "bench.prepare", FORM_KEY]
    subprocess.run(command, cwd=local.ROOT, env=environment, check=True)
