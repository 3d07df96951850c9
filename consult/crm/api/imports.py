"""Imports of contacts and companies from CSV files."""

import datetime as dt
from collections.abc import Iterator
from typing import Annotated, Any, Literal
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Query
from pydantic import BaseModel, ConfigDict, Field, StrictBool

from consult.accounts import queries as accounts
from consult.core import api, delimited, files
from consult.core.errors import Refused
from consult.crm import queries, services
from consult.crm.api import values

router = api.Router(tags=["Imports"])

type ImportState = Literal["new", "checking", "checked", "running", "done", "undoing", "undone", "failed"]
type Encoding = Literal[
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
]
REFUSALS = {queries.NoSuchImport: ("not_found", ""), services.BadMapping: ("invalid", "/mapping")}


class ImportCounts(api.Shape):
    """Rows by what becomes of them. `repeated`: of somebody further up in the file. `similar`: added nevertheless."""

    new: int
    known: int
    skipped: int
    repeated: int
    similar: int
    failed: int


class UndoCounts(api.Shape):
    """What was taken back, and what stays since somebody has worked with it."""

    removed: int
    restored: int
    kept: int
    companies: int
    companies_kept: int


class Import(api.Shape):
    """A file that is imported. `counts` are the check's until it runs, then the run's."""

    id: UUID
    place: str
    state: ImportState
    name: str
    size: int
    encoding: str
    delimiter: str
    has_header: bool
    columns: list[str]
    mapping: list[str]
    on_known: str
    position: Annotated[int, Field(description="The last row of the file that was looked at, or done.")]
    total: Annotated[int, Field(description="How many rows there are; lines, before the check.")]
    counts: ImportCounts
    undone: UndoCounts
    error: Annotated[str, Field(description="Why it stopped, empty where it did not.")]
    error_row: int
    created_at: dt.datetime
    started_at: dt.datetime | None
    finished_at: dt.datetime | None


class ImportIssue(api.Shape):
    """What is wrong with a row, which is left out. `column` is empty for the row as a whole."""

    row: int
    column: str
    code: str
    value: str


class Upload(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    place: Annotated[Literal["contact", "company"], Field(description="What is in the file.")] = "contact"
    name: Annotated[str, Field(max_length=200, description="What the file is called.")] = "import.csv"


class Reading(api.Input):
    encoding: Encoding
    delimiter: Literal[",", ";", "\t", "|"]
    has_header: StrictBool


class Checking(api.Input):
    mapping: Annotated[
        list[Annotated[api.Words, Field(max_length=60)]],
        Field(
            max_length=delimited.MOST_COLUMNS,
            description="What each column means: for contacts name, first_name, last_name, emails, phones, job_title,"
            " company, client, labels; for companies name, website, phone, address, client, labels; own:<field id>;"
            " or empty.",
            examples=[["name", "emails"]],
        ),
    ]
    on_known: Annotated[Literal["update", "skip"], Field(description="Of who is known: by e-mail, or by name.")]


def _import(of: queries.Import) -> Import:
    named: dict[str, Any] = {
        name: getattr(of, name) for name in Import.model_fields if name not in ("counts", "undone")
    }
    counts = {name: of.counts.get(name, 0) for name in ImportCounts.model_fields}
    undone = {name: of.undone.get(name, 0) for name in UndoCounts.model_fields}
    return Import(**named, counts=ImportCounts(**counts), undone=UndoCounts(**undone))


def _row(agency_id: int, import_id: UUID) -> queries.Import:
    try:
        return queries.import_(agency_id, import_id)
    except queries.NoSuchImport:
        raise Http404 from None


@router.get("", response=api.Listed[Import], summary="List imports")
def list_imports(request: HttpRequest, paging: Query[api.Paging]) -> HttpResponse:
    """The latest first."""
    here = accounts.permit(request, "records.read")
    before = api.cursor(request, paging, UUID)
    rows = queries.imports_before(here.agency_id, before[0] if before else None, paging.limit + 1)
    return api.listed(request, rows, paging, shape=_import, place=lambda row: (row.id,))


@router.get("/{uuid:import_id}", response=Import, summary="Show an import")
def show_import(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """While `state` is checking, running or undoing, ask again after a second or two."""
    here = accounts.permit(request, "records.read")
    return api.answer(request, _import(_row(here.agency_id, import_id)))


@router.get("/{uuid:import_id}/issues", response=api.Listed[ImportIssue], summary="List rows that are not taken")
def list_import_issues(request: HttpRequest, import_id: UUID, paging: Query[api.Paging]) -> HttpResponse:
    """The first thousand rows that have errors, in the file's order; of each what is wrong first."""
    here = accounts.permit(request, "records.read")
    of = _row(here.agency_id, import_id)
    after = api.cursor(request, paging, int)
    rows = queries.import_rows(here.agency_id, of.id, "failed", after=after[0] if after else 0, limit=paging.limit + 1)
    return api.listed(request, rows, paging, shape=_issue, place=lambda row: (row.line,))


def _issue(row: queries.ImportRow) -> ImportIssue:
    first = row.issues[0] if row.issues else {"column": "", "code": "", "value": ""}
    return ImportIssue(row=row.line, **first)


@router.post("", response={201: Import}, openapi_extra=api.TAKES_BYTES, summary="Upload a file to import")
def create_import(request: HttpRequest, wanted: Query[Upload]) -> HttpResponse:
    """A CSV file as its bytes. Its encoding, delimiter and columns are guessed; nothing is imported yet."""
    here = accounts.permit(request, "records.write")
    api.expect_bytes(request)
    try:
        import_id = services.create_import(
            agency_id=here.agency_id,
            place=wanted.place,
            name=wanted.name,
            chunks=_chunks(request),
            by=here.member_id,
            now=timezone.now(),
        )
    except services.TooLarge:
        raise _too_large() from None
    except delimited.Unreadable as fault:
        raise _unreadable(fault) from None
    except files.Away:
        raise Refused("unavailable") from None
    location = f"/api/v1/imports/{import_id}"
    return api.answer(request, _import(_row(here.agency_id, import_id)), status=201, location=location)


def _chunks(request: HttpRequest) -> Iterator[bytes]:
    while chunk := request.read(files.CHUNK_BYTES):
        yield chunk


def _too_large() -> Refused:
    most = settings.CONSULT_IMPORT_LIMIT_BYTES // 1024**2
    return Refused("too_large", f"A file to import has at most {most} MB.")


def _unreadable(fault: delimited.Unreadable) -> Refused:
    where = f" in row {fault.row}" if fault.row else ""
    return values.wrong("", f"This is no CSV file that can be read ({fault.kind}{where}).")


@router.post("/{uuid:import_id}/reread", response=Import, summary="Read the file in another way")
def reread_import(request: HttpRequest, import_id: UUID, body: Reading) -> HttpResponse:
    """What its columns mean is guessed again."""
    here = accounts.permit(request, "records.write")
    form = delimited.Form(body.encoding, body.delimiter, body.has_header)
    try:
        with api.refusing(REFUSALS):
            services.reread_import(
                agency_id=here.agency_id, import_id=import_id, form=form, by=here.member_id, now=timezone.now()
            )
    except delimited.Unreadable as fault:
        raise _unreadable(fault) from None
    except services.WrongState:
        raise _wrong_state() from None
    except (files.Missing, files.Away):
        raise Refused("unavailable") from None
    return api.answer(request, _import(_row(here.agency_id, import_id)))


def _wrong_state() -> Refused:
    return Refused("conflict", "The import is not in a state for this.")


@router.post("/{uuid:import_id}/check", response=Import, summary="Say what the columns mean, and check the rows")
def check_import(request: HttpRequest, import_id: UUID, body: Checking) -> HttpResponse:
    """A job looks at every row; nothing is imported by it. `state` is checked when it is done."""
    here = accounts.permit(request, "records.write")
    try:
        with api.refusing(REFUSALS):
            services.check_import(
                agency_id=here.agency_id,
                import_id=import_id,
                mapping=body.mapping,
                on_known=body.on_known,
                by=here.member_id,
                now=timezone.now(),
            )
    except services.WrongState:
        raise _wrong_state() from None
    return api.answer(request, _import(_row(here.agency_id, import_id)))


@router.post("/{uuid:import_id}/start", response=Import, summary="Start an import")
def start_import(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """One that was checked; one that stopped goes on."""
    return _acted(request, import_id, "start_import")


@router.post("/{uuid:import_id}/undo", response=Import, summary="Take an import back")
def undo_import(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """What it added goes, what it changed is as before, unless somebody has worked with it since."""
    return _acted(request, import_id, "undo_import")


def _acted(request: HttpRequest, import_id: UUID, name: str) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    act = getattr(services, name)
    try:
        with api.refusing(REFUSALS):
            act(agency_id=here.agency_id, import_id=import_id, by=here.member_id, now=timezone.now())
    except services.WrongState:
        raise _wrong_state() from None
    return api.answer(request, _import(_row(here.agency_id, import_id)))


@router.delete("/{uuid:import_id}", response={204: None}, summary="Discard a file to import")
def discard_import(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """One that has changed nothing yet."""
    here = accounts.permit(request, "records.write")
    try:
        with api.refusing(REFUSALS):
            services.discard_import(
                agency_id=here.agency_id, import_id=import_id, by=here.member_id, now=timezone.now()
            )
    except services.WrongState:
        raise _wrong_state() from None
    return HttpResponse(status=204)
