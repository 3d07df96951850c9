"""Submissions as they arrived, their scores and their files."""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db import connection

from consult.intake import models, rules
from consult.intake.queries.blocks import blocked as find_blocked

# The signal of what staff have typed in; no visitor can send one, since the edge makes them.
TYPED_IN = "typed_in"


@dataclasses.dataclass(frozen=True)
class Submitted:
    """A submission with what its form asked for when it was sent."""

    id: UUID
    form_id: UUID
    site_id: UUID
    receipt: str
    received_at: dt.datetime
    sender_name: str
    sender_email: str
    sender_phone: str
    sender_company: str
    subject: str
    excerpt: str
    fields: list[tuple[str, str]]
    # The same in the order of the form, what was sent several times in one, what it did not ask for at the end.
    answers: list[tuple[str, str]]
    page_url: str
    origin: str
    signals: list[str]
    # Whether and until when it waited in an edge's spool.
    spooled: bool
    stored_at: dt.datetime


@dataclasses.dataclass(frozen=True)
class Arrival:
    """A submission and what its score says: `reasons` as of rules.score, `held` by its form or by a block."""

    submission: Submitted
    score: int
    reasons: list[dict[str, Any]]
    hold_score: int

    @property
    def held(self) -> bool:
        return self.score >= self.hold_score or any(reason["code"] == "blocked" for reason in self.reasons)


def submissions(agency_id: int, ids: Iterable[UUID]) -> list[Submitted]:
    """Return these submissions, oldest first; unknown ids are left out."""
    return [_submitted(row, definition) for row, definition in _rows(agency_id, ids)]


def arrivals(agency_id: int, ids: Iterable[UUID]) -> list[Arrival]:
    """Return these submissions with their scores, oldest first, in as many questions for 500 as for one."""
    rows = _rows(agency_id, ids)
    repeated = _repeated(agency_id, [row for row, _definition in rows])
    senders = {row.id: rules.sender(row.fields, definition)[1] for row, definition in rows}
    blocked = find_blocked(agency_id, senders.values())
    found = []
    for row, definition in rows:
        points, reasons = rules.score(
            row.signals,
            fields=row.fields,
            definition=definition,
            repeated=row.id in repeated,
            blocked=senders[row.id] in blocked,
        )
        found.append(Arrival(_submitted(row, definition), points, reasons, row.form.hold_score))
    return found


def _rows(agency_id: int, ids: Iterable[UUID]) -> list[tuple[models.Submission, list[dict[str, Any]]]]:
    found = list(
        models.Submission.objects.filter(agency_id=agency_id, id__in=list(ids))
        .select_related("form")
        .order_by("received_at", "id")
    )
    versions = {
        (version.form_id, version.version): version.fields
        for version in models.FormVersion.objects.filter(
            agency_id=agency_id, form_id__in={submission.form_id for submission in found}
        )
    }
    return [(row, versions[(row.form_id, row.form_version)]) for row in found]


REPEATS_AMONG = 200
REPEATS_WITHIN = dt.timedelta(days=1)
# What each form got lately: as many as the batch itself, and those before it.
RECENT = """
SELECT r.form_id, r.digest, r.received_at, r.id
  FROM unnest(%s::uuid[]) AS f (id)
 CROSS JOIN LATERAL (
    SELECT s.form_id, s.digest, s.received_at, s.id FROM intake_submission s
     WHERE s.agency_id = %s AND s.form_id = f.id AND s.received_at BETWEEN %s AND %s
     ORDER BY s.received_at DESC LIMIT %s) AS r
 ORDER BY r.received_at, r.id
"""


def _repeated(agency_id: int, rows: list[models.Submission]) -> set[UUID]:
    """Return the ids of those whose content the form got before: lately, and as another submission."""
    marked = [row for row in rows if row.digest]
    if not marked:
        return set()
    forms = list({row.form_id for row in marked})
    first, last = marked[0].received_at, marked[-1].received_at
    seen: dict[tuple[UUID, bytes], dt.datetime] = {}
    again = set()
    with connection.cursor() as cursor:
        cursor.execute(RECENT, [forms, agency_id, first - REPEATS_WITHIN, last, REPEATS_AMONG + len(marked)])
        for form_id, digest, received_at, id in cursor.fetchall():
            content = form_id, bytes(digest)
            before = seen.get(content)
            if before is not None and received_at - before <= REPEATS_WITHIN:
                again.add(id)
            seen[content] = received_at
    return again


def _submitted(row: models.Submission, definition: list[dict[str, Any]]) -> Submitted:
    labels = {field["name"]: field["label"] for field in definition}
    sender_name, sender_email = rules.sender(row.fields, definition)
    sender_phone, sender_company = rules.phone_and_company(row.fields, definition)
    subject, excerpt = rules.gist(row.fields, definition)
    return Submitted(
        id=row.id,
        form_id=row.form_id,
        site_id=row.form.site_id,
        receipt=rules.pretty_receipt(row.receipt),
        received_at=row.received_at,
        sender_name=sender_name,
        sender_email=sender_email,
        sender_phone=sender_phone,
        sender_company=sender_company,
        subject=subject,
        excerpt=excerpt,
        fields=[(labels.get(name, name), value) for name, value in row.fields],
        answers=_answers(row.fields, labels),
        page_url=row.page_url,
        origin=row.origin,
        signals=row.signals,
        spooled=row.spooled,
        stored_at=row.created_at,
    )


def _answers(fields: list[list[str]], labels: Mapping[str, str]) -> list[tuple[str, str]]:
    values: dict[str, list[str]] = {name: [] for name in labels}
    for name, value in fields:
        values.setdefault(name, []).append(value)
    return [(labels.get(name, name), ", ".join(sent)) for name, sent in values.items() if sent]


@dataclasses.dataclass(frozen=True)
class File:
    """A file that came with a submission. `media_type` is what its first bytes look like."""

    id: UUID
    field: str
    name: str
    media_type: str
    size: int
    location: str

    @property
    def shown_type(self) -> str:
        """The type to serve it with: only what no browser runs goes by its own."""
        return self.media_type if self.media_type in rules.HARMLESS_TYPES else "application/octet-stream"


def files(agency_id: int, submission_id: UUID) -> list[File]:
    """Return the files of a submission in the order of their names."""
    rows = models.File.objects.filter(agency_id=agency_id, submission_id=submission_id).exclude(location="")
    return [_file(row) for row in rows.order_by("name", "id")]


def file(agency_id: int, file_id: UUID) -> File | None:
    row = models.File.objects.filter(agency_id=agency_id, id=file_id).exclude(location="").first()
    return _file(row) if row else None


def _file(row: models.File) -> File:
    return File(row.id, row.field, rules.clean_file_name(row.name), row.media_type, row.size, row.location)


def file_ids(agency_id: int, ids: Iterable[str]) -> set[str]:
    """Return which of these ids are files' ids; anything else may stand among them."""
    asked = [UUID(id) for id in ids if rules.is_uuid(id)]
    found = models.File.objects.filter(agency_id=agency_id, id__in=asked).exclude(location="")
    return {str(id) for id in found.values_list("id", flat=True)}


def submission_by_receipt(agency_id: int, text: str) -> UUID | None:
    """Return the submission of a receipt however it was typed, or None."""
    found = models.Submission.objects.filter(agency_id=agency_id, receipt=rules.plain_receipt(text))
    return found.values_list("id", flat=True).first()


# The latest of each form, then the latest of all: there is an index by form.
LATEST = """
SELECT r.id
  FROM unnest(%s::uuid[]) AS f (id)
 CROSS JOIN LATERAL (
    SELECT s.id, s.received_at FROM intake_submission s
     WHERE s.agency_id = %s AND s.form_id = f.id AND s.received_at <= %s AND (s.received_at, s.id) < (%s, %s)
     ORDER BY s.received_at DESC, s.id DESC LIMIT %s) AS r
 ORDER BY r.received_at DESC, r.id DESC LIMIT %s
"""
_LAST = (dt.datetime(9999, 1, 1, tzinfo=dt.UTC), UUID(int=0))


def submissions_before(
    agency_id: int, before: tuple[dt.datetime, UUID] | None, limit: int, *, form_id: UUID | None = None
) -> list[Submitted]:
    """Return the submissions that lie before that place (received_at, id), or those of one form; the latest first."""
    forms = [form_id] if form_id else list(models.Form.objects.filter(agency_id=agency_id).values_list("id", flat=True))
    at, id = before or _LAST
    with connection.cursor() as cursor:
        cursor.execute(LATEST, [forms, agency_id, at, at, id, limit, limit])
        ids = [row[0] for row in cursor.fetchall()]
    found = {submission.id: submission for submission in submissions(agency_id, ids)}
    return [found[id] for id in ids]
