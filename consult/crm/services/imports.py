"""Imports of contacts and companies: a file is kept, mapped, checked, run by jobs, and taken back as a whole."""

import datetime as dt
from collections.abc import Iterable, Sequence
from uuid import UUID

from django.conf import settings
from django.db import transaction

from consult.accounts import queries as accounts_queries
from consult.accounts import services as accounts
from consult.core import delimited, files, queue, tenancy
from consult.crm import models, queries, rules
from consult.crm.queries.imports import NoSuchImport, header, own_fields
from consult.crm.queries.labels import Place
from consult.crm.services.import_runs import drop

# What nobody has gone on with is forgotten after so long.
ABANDONED = dt.timedelta(days=7)
# A job that gave no sign of life for so long is not waited for any more.
LOST_AFTER = dt.timedelta(minutes=10)


class TooLarge(Exception):
    """The file is larger than CONSULT_IMPORT_LIMIT_MB."""


class WrongState(Exception):
    """The import is not where this could be done."""


class BadMapping(ValueError):
    """`kind`, of rules.mapping_fault: unknown, twice or nameless."""

    def __init__(self, kind: str) -> None:
        super().__init__("What the columns mean does not go together.")
        self.kind = kind


def create_import(
    *, agency_id: int, place: Place, name: str, chunks: Iterable[bytes], by: UUID | None, now: dt.datetime
) -> UUID:
    """Keep a file, piece by piece, and guess how it is written and what its columns mean; return the import's id.

    Nothing is kept of a file that cannot be read. Raise TooLarge, delimited.Unreadable, files.Away.
    """
    location, sample = files.new_location(agency_id, "import"), delimited.Sample()
    with files.writing(location) as file:
        for chunk in chunks:
            if sample.size + len(chunk) > settings.CONSULT_IMPORT_LIMIT_BYTES:
                raise TooLarge
            sample.add(chunk)
            file.write(chunk)
        form = sample.form()
    try:
        with tenancy.agency(agency_id):
            # From what was kept: the first row may be anywhere, behind blank ones.
            of = models.Import(
                agency_id=agency_id,
                place=place,
                name=clean_name(name),
                location=location,
                size=sample.size,
                total=sample.lines,
                by_id=by,
                moved_at=now,
            )
            _read_as(of, form)
            of.save()
            accounts.record("crm.create_import", agency_id=agency_id, by=by, subject_id=of.id)
    except BaseException:
        drop(location)
        raise
    return of.id


def clean_name(name: str) -> str:
    """Return a file's name as it is shown."""
    line = "".join(sign for sign in " ".join(name.split()) if sign.isprintable())
    return line.replace("\\", "/").rpartition("/")[2][-200:] or "contacts.csv"


def _read_as(of: models.Import, form: delimited.Form) -> None:
    """Read the file's header in this form and guess its columns anew. Raise delimited.Unreadable, files.*."""
    first = header(of.location, form)
    if not first:
        raise delimited.Unreadable("empty")
    of.encoding, of.delimiter, of.has_header = form.encoding, form.delimiter, form.has_header
    of.columns = rules.unique_names(first if form.has_header else [""] * len(first))
    of.mapping = rules.guess_columns(of.place, of.columns, own_fields(of.agency_id, of.place))
    of.counts, of.position, of.error, of.error_row, of.state = {}, 0, "", 0, "new"


def reread_import(*, agency_id: int, import_id: UUID, form: delimited.Form, by: UUID | None, now: dt.datetime) -> None:
    """Read the file in another way. Raise NoSuchImport, WrongState, delimited.Unreadable, files.Away."""
    with tenancy.agency(agency_id):
        of = _locked(agency_id, import_id, "new", "checked", "failed")
        _expect_untouched(of)
        if form != delimited.Form(of.encoding, of.delimiter, of.has_header):
            _read_as(of, form)
        of.moved_at = now
        of.save()
        accounts.record("crm.reread_import", agency_id=agency_id, by=by, subject_id=of.id)


def check_import(
    *,
    agency_id: int,
    import_id: UUID,
    mapping: Sequence[str],
    on_known: str,
    by: UUID | None,
    now: dt.datetime,
) -> None:
    """Say what the columns mean and have a job look at every row: nothing is imported by it.

    `mapping`: one of rules.COLUMNS, own:<field id> or an empty text for each column. Raise NoSuchImport, WrongState,
    BadMapping.
    """
    with tenancy.agency(agency_id):
        of = _locked(agency_id, import_id, "new", "checked", "failed", "checking", now=now)
        _expect_untouched(of)
        own = [id for id, _name in own_fields(agency_id, of.place)]
        if len(mapping) != len(of.columns) or on_known not in rules.ON_KNOWN:
            raise BadMapping("unknown")
        if fault := rules.mapping_fault(of.place, mapping, own):
            raise BadMapping(fault)
        models.ImportRow.objects.filter(agency_id=agency_id, import_id=of.id).delete()
        of.mapping, of.on_known, of.state, of.moved_at = list(mapping), on_known, "checking", now
        of.counts, of.position, of.error, of.error_row = {}, 0, "", 0
        of.save()
        accounts.record("crm.check_import", agency_id=agency_id, by=by, subject_id=of.id)
        queue.enqueue("crm.check_rows", import_id=str(of.id))


def start_import(*, agency_id: int, import_id: UUID, by: UUID | None, now: dt.datetime) -> None:
    """Have a job do what the check has shown; one that stopped goes on. Raise NoSuchImport, WrongState."""
    with tenancy.agency(agency_id):
        of = _locked(agency_id, import_id, "checked", "failed", "running", now=now)
        _expect_file(of)
        if of.state == "checked":
            models.ImportRow.objects.filter(agency_id=agency_id, import_id=of.id).delete()
            of.counts, of.position, of.started_at, of.by_id = {}, 0, now, by or of.by_id
        elif of.started_at is None:
            # It was the check that failed.
            raise WrongState
        of.state, of.moved_at, of.error, of.error_row = "running", now, "", 0
        of.save()
        accounts.record("crm.start_import", agency_id=agency_id, by=by, subject_id=of.id)
        queue.enqueue("crm.run_import", import_id=str(of.id))


def undo_import(*, agency_id: int, import_id: UUID, by: UUID | None, now: dt.datetime) -> None:
    """Have a job take all of it back, also of one that stopped half-way. Raise NoSuchImport, WrongState."""
    with tenancy.agency(agency_id):
        of = _locked(agency_id, import_id, "done", "failed", "undoing", now=now)
        if of.started_at is None or (of.forgotten_at and of.forgotten_at <= now):
            raise WrongState
        of.state, of.moved_at, of.error = "undoing", now, ""
        if of.location:
            transaction.on_commit(lambda location=of.location: drop(location))  # type: ignore[misc]
            of.location = ""
        of.forgotten_at = of.forgotten_at or now + ABANDONED
        of.save()
        accounts.record("crm.undo_import", agency_id=agency_id, by=by, subject_id=of.id)
        queue.enqueue("crm.take_back", import_id=str(of.id))


def discard_import(*, agency_id: int, import_id: UUID, by: UUID | None, now: dt.datetime) -> None:
    """Forget an import that has changed nothing, and its file. Raise NoSuchImport, WrongState."""
    with tenancy.agency(agency_id):
        of = _locked(agency_id, import_id, "new", "checked", "failed", "checking")
        if of.started_at is not None:
            raise WrongState
        models.ImportRow.objects.filter(agency_id=agency_id, import_id=of.id).delete()
        transaction.on_commit(lambda: drop(of.location))
        models.Import.objects.filter(agency_id=agency_id, id=of.id).delete()
        accounts.record("crm.discard_import", agency_id=agency_id, by=by, subject_id=import_id)


def forget_imports(*, agency_id: int, now: dt.datetime) -> int:
    """Forget what stood where before imports whose time is over, and those nobody has gone on with; return how many."""
    with tenancy.agency(agency_id):
        every = models.Import.objects.filter(agency_id=agency_id)
        left = every.filter(state__in=("new", "checked", "failed"), started_at=None, moved_at__lte=now - ABANDONED)
        for of in (abandoned := list(left)):
            discard_import(agency_id=agency_id, import_id=of.id, by=None, now=now)
        over = list(every.filter(forgotten_at__lte=now, state__in=("done", "undone", "failed")))
        rows = models.ImportRow.objects.filter(agency_id=agency_id, import_id__in=[of.id for of in over])
        rows.filter(outcome="failed").delete()
        rows.exclude(changes={}).update(changes={})
    return len(abandoned) + len(over)


def forget_import_rows(*, agency_id: int, contact_id: UUID) -> None:
    """Forget what imports have changed on a contact: what stood there before is in it."""
    with tenancy.agency(agency_id):
        rows = models.ImportRow.objects.filter(agency_id=agency_id, contact_id=contact_id)
        rows.update(changes={}, issues=[])


def sweep_imports(*, now: dt.datetime) -> int:
    """Remove files that no import names; return how many."""
    before = (now - dt.timedelta(days=1)).timestamp()
    removed = 0
    for agency_id, _slug, _name in accounts_queries.agencies():
        with tenancy.agency(agency_id):
            named = queries.import_files(agency_id)
        removed += files.sweep(agency_id, lambda _ids, named=named: named, before=before, kind="import")  # type: ignore[misc]
    return removed


def _locked(agency_id: int, import_id: UUID, *states: str, now: dt.datetime | None = None) -> models.Import:
    """Return an import, locked, if it is in one of these states; one at work only if its job is lost.

    Raise NoSuchImport, WrongState.
    """
    of = models.Import.objects.select_for_update().filter(agency_id=agency_id, id=import_id).first()
    if of is None:
        raise NoSuchImport(import_id)
    at_work = of.state in ("checking", "running", "undoing")
    if of.state not in states or (at_work and now and of.moved_at > now - LOST_AFTER):
        raise WrongState
    return of


def _expect_file(of: models.Import) -> None:
    if not of.location:
        raise WrongState


def _expect_untouched(of: models.Import) -> None:
    _expect_file(of)
    if of.started_at is not None:
        raise WrongState
