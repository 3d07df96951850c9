"""Installs what the benchmark needs and the project does not: the load generator, Node's and Python's peers."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from bench import places

_OLDEST_NODE = (20, 12)
_NODE_FILES = ("package.json", "package-lock.json", "hono.mjs")


class Missing(Exception):
    """Something that this run needs and cannot install; the text says what to install."""


def load_generator() -> None:
    """wrk. Raises Missing."""
    apt("wrk", "wrk")


def node_peers() -> None:
    """Exactly what package-lock.json lists. Raises Missing."""
    apt("npm", "npm")
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False)  # noqa: S607
    version = tuple(int(part) for part in re.findall(r"\d+", said.stdout)[:2])
    if version < _OLDEST_NODE:
        raise Missing(f"Node {'.'.join(map(str, _OLDEST_NODE))} or newer is needed; here is {said.stdout.strip()}")
    places.make(places.NODE)
    for name in _NODE_FILES:
        shutil.copy(places.PEERS / name, places.NODE / name)
    lock = places.PEERS / "package-lock.json"
    _once(places.NODE, lock, lambda: _run(["npm", "ci", "--no-progress", "--omit=dev"], places.NODE))


def python_peers() -> None:
    """Exactly what requirements.txt lists, with its hashes, into an environment of its own. Raises Missing."""
    requirements = places.PEERS / "requirements.txt"
    uv = Path(sys.executable).with_name("uv")
    if not uv.exists():
        raise Missing("uv is missing beside this Python; `make check` installs it into .venv")
    places.make(places.CACHE)

    def sync() -> None:
        _run([str(uv), "venv", "--quiet", "--clear", "--python", sys.executable, str(places.VENV)], places.ROOT)
        python = str(places.VENV / "bin" / "python")
        command = [str(uv), "pip", "sync", "--quiet", "--python", python, "--require-hashes", str(requirements)]
        _run(command, places.ROOT)

    _once(places.VENV, requirements, sync)


def apt(program: str, package: str) -> None:
    """Install a Debian package when its program is missing and we may. Raises Missing when we may not."""
    if shutil.which(program) is None and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update", "-qq"], check=False)  # noqa: S607
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", package]
        subprocess.run(command, check=False, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"})
    if shutil.which(program) is None:
        raise Missing(f"{program} is missing. On Debian and Ubuntu: apt-get install {package}")


def _once(folder: Path, wanted: Path, install: Callable[[], None]) -> None:
    """Install unless this very list was installed before, by this very Python."""
    sums = hashlib.sha256(wanted.read_bytes() + sys.version.encode()).hexdigest()
    stamp = folder / ".installed"
    if stamp.is_file() and stamp.read_text() == sums:
        return
    install()
    stamp.write_text(sums)


def _run(command: list[str], folder: Path) -> None:
    # Trust what the machine trusts: some networks have a certificate of their own.
    environment = {"UV_SYSTEM_CERTS": "1"} | dict(os.environ)
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Missing(f"{' '.join(command[:3])} failed:\n{done.stdout}{done.stderr}")
