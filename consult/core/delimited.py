"""CSV that anybody made: its encoding and delimiter, and its rows, of which only a few are in memory at a time."""

import csv
import dataclasses
import io
from collections import Counter
from collections.abc import Generator, Iterable, Iterator

DELIMITERS = (",", ";", "\t", "|")
# What a page offers; the first is what is taken when nothing speaks for another.
ENCODINGS = (
    "utf-8",
    "windows-1252",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "iso-8859-15",
    "windows-1250",
    "windows-1251",
    "windows-1253",
    "windows-1254",
    "mac-roman",
    "shift_jis",
    "gb18030",
    "big5",
)
SAMPLE_BYTES = 256 * 1024
# Of the rest of a file: pieces that are not ASCII, which alone say how it is written.
_FOREIGN_BYTES = 64 * 1024
# What one cell, and one line of a file, may hold at most, in characters.
LONGEST_CELL, LONGEST_LINE = 100_000, 1_000_000
MOST_COLUMNS = 200
REPLACEMENT = "\ufffd"
_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
# Files that people take for CSV, by their first bytes.
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_BINARIES = (b"%PDF", b"\x89PNG", b"GIF8", b"\xff\xd8\xff", b"\x1f\x8b", b"MZ", b"\x7fELF", b"Rar!", b"7z\xbc\xaf")
# Letters and signs of western Europe, as windows-1252 has them beyond ASCII.
_WESTERN = frozenset("äöüßÄÖÜéèêëÉÈÊËàâáãåæÀÂÁÃÅÆçÇñÑóòôõøœÓÒÔÕØŒúùûÚÙÛíìîïÍÌÎÏýÿŸ–—’‘“”„…€°§£«»·´¿¡®©\u00a0")
# What makes a cell a formula when it stands behind the apostrophe with which core/spreadsheet.py disarms it.
_DISARMED = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")

csv.field_size_limit(LONGEST_CELL)


class Unreadable(Exception):
    """This is no CSV that could be read. `kind`: empty, workbook, binary, columns, cell or line; `row` where known."""

    def __init__(self, kind: str, row: int = 0) -> None:
        super().__init__(kind)
        self.kind, self.row = kind, row


@dataclasses.dataclass(frozen=True)
class Form:
    """How a file is to be read."""

    encoding: str
    delimiter: str
    has_header: bool


class Sample:
    """What of a file is looked at, gathered while it passes by; `lines` counts line ends."""

    def __init__(self) -> None:
        self.head, self.foreign, self.size, self.lines = b"", b"", 0, 0

    def add(self, chunk: bytes) -> None:
        self.size += len(chunk)
        self.lines += chunk.count(b"\n") or chunk.count(b"\r")
        if (room := SAMPLE_BYTES - len(self.head)) > 0:
            self.head += chunk[:room]
        elif len(self.foreign) < _FOREIGN_BYTES and not chunk.isascii():
            lines = [line for line in chunk.split(b"\n")[1:-1] if not line.isascii()]
            self.foreign += b"\n".join(lines)[: _FOREIGN_BYTES - len(self.foreign)] + b"\n"

    def form(self) -> Form:
        """Return how this seems to be written. Raise Unreadable."""
        if not self.head.strip(b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"):
            raise Unreadable("empty")
        if self.head.startswith(_WORKBOOKS):
            raise Unreadable("workbook")
        if self.head.startswith(_BINARIES):
            raise Unreadable("binary")
        encoding = _encoding(self.head, self.foreign)
        text = self.head.decode(encoding, "replace")
        # Every byte is some character to one encoding or another; text has hardly any that control machines.
        strange = sum(sign < " " and sign not in "\t\r\n\f\v\x1a" for sign in text)
        if strange * 20 > len(text):
            raise Unreadable("binary")
        return Form(encoding, delimiter := _delimiter(text), _has_header(text, delimiter))


def _encoding(head: bytes, foreign: bytes) -> str:
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) * 5 > len(head):
        # Every other byte is empty: UTF-16 that does not say so.
        return "utf-16-le" if odd > even else "utf-16-be"
    lines = [line for line in head.split(b"\n") if not line.isascii()]
    told = b"\n".join(lines)[:_FOREIGN_BYTES] + b"\n" + foreign
    if not told.strip():
        return "utf-8"
    text = told.decode("utf-8", "replace")
    broken, whole = text.count(REPLACEMENT), sum(sign > "\x7f" for sign in text)
    # A few broken bytes in the middle of what is UTF-8 are not another encoding; their rows are named.
    if broken * 5 <= whole:
        return "utf-8"
    return _older(told)


def _older(told: bytes) -> str:
    """Return the encoding of text that is not Unicode."""
    letters = [sign for sign in told.decode("windows-1252", "replace") if sign.isalpha() or sign > "\x7f"]
    western = [sign for sign in letters if sign > "\x7f"]
    # Another alphabet would look as if it were written in accents alone.
    if len(western) * 3 < len(letters) and sum(sign in _WESTERN for sign in western) * 10 >= len(western) * 9:
        return "windows-1252"
    from charset_normalizer import from_bytes  # only where it is used: it takes memory

    names = {"cp" + name.removeprefix("windows-"): name for name in ENCODINGS if name.startswith("windows-")}
    names |= {"iso8859_15": "iso-8859-15", "mac_roman": "mac-roman"}
    names |= {name: name for name in ("shift_jis", "gb18030", "big5")}
    best = from_bytes(told[:8192], cp_isolation=list(names), threshold=0.5).best()
    return names.get(best.encoding, "windows-1252") if best else "windows-1252"


def _delimiter(text: str) -> str:
    """Return the delimiter by which most of the first rows have the same number of cells, more than one."""
    best, found = (0.0, 0), ","
    for delimiter in DELIMITERS:
        widths = Counter(len(row) for row in _first(text, delimiter) if row)
        width, rows = widths.most_common(1)[0] if widths else (1, 0)
        if width > 1 and (score := (rows / widths.total(), width)) > best:
            best, found = score, delimiter
    return found


def _first(text: str, delimiter: str, most: int = 50) -> list[list[str]]:
    rows: list[list[str]] = []
    # The last line of a sample is seldom a whole one.
    lines = text.lstrip("\ufeff").splitlines(keepends=True)[: most + 1]
    try:
        for row in csv.reader(lines[:most] if len(lines) > 1 else lines, delimiter=delimiter):
            rows.append(row)
    except csv.Error:
        pass
    return rows


def _has_header(text: str, delimiter: str) -> bool:
    first = next((row for row in _first(text, delimiter) if row), [])
    return not any("@" in cell or cell.strip().isdigit() for cell in first)


class _Chunks(io.RawIOBase):
    """Chunks of bytes as a file."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks, self._left = iter(chunks), b""

    def close(self) -> None:
        # What they come from is open until they end, or somebody says that nobody wants more.
        if end := getattr(self._chunks, "close", None):
            end()
        super().close()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._left:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._left = chunk
        taken, self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)


def rows(chunks: Iterable[bytes], *, encoding: str, delimiter: str) -> Generator[tuple[int, list[str]]]:
    """Yield (number, cells) of every row that is not blank, counted from 1 as a spreadsheet counts them.

    Bytes that are none of the encoding's become U+FFFD; cells are as they stand. Raise Unreadable at the row from which
    on the file makes no sense: a quote that nobody closes, a line without an end, or nothing of this encoding.
    """
    buffered = io.BufferedReader(_Chunks(chunks), 64 * 1024)
    text = io.TextIOWrapper(buffered, encoding=encoding, errors="replace", newline="")
    number = 0
    try:
        for number, cells in enumerate(csv.reader(_lines(text), delimiter=delimiter), start=1):
            if number == 1 and cells:
                cells[0] = cells[0].removeprefix("\ufeff")
            if len(cells) > MOST_COLUMNS:
                raise Unreadable("columns", number)
            if any(cell and not cell.isspace() for cell in cells):
                yield number, cells
    except csv.Error:
        raise Unreadable("cell", number + 1) from None
    except UnicodeError:
        # What no codec can replace: UTF-16 that does not say in which order.
        raise Unreadable("encoding", number + 1) from None
    except _Endless:
        raise Unreadable("line", number + 1) from None
    finally:
        text.close()


class _Endless(Exception):
    """A line that is longer than any."""


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    while line := text.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise _Endless
        yield line


def plain(cell: str) -> str:
    """Return what a cell means: without spaces around it, and without the apostrophe that disarms a formula."""
    if cell.startswith("'") and cell[1:].lstrip(" \u00a0\u3000\ufeff").startswith(_DISARMED):
        cell = cell[1:]
    return cell.strip(" \t\r\n\u00a0\u3000\ufeff")
