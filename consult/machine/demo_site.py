"""The demo's site: where its built files are, and how they are built."""

import os
import shutil
import subprocess
from pathlib import Path

from consult.machine import local

SITES = local.ROOT / "sites"
BUILT = SITES / "coffee-shop" / "dist"
# What a build sees of our environment: nothing that is secret.
PASSED_ON = (
    "PATH",
    "HOME",
    "LANG",
    "TMPDIR",
    "SSL_CERT_FILE",
    "NODE_EXTRA_CA_CERTS",
    "HTTPS_PROXY",
    "HTTP_PROXY",
)


def folder(directory: Path, form_post: str) -> Path | None:
    """The built site whose form posts to this address, None when there is none."""
    for candidate in (BUILT, directory / "site"):
        page = candidate / "index.html"
        if page.is_file() and form_post in page.read_text(encoding="utf-8", errors="replace"):
            return candidate
    return None


def target(directory: Path) -> Path:
    """Where to build: the usual place, or, when a site for another address lies there, the data directory."""
    return directory / "site" if BUILT.exists() else BUILT


def can_build() -> bool:
    """Whether the site's source and npm are here."""
    return (SITES / "package.json").is_file() and shutil.which("npm") is not None


def build(where: Path, edge: str, form_key: str) -> None:
    """Builds the site, its packages included. Ends the process when that fails, after npm's own words."""
    passed = {name: value for name, value in os.environ.items() if name.upper() in PASSED_ON or name.startswith("npm_")}
    environment = passed | {"PUBLIC_CONSULT_EDGE_URL": edge, "PUBLIC_CONSULT_FORM_KEY": form_key, "CI": "1"}
    steps = [
        *([] if (SITES / "node_modules").is_dir() else [["npm", "ci", "--no-audit", "--no-fund"]]),
        ["npm", "run", "build", "-w", "@sites/coffee-shop", "--", "--outDir", str(where)],
    ]
    for step in steps:
        if subprocess.run(step, cwd=SITES, env=environment, check=False).returncode:
            raise SystemExit(f"{' '.join(step)} failed.")
