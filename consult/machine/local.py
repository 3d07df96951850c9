"""What a machine without any configuration needs: where data lies, and secrets that are made once and kept.

No Django here: settings, the supervisor and the tests read this before Django exists.
"""

import base64
import contextlib
import fcntl
import json
import os
import secrets
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILE_NAME = "local.json"

SUPERUSER = "postgres"
LOGIN_ROLES = ("consult_owner", "consult_app", "consult_worker", "consult_edge", "consult_backup")


class LocalError(Exception):
    """The local secrets cannot be read or written; the text says which file and why."""


@dataclass(frozen=True)
class Local:
    """`place` names this data directory wherever it needs a name outside itself. `passwords` maps each
    database role (the superuser and the five that log in) to its password, all URL-safe."""

    place: str
    secret_key: str
    encryption_key: str
    passwords: dict[str, str]


def data_dir() -> Path:
    """The folder of all that this copy keeps: `CONSULT_DATA_DIR`, or `var`. Made when missing."""
    return make_dir(Path(os.environ.get("CONSULT_DATA_DIR") or ROOT / "var"))


def make_dir(directory: Path) -> Path:
    """The folder, absolute; private to this user when it has to be made, left as it is when it is there.

    Root's own folder may be passed through, not listed: PostgreSQL runs as another user and has to reach its
    own folder inside, while every other file in it is private by its own mode.
    """
    directory = directory.expanduser().absolute()
    if not directory.is_dir():
        directory.mkdir(parents=True, mode=0o700, exist_ok=True)
        directory.chmod(0o711 if os.geteuid() == 0 else 0o700)
    return directory


def load(directory: Path | None = None) -> Local:
    """The secrets of this data directory: made at the first call, completed when a newer version needs more.

    Safe against any number of processes calling it at once. Raises `LocalError` when the file is damaged.
    """
    directory = make_dir(directory) if directory else data_dir()
    with _locked(directory):
        path = directory / FILE_NAME
        known = _known(path)
        local = _completed(known)
        if asdict(local) != known:
            write_private(path, json.dumps(asdict(local), indent=2) + "\n")
    return local


def write_private(path: Path, text: str) -> None:
    """Replaces a file in one step, mode 0600: whoever reads it sees the old text or the new, never a part."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _known(path: Path) -> dict[str, object]:
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise LocalError(
            f"{path} cannot be read: {error}. It holds this machine's secrets; restore or remove it."
        ) from error
    if not isinstance(known, dict):
        raise LocalError(f"{path} does not hold what it should. It holds this machine's secrets; restore or remove it.")
    path.chmod(0o600)
    return known


def _completed(known: dict[str, object]) -> Local:
    """What is known, with fresh secrets for what is missing."""
    fresh: dict[str, object] = {
        "place": secrets.token_hex(6),
        "secret_key": secrets.token_urlsafe(50),
        "encryption_key": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    }
    kept = known.get("passwords")
    passwords = {role: secrets.token_urlsafe(24) for role in (SUPERUSER, *LOGIN_ROLES)}
    if isinstance(kept, dict):
        passwords |= {str(role): str(password) for role, password in kept.items()}
    values = {
        field.name: str(known.get(field.name) or fresh[field.name]) for field in fields(Local) if field.name in fresh
    }
    return Local(passwords=passwords, **values)


@contextlib.contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """One process at a time; the lock is on the folder itself, so nothing is left behind."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
