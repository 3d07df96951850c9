"""CSV that stays text in a spreadsheet. The only place that writes any: a test looks for others."""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

from django.http import StreamingHttpResponse

# What makes a cell a formula (https://owasp.org/www-community/attacks/CSV_Injection), with its full-width twins, which
# some programs read the same way; tab, CR and LF since programs skip them before they look. Others skip blanks as well.
_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


def cell(value: Any) -> str:
    """Return a value as the text of one cell that no spreadsheet takes for a formula.

    A number that Python itself made is left as it is, so that it can be calculated with.
    """
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    # Neither can be in a text file that programs read line by line.
    text = str(value).replace("\0", "�").encode("utf-8", "replace").decode()
    return f"'{text}" if text.lstrip(" \u00a0\u3000\ufeff").startswith(_FORMULA) else text


def lines(header: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """Yield the document line by line, the header first; the byte order mark lets Excel read UTF-8."""
    out = io.StringIO()
    # Each cell in quotes: a separator of another country cannot split one (RFC 4180).
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    out.write("\ufeff")
    writer.writerow([cell(name) for name in header])
    for row in rows:
        yield _taken(out)
        writer.writerow([cell(value) for value in row])
    yield _taken(out)


def _taken(out: io.StringIO) -> str:
    text = out.getvalue()
    out.seek(0)
    out.truncate()
    return text


def download(name: str, header: Iterable[str], rows: Iterable[Iterable[Any]]) -> StreamingHttpResponse:
    """Answer with a CSV file of this name, sent while `rows` is read: whatever reads the database enters its agency."""
    response = StreamingHttpResponse(lines(header, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response
