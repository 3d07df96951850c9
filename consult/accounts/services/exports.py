"""An agency's whole data in one zip file: rows as JSON, a line each, and files as they came.

Every isolated table is in it by being one (core/isolation.py), and every file whose column a model lists as one.
"""

import base64
import datetime as dt
import json
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.db import models as django_models

from consult.accounts import models, queries
from consult.accounts.services.audit import record
from consult.core import encryption, files, isolation, queue, tenancy

EXPORT_LIFE = dt.timedelta(days=7)
# A job that gave no sign of life for so long is not waited for any more.
LOST_AFTER = dt.timedelta(hours=2)
# What is in memory at a time. Rows with bytes in them may be large.
PAGE_ROWS, PAGE_ROWS_WITH_BYTES = 200, 10
SAY_EVERY_SECONDS = 1.0
PEOPLE = "accounts_people"


class NoSuchExport(Exception):
    """The agency has no export of this id that could be downloaded."""


def due(*, now: dt.datetime) -> list[tuple[int, str]]:
    """Return (agency, what: close or export) of what is due, over all agencies. As the worker alone."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM accounts_due_v1(%s)", [now])
        return [(row[0], row[1]) for row in cursor.fetchall()]


def start_export(*, agency_id: int, by: UUID, now: dt.datetime) -> UUID:
    """Have an export built by a job; return its id. While one is being built it is that one."""
    with tenancy.agency(agency_id):
        models.Agency.objects.select_for_update(no_key=True).get(id=agency_id)
        building = models.Export.objects.filter(
            agency_id=agency_id, kind="agency", state__in=("waiting", "running"), moved_at__gt=now - LOST_AFTER
        ).first()
        if building:
            return building.id
        export = models.Export.objects.create(
            agency_id=agency_id, asked_by_id=by, location=files.new_location(agency_id, "export"), moved_at=now
        )
        record("accounts.start_export", agency_id=agency_id, by=by, subject_id=export.id)
        queue.enqueue("accounts.build_export", export_id=str(export.id))
    return export.id


def build_export(*, agency_id: int, export_id: UUID) -> None:
    """Build what was asked for; a second run begins again and leaves one file. Raise what went wrong, and say so."""
    with tenancy.agency(agency_id):
        export = models.Export.objects.get(agency_id=agency_id, id=export_id)
        if export.state not in ("waiting", "running", "failed"):
            return
    _build(export, _write)


def _build(export: models.Export, write: Callable[[models.Export, BinaryIO], None]) -> None:
    try:
        with files.writing(export.location) as file:
            write(export, file)
            size = file.seek(0, 2)
    except Exception as error:
        _move(export, state="failed", error="storage" if isinstance(error, files.Away) else "unexpected")
        raise
    _finish(export, size, dt.datetime.now(dt.UTC))


def _finish(export: models.Export, size: int, now: dt.datetime) -> None:
    with tenancy.agency(export.agency_id):
        rows = models.Export.objects.filter(agency_id=export.agency_id, id=export.id, state="running")
        there = rows.update(
            state="ready",
            about="",
            size=size,
            error="",
            moved_at=now,
            finished_at=now,
            expires_at=now + EXPORT_LIFE,
            done=export.total,
        )
    if not there:
        # Somebody who is in it was erased meanwhile.
        files.remove(export.location)


# --- of one person ---------------------------------------------------------------------------------------------------


def start_person_export(*, agency_id: int, about: Mapping[str, Any], by: UUID | None, now: dt.datetime) -> UUID:
    """Have a person's export built by the job `thread.build_person_export`; return its id. `about` is kept sealed.

    Part of who knows what a person's data are, and writes the audit.
    """
    with tenancy.agency(agency_id):
        location = files.new_location(agency_id, "export")
        export = models.Export(agency_id=agency_id, kind="person", asked_by_id=by, location=location, moved_at=now)
        export.about = encryption.seal(json.dumps(about).encode(), bound_to=_bound_to(export.id))
        export.save(force_insert=True)
        queue.enqueue("thread.build_person_export", export_id=str(export.id))
    return export.id


def build_person_export(*, agency_id: int, export_id: UUID, write: Callable[[dict[str, Any], BinaryIO], None]) -> None:
    """Have `write` write what was asked for into a file; a second run begins again. Raise what went wrong."""
    with tenancy.agency(agency_id):
        export = models.Export.objects.get(agency_id=agency_id, id=export_id, kind="person")
    if export.state not in ("waiting", "running", "failed") or not export.about:
        return
    about: dict[str, Any] = json.loads(encryption.open_sealed(export.about, bound_to=_bound_to(export.id)))
    _move(export, state="running")
    _build(export, lambda _export, file: write(about, file))


def _bound_to(id: UUID) -> str:
    return f"accounts_export.about/{id}"


def end_exports(*, agency_id: int, now: dt.datetime) -> int:
    """End every export that may hold somebody who is erased now; return how many. A job removes their files.

    One that is being built ends without a file: its page says why, and offers to start it again.
    """
    with tenancy.agency(agency_id):
        rows = models.Export.objects.filter(agency_id=agency_id)
        ended = rows.filter(state="ready").update(expires_at=now)
        ended += rows.filter(state="running").update(state="failed", error="erased", about="", moved_at=now)
        queue.enqueue("accounts.delete_expired_exports")
    return ended


def note_download(*, agency_id: int, export_id: UUID, by: UUID | None) -> None:
    """Write down who took an export."""
    with tenancy.agency(agency_id):
        kind = models.Export.objects.values_list("kind", flat=True).get(agency_id=agency_id, id=export_id)
        record(
            "accounts.download_export" if kind == "agency" else "accounts.download_person_export",
            agency_id=agency_id,
            by=by,
            subject_id=export_id,
        )


def delete_expired_exports(*, agency_id: int, now: dt.datetime) -> int:
    """Remove the agency's exports whose time is over; return how many. Raise files.Away."""
    with tenancy.agency(agency_id):
        over = models.Export.objects.filter(agency_id=agency_id, expires_at__lte=now).exclude(state="expired")
        found = list(over)
    for export in found:
        files.remove(export.location)
        # Only now: should the process die in between, its next run finds it again.
        _move(export, state="expired", about="")
    return len(found)


def _move(export: models.Export, **values: Any) -> None:
    """Say where it stands, in a transaction of its own: pages look at it meanwhile."""
    for name, value in {**values, "moved_at": dt.datetime.now(dt.UTC)}.items():
        setattr(export, name, value)
    with tenancy.agency(export.agency_id):
        export.save(update_fields=[*values, "moved_at"])


def _write(export: models.Export, file: BinaryIO) -> None:
    tables = isolation.isolated_tables()
    _move(export, state="running", total=_total(export.agency_id, tables), done=0)
    progress = _Progress(export)
    told: list[dict[str, Any]] = []
    locations: list[str] = []
    began_at = dt.datetime.now(dt.UTC)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for table in tables:
            told.append(_write_table(archive, export.agency_id, table, locations, progress))
        told.append(_write_people(archive, export.agency_id))
        missing = [location for location in locations if not _write_file(archive, location, progress)]
        manifest = {
            "what": "One agency's data in Consult. data/<table>.jsonl: a row a line; files/<location>: as it came.",
            "format": 1,
            "agency": _slug_and_name(export.agency_id),
            "began_at": began_at,
            "ended_at": dt.datetime.now(dt.UTC),
            "notes": [
                "Times are UTC, ISO 8601. Bytes are base64. Columns in left_out hold secrets, or the way to them.",
                "Rows written while it was built may be in it or not; what a row refers to always is.",
                "Files in missing_files are named by a row, but were not in the storage.",
            ],
            "tables": told,
            "files": len(locations) - len(missing),
            "missing_files": missing,
        }
        archive.writestr("README.json", json.dumps(manifest, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2))


class _Progress:
    """Counts, and says so at most once a second."""

    def __init__(self, export: models.Export) -> None:
        self._export, self._done, self._said = export, 0, time.monotonic()

    def add(self, count: int) -> None:
        self._done += count
        if time.monotonic() - self._said >= SAY_EVERY_SECONDS:
            self._said = time.monotonic()
            _move(self._export, done=min(self._done, self._export.total))


def _total(agency_id: int, tables: list[isolation.Table]) -> int:
    """Rows and files, as many as there are now."""
    total = 0
    for table in tables:
        with tenancy.agency(agency_id):
            rows = table.model._base_manager.filter(**{table.agency: agency_id})
            total += rows.count()
            total += sum(rows.exclude(**{column: ""}).count() for column in table.files)
    return total


def _write_table(
    archive: zipfile.ZipFile, agency_id: int, table: isolation.Table, locations: list[str], progress: _Progress
) -> dict[str, Any]:
    fields = table.model._meta.concrete_fields
    columns = [field.attname for field in fields if field.attname not in table.secrets]
    name, count = f"data/{table.name}.jsonl", 0
    with archive.open(name, "w", force_zip64=True) as member:
        for page in _pages(agency_id, table, columns):
            for row in page:
                member.write(_line(row))
                locations += [row[column] for column in table.files if row[column]]
            count += len(page)
            progress.add(len(page))
    left_out = sorted(table.secrets)
    return {"table": table.name, "file": name, "rows": count, "columns": columns, "left_out": left_out}


def _pages(agency_id: int, table: isolation.Table, columns: list[str]) -> Iterator[list[dict[str, Any]]]:
    """Yield the table's rows by primary key, each page in a transaction of its own: none is open for minutes."""
    has_bytes = any(isinstance(field, django_models.BinaryField) for field in table.model._meta.concrete_fields)
    size = PAGE_ROWS_WITH_BYTES if has_bytes else PAGE_ROWS
    last: Any = None
    while True:
        with tenancy.agency(agency_id):
            rows = table.model._base_manager.filter(**{table.agency: agency_id}).order_by("pk")
            page = list((rows.filter(pk__gt=last) if last is not None else rows).values(*columns)[:size])
        if page:
            yield page
            last = page[-1]["id"]
        if len(page) < size:
            return


def _write_people(archive: zipfile.ZipFile, agency_id: int) -> dict[str, Any]:
    """Who the members are: people are of no agency, and only these are in it, with no more than an agency sees."""
    columns = ["member_id", "user_id", "name", "email", "time_zone", "github_username"]
    with tenancy.agency(agency_id):
        found = list(
            models.Member.objects.filter(agency_id=agency_id)
            .order_by("id")
            .values_list("id", "user_id", "user__name", "user__email", "user__time_zone", "user__github_username")
        )
    name = f"data/{PEOPLE}.jsonl"
    archive.writestr(name, b"".join(_line(dict(zip(columns, row, strict=True))) for row in found))
    return {"table": PEOPLE, "file": name, "rows": len(found), "columns": columns, "left_out": []}


def _write_file(archive: zipfile.ZipFile, location: str, progress: _Progress) -> bool:
    """Copy a file piece by piece; say whether it was there. Raise files.Away."""
    progress.add(1)
    try:
        content = files.read(location)
    except files.Missing:
        return False
    with archive.open(f"files/{location}", "w", force_zip64=True) as member:
        for chunk in content:
            member.write(chunk)
            # A large one takes its time: the job is alive all the same.
            progress.add(0)
    return True


def _slug_and_name(agency_id: int) -> dict[str, Any]:
    with tenancy.agency(agency_id):
        return {"id": agency_id, "slug": queries.agency_slug(agency_id), "name": queries.agency_name(agency_id)}


class _Rows(DjangoJSONEncoder):
    def default(self, o: Any) -> Any:
        if isinstance(o, bytes | memoryview):
            return base64.b64encode(bytes(o)).decode()
        return super().default(o)


def _line(row: dict[str, Any]) -> bytes:
    return json.dumps(row, cls=_Rows, ensure_ascii=False).encode() + b"\n"
