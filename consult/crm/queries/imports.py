"""Reads of imports: how they stand, what their file looks like, what is wrong with it."""

import contextlib
import dataclasses
import datetime as dt
import itertools
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from consult.accounts import queries as accounts
from consult.core import delimited, files
from consult.crm import models
from consult.crm.queries.companies import company_names
from consult.crm.queries.contacts import contact_names
from consult.crm.queries.fields import fields
from consult.crm.queries.labels import Place

PREVIEW = 5
PAGE_ROWS = 500


class NoSuchImport(Exception):
    """The agency has no import of this id."""


@dataclasses.dataclass(frozen=True)
class Import:
    """An import as its page shows it; `location` is for the office alone."""

    id: UUID
    place: str
    state: str
    name: str
    size: int
    location: str
    encoding: str
    delimiter: str
    has_header: bool
    columns: list[str]
    mapping: list[str]
    on_known: str
    position: int
    total: int
    counts: dict[str, int]
    undone: dict[str, int]
    error: str
    error_row: int
    by_name: str
    created_at: dt.datetime
    moved_at: dt.datetime
    started_at: dt.datetime | None
    finished_at: dt.datetime | None
    forgotten_at: dt.datetime | None

    @property
    def at_work(self) -> bool:
        return self.state in ("checking", "running", "undoing")

    @property
    def is_written(self) -> bool:
        """Whether it has changed anything yet, or may have."""
        return self.started_at is not None

    def can_undo(self, now: dt.datetime) -> bool:
        return (
            self.state in ("done", "failed")
            and self.is_written
            and not (self.forgotten_at and self.forgotten_at <= now)
        )


@dataclasses.dataclass(frozen=True)
class ImportRow:
    """A row that was not taken, looks like somebody who is there, or was kept; `about` names that one."""

    id: UUID
    line: int
    outcome: str
    issues: list[dict[str, str]]
    by: str
    contact_id: UUID | None
    company_id: UUID | None
    about: str


def imports(agency_id: int, limit: int = 20) -> list[Import]:
    """Return the agency's imports, the latest first."""
    return imports_before(agency_id, None, limit)


def imports_before(agency_id: int, before: UUID | None, limit: int) -> list[Import]:
    """Return the imports that were uploaded before this one, the latest first."""
    found = models.Import.objects.filter(agency_id=agency_id)
    found = found.filter(id__lt=before) if before else found
    rows = list(found.order_by("-id")[:limit])
    names = accounts.member_names(agency_id) if rows else {}
    return [_import(row, names) for row in rows]


def import_(agency_id: int, import_id: UUID) -> Import:
    """Return one import. Raise NoSuchImport."""
    row = models.Import.objects.filter(agency_id=agency_id, id=import_id).first()
    if row is None:
        raise NoSuchImport(import_id)
    return _import(row, accounts.member_names(agency_id) if row.by_id else {})


def _import(row: models.Import, names: dict[UUID, str]) -> Import:
    named = {field.name: getattr(row, field.name) for field in dataclasses.fields(Import) if field.name != "by_name"}
    return Import(**named, by_name=names.get(row.by_id, "") if row.by_id else "")


def import_files(agency_id: int) -> list[str]:
    """Return the ids of the files that imports name."""
    found = models.Import.objects.filter(agency_id=agency_id).exclude(location="")
    return [location.rpartition("/")[2] for location in found.values_list("location", flat=True)]


def own_fields(agency_id: int, place: str) -> list[tuple[str, str]]:
    """Return (id, name) of the agency's own fields that columns may mean."""
    of: Place = "contact" if place == "contact" else "company"
    return [(str(field.id), field.name) for field in fields(agency_id, of)]


def header(location: str, form: delimited.Form) -> list[str]:
    """Return the cells of the file's first row, none for an empty file. Raise delimited.Unreadable, files.*."""
    return next((cells for _line, cells in _first(location, form, 1)), [])


def preview(of: Import) -> list[list[str]]:
    """Return the first rows as they will be read, as many cells each as there are columns.

    Raise delimited.Unreadable, files.Missing, files.Away.
    """
    form = delimited.Form(of.encoding, of.delimiter, of.has_header)
    rows = [cells for _line, cells in _first(of.location, form, PREVIEW + form.has_header)][form.has_header :]
    width = len(of.columns)
    return [[delimited.plain(cell).replace("\0", "�")[:200] for cell in (row + [""] * width)[:width]] for row in rows]


def _first(location: str, form: delimited.Form, most: int) -> list[tuple[int, list[str]]]:
    with contextlib.closing(
        delimited.rows(files.read(location), encoding=form.encoding, delimiter=form.delimiter)
    ) as rows:
        return list(itertools.islice(rows, most))


def import_rows(agency_id: int, import_id: UUID, *outcomes: str, after: int = 0, limit: int = 50) -> list[ImportRow]:
    """Return the rows of an import behind the line `after` that came out like this, in the file's order."""
    found = models.ImportRow.objects.filter(agency_id=agency_id, import_id=import_id, outcome__in=outcomes)
    rows = list(found.filter(line__gt=after).order_by("line")[:limit])
    people = contact_names(agency_id, [row.contact_id for row in rows])
    firms = company_names(agency_id, [row.company_id for row in rows])
    return [
        ImportRow(
            row.id,
            row.line,
            row.outcome,
            row.issues,
            row.changes.get("by", ""),
            row.contact_id,
            row.company_id,
            (people.get(row.contact_id, "") if row.contact_id else "")
            or (firms.get(row.company_id, "") if row.company_id else ""),
        )
        for row in rows
    ]


def every_issue(agency_id: int, import_id: UUID) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line, issue) of every row that was not taken, as far as they were noted. Enters the agency itself."""
    from consult.core import tenancy

    after = 0
    while True:
        with tenancy.agency(agency_id):
            rows = import_rows(agency_id, import_id, "failed", after=after, limit=PAGE_ROWS)
        for row in rows:
            after = row.line
            for issue in row.issues:
                yield row.line, issue
        if len(rows) < PAGE_ROWS:
            return


def imported(agency_id: int, **who: Any) -> tuple[UUID, str, int, dt.datetime, UUID | None] | None:
    """Return which import has added this contact or company: (id, file, line, when, by whom); None when none has."""
    rows = models.ImportRow.objects.filter(agency_id=agency_id, **who)
    # Of rows of contacts, the companies that were made for them.
    row = rows.exclude(outcome__in=("similar", "failed", "updated", "restored")).order_by("id").first()
    if row is None:
        return None
    of = models.Import.objects.get(agency_id=agency_id, id=row.import_id)
    return of.id, of.name, row.line, row.created_at, of.by_id
