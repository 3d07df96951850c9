"""The embedded PostgreSQL: a real server from a wheel, for whoever needs a database and has none.

No Django here: settings ask for it, tests ask for it, `consult up` supervises it.
"""

import atexit
import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from consult.machine import local, postgres_cluster, postgres_home, processes
from consult.machine.lock import Lock

TEMPORARY = "consult-test-"


def ensure(directory: Path) -> dict[str, str]:
    """Addresses by role of this data directory's server, which is started when it does not run.

    A server that is started here stops when the last process that asked for it ends. Raises `PostgresError`.
    """
    cluster = postgres_cluster.Cluster(directory)
    with Lock(cluster.directory / "postgres.lock"):
        users = claim(cluster)
        if cluster.running_pid():
            cluster.wait_until_ready()
        else:
            cluster.start()
    owner = os.getpid()
    atexit.register(lambda: _leave(cluster, users) if os.getpid() == owner else None)
    return cluster.urls


def claim(cluster: postgres_cluster.Cluster, *, alone: bool = False) -> Lock:
    """Says that this process uses the server; nobody else stops it until then. With `alone` raises
    `PostgresError` when somebody else uses it."""
    users = Lock(cluster.directory / "postgres.users")
    if not users.take(shared=not alone, wait_seconds=2.0):
        users.abandon()
        raise postgres_cluster.PostgresError(
            f"Another program uses the database in {cluster.home.link} (manage.py, perhaps a shell or "
            "runserver). End it first."
        )
    return users


def _leave(cluster: postgres_cluster.Cluster, users: Lock) -> None:
    with Lock(cluster.directory / "postgres.lock"):
        if users.take():
            cluster.stop()
        users.abandon()


@contextlib.contextmanager
def temporary(bin_dir: Path | None = None, *, parent: Path | None = None) -> Iterator[postgres_cluster.Cluster]:
    """A server of its own for a test run, fast and not durable, gone at the end; in a new folder in `parent`.

    What a killed test run left there is removed by the next one.
    """
    parent = parent or Path(tempfile.gettempdir())
    _sweep(parent)
    directory = Path(tempfile.mkdtemp(dir=parent, prefix=f"{TEMPORARY}{os.getpid()}-"))
    if os.geteuid() == 0:
        directory.chmod(0o711)
    cluster = postgres_cluster.Cluster(directory, bin_dir=bin_dir, durable=False)
    try:
        cluster.start()
        yield cluster
    finally:
        remove(cluster)


def _sweep(parent: Path) -> None:
    for left in parent.glob(f"{TEMPORARY}*-*"):
        pid = left.name.removeprefix(TEMPORARY).partition("-")[0]
        mine = left.is_dir() and not left.is_symlink() and left.stat().st_uid == os.geteuid()
        if mine and pid.isdigit() and _older_than(left, int(pid)):
            with contextlib.suppress(postgres_cluster.PostgresError, postgres_home.HomeError, local.LocalError):
                remove(postgres_cluster.Cluster(left, durable=False))


def _older_than(folder: Path, pid: int) -> bool:
    """Whether the process that made the folder is gone: none has its pid, or one that began later."""
    born = processes.born_at(pid)
    # The file is not there yet, or not any more, while another run begins or ends.
    with contextlib.suppress(FileNotFoundError):
        return born is None or born > (folder / local.FILE_NAME).stat().st_mtime
    return False


def remove(cluster: postgres_cluster.Cluster) -> None:
    """Stops the server and deletes its data and its whole data directory, also what lies outside of that."""
    cluster.stop(fast_seconds=5.0, immediate_seconds=5.0)
    if cluster.home.link != cluster.home.data:
        cluster.note.unlink(missing_ok=True)
    shutil.rmtree(cluster.home.data, ignore_errors=True)
    if cluster.home.sockets != cluster.home.data:
        shutil.rmtree(cluster.home.sockets, ignore_errors=True)
    shutil.rmtree(cluster.directory, ignore_errors=True)
