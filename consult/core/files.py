"""Files that visitors sent: the edge writes them at CONSULT_FILES_URL, the office reads them there and sweeps."""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from urllib.parse import parse_qs, unquote, urlsplit

from django.conf import settings

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Config, S3Store

CHUNK_BYTES = 256 * 1024
_LOCATION = re.compile(r"[1-9]\d{0,18}/\d{4}-\d\d/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Where the edge writes what has no place yet; whatever is older than the longest upload was left by a killed one.
_INCOMING = ".incoming"


class Missing(Exception):
    """There is nothing at this location."""


class Away(Exception):
    """The storage does not answer, or not us."""


def read(location: str) -> Iterator[bytes]:
    """Open the file at once and return its content in chunks. Raise Missing, Away."""
    if not _LOCATION.fullmatch(location):
        raise Missing
    folder = _folder()
    return _from_bucket(location) if folder is None else _from_folder(folder / location)


def _folder() -> Path | None:
    """Return the local folder; None when files lie in a bucket."""
    parts = urlsplit(settings.CONSULT_FILES_URL)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def _from_folder(path: Path) -> Iterator[bytes]:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise Missing from None
    except OSError as error:
        raise Away(type(error).__name__) from error
    return _Chunks(file)


class _Chunks:
    """Django closes what it streams, also when nobody listens any more."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.close = file.close

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        chunk = self._file.read(CHUNK_BYTES)
        if not chunk:
            raise StopIteration
        return chunk


def _from_bucket(location: str) -> Iterator[bytes]:
    import obstore  # only where it is used: it takes memory
    from obstore.exceptions import BaseError, NotFoundError

    try:
        found = obstore.get(_bucket(), location)
    except (NotFoundError, FileNotFoundError):
        raise Missing from None
    except (BaseError, OSError) as error:
        raise Away(type(error).__name__) from error
    return (bytes(chunk) for chunk in found.stream(min_chunk_size=CHUNK_BYTES))


def _bucket() -> "S3Store":
    """Return the bucket of s3://bucket/prefix?endpoint=…&region=…, with AWS's usual variables for credentials."""
    from obstore.store import S3Store

    parts = urlsplit(settings.CONSULT_FILES_URL)
    told = {name: values[0] for name, values in parse_qs(parts.query).items()}
    config: dict[str, str] = {name: told[name] for name in ("endpoint", "region") if name in told}
    for name in ("access_key_id", "secret_access_key", "session_token"):
        if value := _secret(f"AWS_{name.upper()}"):
            config[name] = value
    options: dict[str, Any] = {
        "allow_http": told.get("endpoint", "").startswith("http://"),
        "connect_timeout": timedelta(seconds=3),
        "timeout": timedelta(seconds=30),
    }
    return S3Store(
        parts.hostname or "",
        prefix=parts.path.strip("/") or None,
        config=cast("S3Config", config),
        client_options=cast("ClientConfig", options),
        retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=10)},
    )


def _secret(name: str) -> str:
    path = os.environ.get(f"{name}_FILE", "")
    return Path(path).read_text(encoding="utf-8").strip() if path else os.environ.get(name, "")


def sweep(agency_id: int, named: Callable[[list[str]], Iterable[str]], *, before: float) -> int:
    """Remove an agency's files from the folder that were written before a time and that no row names; count them.

    `named` returns which of some ids (the last part of a location) rows know; `before` is in seconds since 1970.
    A bucket is left alone: its own rules end what nobody names.
    """
    folder = _folder()
    removed = 0
    for month in sorted((folder / str(agency_id)).glob("*/")) if folder else ():
        old = {path.name: path for path in month.iterdir() if path.is_file() and path.stat().st_mtime < before}
        known = {str(id) for id in named(list(old))} if old else set()
        for name in old.keys() - known:
            old[name].unlink(missing_ok=True)
            removed += 1
    return removed


def sweep_incoming(*, before: float) -> int:
    """Remove what killed uploads left in the folder before a time, in seconds since 1970; count it."""
    folder = _folder()
    removed = 0
    for path in (folder / _INCOMING).glob("*") if folder else ():
        try:
            if path.stat().st_mtime < before:
                path.unlink()
                removed += 1
        except FileNotFoundError:  # finished meanwhile
            continue
    return removed
