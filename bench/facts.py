"""On what it was measured: a figure without its machine says nothing."""

import datetime
import os
import platform
import re
import subprocess
from pathlib import Path

import psutil

from bench import database, places


def facts(store: database.Database) -> dict[str, object]:
    """Machine, versions, the server's settings, the commit. All values can stand in JSON."""
    return {
        "measured_at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "commit": _said("git", "rev-parse", "HEAD"),
        "uncommitted_changes": bool(_said("git", "status", "--porcelain")),
        "cores": os.cpu_count(),
        "processor": _processor(),
        "memory_bytes": psutil.virtual_memory().total,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "node": _said("node", "--version"),
        "postgresql": store.version(),
        "wrk": (re.findall(r"^wrk \S+", _said("wrk", "--version")) or ["wrk"])[0],
        "packages": _packages(),
        "server_settings": store.settings(),
        "table": store.indexes(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def _said(*command: str) -> str:
    """What a program prints; empty when it is not there. wrk's version comes with exit status 1."""
    try:
        done = subprocess.run(command, cwd=places.ROOT, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip()


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.processor()


def _packages() -> dict[str, str]:
    """What the peers stand on, as pinned."""
    python = re.findall(r"^([a-z0-9-]+)==(\S+)", (places.PEERS / "requirements.txt").read_text(), re.MULTILINE)
    node = re.findall(
        r'"node_modules/([^"]+)": \{\s+"version": "([^"]+)"', (places.PEERS / "package-lock.json").read_text()
    )
    return dict(python) | dict(node)
