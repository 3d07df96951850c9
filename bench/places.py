"""Where the benchmark keeps what it installs, and what it writes."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PEERS = ROOT / "bench" / "peers"
CACHE = ROOT / "var" / "bench"
VENV = CACHE / "venv"
NODE = CACHE / "node"
LOGS = CACHE / "logs"
RESULTS = ROOT / "artifacts" / "bench-intake.json"


def make(directory: Path) -> Path:
    """The folder. Root's may be passed through: PostgreSQL runs as another user below it."""
    for folder in (*reversed(directory.parents), directory):
        if not folder.is_dir():
            folder.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700)
    return directory
