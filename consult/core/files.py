"""Files at CONSULT_FILES_URL. Visitors' come from the edge; the office adds logos, exports, mails, and serves all."""

import contextlib
import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, cast
from urllib.parse import parse_qs, unquote, urlsplit

from django.conf import settings
from django.http import Http404

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Config, S3Store

CHUNK_BYTES = 256 * 1024
# <agency>/<month of a visitor's file, or a kind of our own>/<id>
_LOCATION = re.compile(r"[1-9]\d{0,18}/(\d{4}-\d\d|logo|export|mail)/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_VISITORS = "[0-9][0-9][0-9][0-9]-[0-9][0-9]"
_PART_BYTES = 5 * 1024 * 1024
# Where the edge writes what has no place yet; whatever is older than the longest upload was left by a killed one.
_INCOMING = ".incoming"


class Missing(Http404):
    """There is nothing at this location. Who asks for it over HTTP is told so."""


class Away(Exception):
    """The storage does not answer, or not us. Who asks for a file over HTTP gets a 503 (core.errors)."""


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
    """Closed at its end, or by Django, which closes what it streams also when nobody listens any more."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.close = file.close

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        chunk = b"" if self._file.closed else self._file.read(CHUNK_BYTES)
        if not chunk:
            self.close()
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


def new_location(agency_id: int, kind: Literal["logo", "export", "mail"]) -> str:
    """Return a place for a file of our own that nobody can guess."""
    return f"{agency_id}/{kind}/{uuid.uuid4()}"


@contextlib.contextmanager
def writing(location: str) -> Iterator[BinaryIO]:
    """Give an empty file to write into, and its location once the block has ended well; what was there is replaced.

    When the block raises, or the process dies in it, nothing is at the location that was not there before. Raise Away.
    """
    if not _LOCATION.fullmatch(location):
        raise ValueError("no location")
    try:
        with _temporary() as file:
            yield file
            _keep(file, location)
    except OSError as error:
        raise Away(type(error).__name__) from error


@contextlib.contextmanager
def _temporary() -> Iterator[BinaryIO]:
    folder = _folder()
    if folder is None:
        with tempfile.TemporaryFile() as nameless:
            yield cast(BinaryIO, nameless)
        return
    # The root is never made here: it would be another disk than the one that was meant.
    (folder / _INCOMING).mkdir(exist_ok=True)
    path = folder / _INCOMING / str(uuid.uuid4())
    try:
        with path.open("w+b") as file:
            yield file
    finally:
        path.unlink(missing_ok=True)


def _keep(file: BinaryIO, location: str) -> None:
    file.flush()
    folder = _folder()
    if folder is None:
        _upload(file, location)
        return
    os.fsync(file.fileno())
    target = folder / location
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(file.name, target)
    parent = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(parent)
    finally:
        os.close(parent)


def _upload(file: BinaryIO, location: str) -> None:
    import obstore
    from obstore.exceptions import BaseError

    file.seek(0)
    try:
        obstore.put(_bucket(), location, file, chunk_size=_PART_BYTES, max_concurrency=1)
    except BaseError as error:
        raise Away(type(error).__name__) from error


def remove(location: str) -> None:
    """Remove a file; one that is not there is no error. Raise Away."""
    if not _LOCATION.fullmatch(location):
        return
    folder = _folder()
    try:
        if folder is not None:
            (folder / location).unlink(missing_ok=True)
        else:
            _remove_objects([location])
    except OSError as error:
        raise Away(type(error).__name__) from error


def remove_agency(agency_id: int) -> None:
    """Remove every file of an agency; a second time changes nothing. Raise Away."""
    folder = _folder()
    try:
        if folder is not None:
            if (folder / str(agency_id)).is_dir():
                shutil.rmtree(folder / str(agency_id))
            return
        import obstore
        from obstore.exceptions import BaseError

        try:
            for batch in obstore.list(_bucket(), prefix=f"{agency_id}/", chunk_size=500):
                _remove_objects([found["path"] for found in batch])
        except BaseError as error:
            raise Away(type(error).__name__) from error
    except OSError as error:
        raise Away(type(error).__name__) from error


def _remove_objects(paths: list[str]) -> None:
    import obstore
    from obstore.exceptions import BaseError, NotFoundError

    try:
        obstore.delete(_bucket(), paths)
    except (NotFoundError, FileNotFoundError):
        return
    except BaseError as error:
        raise Away(type(error).__name__) from error


def sweep(
    agency_id: int,
    named: Callable[[list[str]], Iterable[str]],
    *,
    before: float,
    kind: Literal["", "logo", "mail"] = "",
) -> int:
    """Remove an agency's files from the folder that were written before a time and that no row names; count them.

    `named` returns which of some ids (the last part of a location) rows know; `before` is in seconds since 1970.
    `kind` empty: visitors' files. A bucket is left alone: its own rules end what nobody names.
    """
    folder = _folder()
    removed = 0
    for month in sorted((folder / str(agency_id)).glob(f"{kind or _VISITORS}/")) if folder else ():
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
