"""`consult down`: ends what runs in this data directory, wherever it was started."""

import os
import signal

from consult.machine import local, postgres_cluster, processes, supervisor
from consult.machine.lock import Lock


def main() -> str:
    """Ends a running `up`, or what a killed one left. Returns what happened, in one line."""
    directory = local.data_dir()
    lock = Lock(directory / "up.lock")
    if not lock.take():
        pid = int((directory / "up.lock").read_text())
        os.kill(pid, signal.SIGTERM)
        if not processes.wait_until(lock.take, 10.0):
            raise supervisor.Failed(f"Consult (pid {pid}) does not end.")
        return f"Consult (pid {pid}) has ended."
    ended = supervisor.end_survivors(directory)
    if (directory / "postgres").exists():
        cluster = postgres_cluster.Cluster(directory)
        if cluster.running_pid():
            cluster.stop()
            ended.append("postgres")
    (directory / "run.json").unlink(missing_ok=True)
    return f"Ended {', '.join(ended)}." if ended else "Nothing was running."
