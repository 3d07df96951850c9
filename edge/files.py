"""Files that come with a form: what a form takes, where their bytes go, what they are.

Every file is written to a temporary one first, whatever the storage: only when all of a submission was read and judged
does it get its place. So what breaks off leaves nothing behind, and a slow sender holds no connection to a bucket.
"""

import asyncio
import builtins
import concurrent.futures
import contextlib
import datetime
import hashlib
import os
import pathlib
import uuid
from collections.abc import Callable, Sequence
from typing import BinaryIO, Protocol
from urllib.parse import unquote, urlsplit

import msgspec

CHUNK_BYTES = 256 * 1024
_INCOMING = ".incoming"
_NAME_CHARS = 200


RUNNABLE = frozenset(("text/html", "image/svg+xml", "text/xml", "application/xml", "application/xhtml+xml"))


def takes(types: Sequence[str], media_type: str) -> bool:
    """Whether a content of this kind is on a form's list of types (`image/*`, `application/pdf`, …; empty: any).

    Plain text has no marks, so it is any kind of text that was asked for; what a browser would run is only taken by
    its full name.
    """
    if not types or media_type in types or "*/*" in types:
        return True
    if media_type in RUNNABLE:
        return False
    if media_type == "text/plain":
        return any(wanted.startswith("text/") and wanted not in RUNNABLE for wanted in types)
    return media_type.partition("/")[0] + "/*" in types


class Stored(msgspec.Struct, frozen=True):
    """A file as its row has it. `location` is its place in the storage, `<agency>/<yyyy-mm>/<id>`."""

    id: str
    field: str
    name: str
    media_type: str
    size: int
    sha256: str
    location: str


class Unavailable(Exception):
    """The storage takes or gives nothing at this moment: gone, full, not allowed."""


class Unusable(Exception):
    """CONSULT_FILES_URL names no place that can be used; the text says why, without its value."""


class Storage(Protocol):
    """Where files stay. These block: they are called in threads (`work`), and raise OSError or Unavailable."""

    def temporary(self) -> BinaryIO: ...

    def keep(self, drafts: Sequence[tuple[BinaryIO, str]]) -> None:
        """Give each temporary file its location: all of them, safe against a power cut, or none."""

    def remove(self, locations: Sequence[str]) -> None: ...


_threads: concurrent.futures.ThreadPoolExecutor | None = None


async def work[T](function: Callable[..., T], *arguments: object) -> T:
    """Run it in a thread of our own: a slow disk must not hold up name look-ups. Raises Unavailable for OSError."""
    global _threads
    _threads = _threads or concurrent.futures.ThreadPoolExecutor(4, "files")
    running = _threads.submit(function, *arguments)
    try:
        # Shielded: when we are told to leave, the thread is still at work on what has to be cleaned up.
        return await asyncio.shield(asyncio.wrap_future(running))
    except asyncio.CancelledError:
        await asyncio.wait([asyncio.wrap_future(running)])
        raise
    except OSError as error:
        raise Unavailable(type(error).__name__) from error


class Draft:
    """One file on its way. It is flat in memory: at most CHUNK_BYTES wait to be written."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._sum = hashlib.sha256()
        self.file: BinaryIO | None = None
        self.size = 0

    async def write(self, chunk: bytes) -> None:
        """Raises Unavailable."""
        self.size += len(chunk)
        self._waiting.append(chunk)
        self._waiting_bytes += len(chunk)
        if self._waiting_bytes >= CHUNK_BYTES:
            await work(self._write)

    async def end(self) -> None:
        """Write what is left, also of a file of no bytes at all. Raises Unavailable."""
        await work(self._write)

    def _write(self) -> None:
        if self.file is None:
            self.file = self._storage.temporary()
        content = b"".join(self._waiting)
        self._waiting.clear()
        self._waiting_bytes = 0
        self._sum.update(content)
        self.file.write(content)

    @property
    def sha256(self) -> str:
        return self._sum.hexdigest()

    def kept(self) -> None:
        """It has its place: there is nothing to drop any more."""
        self.file = None

    def drop(self) -> None:
        """Leave nothing behind; harmless when there is nothing."""
        self._waiting.clear()
        drop(self.file)
        self.file = None


def drop(file: BinaryIO | None) -> None:
    """Close a temporary file and remove it, if it still has its temporary name."""
    if file is None:
        return
    with contextlib.suppress(OSError):
        file.close()
    if isinstance(file.name, str):
        with contextlib.suppress(OSError):
            os.unlink(file.name)


def location_of(agency_id: int, id: uuid.UUID, now: datetime.datetime) -> str:
    """`<agency>/<yyyy-mm>/<id>`: folders stay small, and one agency's files lie together."""
    return f"{agency_id}/{now:%Y-%m}/{id}"


def clean_name(name: str) -> str:
    """A file's name for people: no path, nothing that no file name holds, at most 200 characters, never empty."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    shown = "".join(letter if letter.isprintable() else " " for letter in last).strip(" .") or "file"
    if len(shown) <= _NAME_CHARS:
        return shown
    stem, dot, ending = shown.rpartition(".")
    short = dot + ending if stem and len(ending) <= 10 else ""
    return shown[: _NAME_CHARS - len(short)] + short


class Folder:
    """A local folder, shared with the office."""

    def __init__(self, root: pathlib.Path) -> None:
        self._root = root
        self._synced: set[pathlib.Path] = set()

    def temporary(self) -> BinaryIO:
        """In the same file system as its place, so that it can be renamed."""
        incoming = self._root / _INCOMING
        path = incoming / str(uuid.uuid4())
        try:
            return _created(path)
        except FileNotFoundError:
            self._make(incoming)
            return _created(path)

    def keep(self, drafts: Sequence[tuple[BinaryIO, str]]) -> None:
        kept: list[str] = []
        try:
            folders: dict[pathlib.Path, None] = {}
            for file, location in drafts:
                file.flush()
                os.fsync(file.fileno())
                place = self._root / location
                self._make(place.parent)
                folders[place.parent] = None
                os.rename(file.name, place)
                kept.append(location)
                file.close()
            for folder in folders:
                _sync(folder)
        except OSError:
            self.remove(kept)
            raise

    def remove(self, locations: Sequence[str]) -> None:
        for location in locations:
            (self._root / location).unlink(missing_ok=True)

    def _make(self, folder: pathlib.Path) -> None:
        """Make the folder and those above it; each one's name is synced once by every process."""
        if folder in self._synced and folder.is_dir():
            return
        # Never the root itself: when it is gone a disk is not mounted, and what lies under its name is another one.
        for made in (*reversed(folder.relative_to(self._root).parents[:-1]), folder.relative_to(self._root)):
            (self._root / made).mkdir(mode=0o700, exist_ok=True)
            _sync((self._root / made).parent)
        self._synced.add(folder)


def _created(path: pathlib.Path) -> BinaryIO:
    return builtins.open(path, "x+b", opener=lambda name, flags: os.open(name, flags, 0o600))


def _sync(folder: pathlib.Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def open(url: str) -> Storage:
    """The storage of CONSULT_FILES_URL: file:///folder (made when it is missing) or s3://bucket/prefix?endpoint=…

    Raises Unusable.
    """
    parts = urlsplit(url)
    if parts.scheme == "s3":
        from edge import files_s3  # only where it is used: it takes memory

        return files_s3.Bucket(url)
    root = pathlib.Path(unquote(parts.path))
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Unusable(f"CONSULT_FILES_URL: the folder cannot be made ({type(error).__name__})") from error
    return Folder(root)
