"""One spool file: rows that are kept here until PostgreSQL has them. SQLite, one process, one thread.

Every change is one transaction that is on the disk (WAL, synchronous=FULL) before its caller hears of it.
"""

import contextlib
import datetime
import fcntl
import os
import pathlib
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import apsw
import msgspec

from edge import bounds, doors, log
from edge.submission import Outcome, Submission

type FormDay = tuple[str, str]  # a form's key and a UTC day such as 2026-03-01


class Unusable(Exception):
    """There can be no spool in this folder. The text says why."""


class Full(Exception):
    """The spool is at its limit, or its disk is full. Nothing of the row is kept."""


class Failed(Exception):
    """The disk did not take it, or not in time."""


class Waiting(NamedTuple):
    """A row in the file. `content` is a packed submission."""

    seq: int
    content: bytes
    form: str
    day: str


class State(msgspec.Struct, frozen=True):
    """`bytes` is what is in use of the file, `bad` how many rows nobody takes; `oldest_at` is UTC."""

    count: int = 0
    bytes: int = 0
    bad: int = 0
    oldest_at: datetime.datetime | None = None


class KnownForm(NamedTuple):
    """`definition` is JSON text as the door gave it; `present` is false for what a form was at an older version."""

    key: str
    version: int
    definition: str
    present: bool


_NAME = re.compile(r"spool-(\d{1,4})\.db")
# So many entries of the ledger are told at once.
LEDGER_ENTRIES = 1000
_SCHEMA_VERSION = 1
_SCHEMA = f"""
    CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE waiting (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL UNIQUE, digest BLOB NOT NULL, receipt TEXT NOT NULL,
        form TEXT NOT NULL, day TEXT NOT NULL, received_at REAL NOT NULL, content BLOB NOT NULL);
    CREATE TABLE ledger (
        form TEXT, day TEXT, accepted INTEGER NOT NULL, spooled INTEGER NOT NULL, told INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (form, day)) WITHOUT ROWID;
    CREATE INDEX ledger_untold ON ledger (told) WHERE NOT told;
    CREATE TABLE form (
        used INTEGER PRIMARY KEY, key TEXT NOT NULL, version INTEGER NOT NULL, definition TEXT NOT NULL,
        present INTEGER NOT NULL, UNIQUE (key, version));
    CREATE TABLE set_aside (seq INTEGER PRIMARY KEY, reason TEXT NOT NULL, content BLOB NOT NULL);
    PRAGMA user_version = {_SCHEMA_VERSION};
"""
_PAGE_BYTES = 4096


def numbers(directory: pathlib.Path) -> list[int]:
    """Of the spool files in a folder, whoever has them."""
    return sorted(int(found[1]) for name in os.listdir(directory) if (found := _NAME.fullmatch(name)))


def day_of(row: Submission) -> str:
    """The UTC day that a row is counted for."""
    return row.received_at.astimezone(datetime.UTC).date().isoformat()


def open_first(directory: pathlib.Path, limits: bounds.Bounds, told: log.Log) -> "File":
    """The first file of the folder that nobody has; folder and file are made when missing. Raises Unusable."""
    try:
        _make(directory)
        for number in range(1, 1000):
            if (found := _open(directory, number, limits, told, make=True)) is not None:
                return found
    except (OSError, apsw.Error, Full, Failed) as error:
        raise Unusable(f"the spool in {directory} cannot be used: {_why(error)}") from error
    raise Unusable(f"the spool in {directory} cannot be used: all of its files are taken")


def adopt(directory: pathlib.Path, number: int, limits: bounds.Bounds, told: log.Log) -> "File | None":
    """The file of a process that is gone; None when it is not, or when the file cannot be read. Raises Unusable."""
    try:
        return _open(directory, number, limits, told, make=False)
    except (OSError, apsw.Error, Full, Failed) as error:
        raise Unusable(f"{directory}/spool-{number}.db cannot be used: {_why(error)}") from error


def _open(directory: pathlib.Path, number: int, limits: bounds.Bounds, told: log.Log, *, make: bool) -> "File | None":
    """None when another process has this file, or when there is none and `make` is false."""
    path = directory / f"spool-{number}.db"
    lock = os.open(directory / f"spool-{number}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return None
        if not make and not path.exists():
            return None
        try:
            found = File(path, limits, lock)
        except (apsw.CorruptError, apsw.NotADBError) as damaged:
            aside = _move_aside(path)
            told.error("spool_corrupt", file=path.name, kept_as=aside, reason=type(damaged).__name__)
            if not make:
                return None
            found = File(path, limits, lock)
        lock = -1
        return found
    finally:
        if lock >= 0:
            os.close(lock)


class File:
    """An opened and locked file; all methods block. Raises Full and Failed, and nothing is changed then."""

    def __init__(self, path: pathlib.Path, limits: bounds.Bounds, lock: int) -> None:
        self.path = path
        self._limits = limits
        self._lock = lock
        self._reserve = path.with_suffix(".reserve")
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        self._db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
        self._count = self._bad = self._more = 0
        self.state = State()
        try:
            self.source = self._prepare()
            _sync(path.parent)
            self._count = self._db.execute("SELECT count(*) FROM waiting").get
            self._bad = self._db.execute("SELECT count(*) FROM set_aside").get
            self.state = self._look()
            self._written = {
                (form.key, form.version): (hash(form.definition), form.present) for form in self.known_forms()
            }
        except BaseException:
            self._db.close(force=True)
            raise
        self._make_reserve()
        # On a full disk the log cannot be moved into the file, nor can a row be deleted: the log has no room for that.
        # Then the reserve is given up, and it is enough: a quarter of it for the log as it normally is, one for what
        # the log grew by since it could not be moved, one for the last transaction, one to delete.
        quarter = self._reserve.stat().st_size // 4 if self._reserve.exists() else 0
        self.batch_bytes = min(limits.spool_batch_bytes, max(quarter, 4 * _PAGE_BYTES))
        self._db.pragma("wal_autocheckpoint", max(4, quarter // _PAGE_BYTES))

    def _prepare(self) -> str:
        # Alone on this file, SQLite keeps the index of its log in memory: no -shm file, no mapping that a full disk
        # could pull away under us.
        self._db.pragma("page_size", _PAGE_BYTES)
        self._db.pragma("locking_mode", "exclusive")
        self._db.pragma("journal_mode", "wal")
        self._db.pragma("synchronous", "full")
        if self._db.execute("PRAGMA quick_check(1)").get != "ok":
            raise apsw.CorruptError("quick_check")
        version = self._db.pragma("user_version")
        if version not in (0, _SCHEMA_VERSION):
            raise Unusable(f"{self.path} was made by a newer version of the edge")
        if version == 0:
            with self._changing():
                self._db.execute(_SCHEMA)
                self._db.execute("INSERT INTO meta VALUES ('source', ?)", (secrets.token_hex(8),))
        return str(self._db.execute("SELECT value FROM meta WHERE name = 'source'").get)

    def put(self, rows: Sequence[tuple[Submission, bytes]]) -> list[Outcome]:
        """Keeps rows, each with its packed bytes. Outcomes: spooled, duplicate, conflict (not kept)."""
        with self._changing():
            return [self._put(row, content) for row, content in rows]

    def _put(self, row: Submission, content: bytes) -> Outcome:
        known = "SELECT digest, receipt FROM waiting WHERE id = ?"
        if (found := self._db.execute(known, (row.id,)).get) is not None:
            return Outcome("duplicate" if found[0] == row.digest else "conflict", found[1])
        if row.earlier is not None:
            found = self._db.execute(known, (row.earlier,)).get
            if found is not None and found[0] == row.digest:
                return Outcome("duplicate", found[1])
        day = day_of(row)
        self._db.execute(
            "INSERT INTO waiting (id, digest, receipt, form, day, received_at, content) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (row.id, row.digest, row.receipt, row.form_key, day, row.received_at.timestamp(), content),
        )
        self._db.execute(
            "INSERT INTO ledger VALUES (?, ?, 1, 1, 0) ON CONFLICT (form, day)"
            " DO UPDATE SET accepted = accepted + 1, spooled = spooled + 1, told = 0",
            (row.form_key, day),
        )
        self._more += 1
        return Outcome("spooled", row.receipt)

    def peek(self, rows: int) -> list[Waiting]:
        """The oldest, at most so many and at most `batch_bytes` of them, but one at least."""
        found: list[Waiting] = []
        size = 0
        for record in self._db.execute("SELECT seq, content, form, day FROM waiting ORDER BY seq LIMIT ?", (rows,)):
            waiting = Waiting(*record)
            size += len(waiting.content)
            if found and size > self.batch_bytes:
                break
            found.append(waiting)
        return found

    def done(self, seqs: Sequence[int], uncounted: Sequence[FormDay], told: doors.Ledger) -> None:
        """Forgets rows that PostgreSQL has, and what of the ledger it was told.

        `uncounted`, one for each such row: it is counted elsewhere, and never was this spool's.
        """

        def change() -> None:
            for seq in seqs:
                self._leave(seq)
            for form, day in uncounted:
                self._db.execute(
                    "UPDATE ledger SET accepted = accepted - 1, told = 0 WHERE (form, day) = (?, ?)", (form, day)
                )
            self._mark(told)

        self._change_at_any_rate(change)

    def _leave(self, seq: int) -> None:
        found = self._db.execute("DELETE FROM waiting WHERE seq = ? RETURNING form, day", (seq,)).get
        if found is not None:
            self._more -= 1
            self._db.execute("UPDATE ledger SET spooled = spooled - 1, told = 0 WHERE (form, day) = (?, ?)", found)

    def _mark(self, told: doors.Ledger) -> None:
        for entry in told:
            self._db.execute(
                "UPDATE ledger SET told = 1 WHERE (form, day, accepted, spooled) = (?, ?, ?, ?)",
                (entry.form, entry.day, entry.accepted, entry.spooled),
            )
        today = datetime.datetime.now(datetime.UTC).date()
        oldest = today - datetime.timedelta(days=self._limits.spool_ledger_days)
        self._db.execute("DELETE FROM ledger WHERE told AND spooled = 0 AND day < ?", (oldest.isoformat(),))

    def keep_bad(self, seq: int, reason: str) -> None:
        """Out of the way, not out of the file. Accepted and nowhere stored: the office has to hear the alarm."""

        def change() -> None:
            self._db.execute(
                "INSERT OR IGNORE INTO set_aside SELECT seq, ?, content FROM waiting WHERE seq = ?", (reason, seq)
            )
            self._leave(seq)

        self._change_at_any_rate(change)
        self._bad = self._db.execute("SELECT count(*) FROM set_aside").get
        self.state = self._look()

    def ledger(self, leaving: Mapping[FormDay, int], entries: int = LEDGER_ENTRIES) -> list[doors.LedgerEntry]:
        """What changed since it was told, and all forms and days of `leaving`, as it will be when those have left."""
        found: dict[FormDay, tuple[int, int]] = {}
        columns = "SELECT form, day, accepted, spooled FROM ledger"
        for form, day, accepted, spooled in self._db.execute(f"{columns} WHERE NOT told LIMIT ?", (entries,)):
            found[form, day] = accepted, spooled
        for key in leaving:
            if (record := self._db.execute(f"{columns} WHERE (form, day) = (?, ?)", key).get) is not None:
                found[key] = record[2], record[3]
        return [
            doors.LedgerEntry(form, day, accepted, spooled - leaving.get((form, day), 0))
            for (form, day), (accepted, spooled) in found.items()
        ]

    def remember_form(self, form: KnownForm) -> None:
        """So that an edge that starts while the database is away knows it. The most recently used are kept."""
        written = (hash(form.definition), form.present)
        if self._written.get((form.key, form.version)) == written:
            return
        with self._changing():
            if form.present:
                self._db.execute("UPDATE form SET present = 0 WHERE key = ?", (form.key,))
            self._db.execute(
                "INSERT OR REPLACE INTO form (key, version, definition, present) VALUES (?, ?, ?, ?)", tuple(form)
            )
            most = self._limits.cached_forms
            self._db.execute(
                "DELETE FROM form WHERE used <= (SELECT used FROM form ORDER BY used DESC LIMIT 1 OFFSET ?)", (most,)
            )
        if form.present:
            self._written = {
                known: (value[0], value[1] and known[0] != form.key) for known, value in self._written.items()
            }
        self._written[form.key, form.version] = written

    def forget_form(self, key: str) -> None:
        """It was removed."""
        if any(known == key for known, _version in self._written):
            with self._changing():
                self._db.execute("DELETE FROM form WHERE key = ?", (key,))
            self._written = {known: value for known, value in self._written.items() if known[0] != key}

    def known_forms(self) -> list[KnownForm]:
        """The longest known first."""
        found = self._db.execute("SELECT key, version, definition, present FROM form ORDER BY used")
        return [KnownForm(key, version, definition, bool(present)) for key, version, definition, present in found]

    def close(self) -> None:
        """Moves the log into the file and lets others have it."""
        try:
            self._db.close()
        finally:
            os.close(self._lock)

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        self._more = 0
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if not self._db.get_autocommit():
                    self._db.execute("ROLLBACK")
                raise
        except apsw.FullError as full:
            raise Full("the disk is full") from full
        except apsw.Error as error:
            raise Failed(_why(error)) from error
        self._count += self._more
        self.state = self._look()

    def _change_at_any_rate(self, change: Callable[[], None]) -> None:
        """Also on a full disk: what leaves needs a little room before it gives any back."""
        try:
            with self._changing():
                change()
        except Full:
            self._reserve.unlink(missing_ok=True)
            with contextlib.suppress(apsw.Error):
                self._db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_RESTART)
            with self._changing():
                change()
        if self.state.count == 0:
            self._make_reserve()

    def _make_reserve(self) -> None:
        if self._reserve.exists():
            return
        disk = os.statvfs(self.path.parent)
        size = min(self._limits.spool_reserve_bytes, disk.f_bavail * disk.f_frsize // 4)
        try:
            with open(self._reserve, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as reserve:
                os.posix_fallocate(reserve.fileno(), 0, max(size, 1))
        except OSError:
            # No room for it now: tried again when the spool was drained.
            self._reserve.unlink(missing_ok=True)

    def _look(self) -> State:
        oldest = self._db.execute("SELECT received_at FROM waiting ORDER BY seq LIMIT 1").get
        used = self._db.pragma("page_count") - self._db.pragma("freelist_count")
        return State(
            count=self._count,
            bytes=used * self._db.pragma("page_size"),
            bad=self._bad,
            oldest_at=None if oldest is None else datetime.datetime.fromtimestamp(oldest, datetime.UTC),
        )


def _make(directory: pathlib.Path) -> None:
    if directory.is_dir():
        return
    _make(directory.parent)
    directory.mkdir(mode=0o700, exist_ok=True)
    _sync(directory.parent)


def _sync(directory: pathlib.Path) -> None:
    """A new name is on the disk only when its folder is."""
    opened = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _move_aside(path: pathlib.Path) -> str:
    """The log first: left behind, it would be taken for that of the new file."""
    name = f"{path.stem}.corrupt-{datetime.datetime.now(datetime.UTC):%Y%m%dT%H%M%S%f}.db"
    for suffix in ("-wal", ""):
        with contextlib.suppress(FileNotFoundError):
            os.rename(f"{path}{suffix}", path.with_name(name + suffix))
    _sync(path.parent)
    return name


def _why(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return f"{type(error).__name__}: {error}" if isinstance(error, apsw.Error) else str(error)
