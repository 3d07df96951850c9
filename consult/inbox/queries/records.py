"""Enquiries and notes as programs read them."""

import dataclasses
import datetime as dt
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from consult.crm import queries as crm
from consult.inbox import models
from consult.inbox.queries import search as searching
from consult.inbox.queries.enquiries import bearing
from consult.intake import queries as intake


@dataclasses.dataclass(frozen=True)
class Record:
    """An enquiry as programs read it."""

    id: UUID
    number: int
    status: str
    sender_name: str
    sender_email: str
    subject: str
    excerpt: str
    form_id: UUID | None
    submission_id: UUID | None
    assignee_id: UUID | None
    score: int
    reasons: list[dict[str, Any]]
    received_at: dt.datetime
    closed_at: dt.datetime | None
    close_reason: str
    waiting_since: dt.datetime | None
    snoozed_until: dt.datetime | None
    first_answer_at: dt.datetime | None
    contact_id: UUID | None
    company_id: UUID | None
    deal_id: UUID | None
    labels: list[str]


_RECORD = [field.name for field in dataclasses.fields(Record) if field.name != "labels"]


def _records(agency_id: int, found: QuerySet[models.Enquiry]) -> list[Record]:
    rows: list[dict[str, Any]] = list(bearing(found).values(*_RECORD, "label_ids"))
    words = crm.labels(agency_id) if any(row["label_ids"] for row in rows) else {}
    return [
        Record(**row, labels=sorted((words[id] for id in ids), key=str.casefold))
        for row in rows
        for ids in [row.pop("label_ids")]
    ]


def enquiries_before(
    agency_id: int,
    before: int | None,
    limit: int,
    *,
    status: str = "",
    assignee_id: UUID | None = None,
    unassigned: bool = False,
    form_id: UUID | None = None,
    client_id: UUID | None = None,
    label_id: UUID | None = None,
    search: str = "",
) -> list[Record]:
    """Return the enquiries of smaller numbers than `before`, the highest first; `search` as on the inbox's page."""
    wanted = {"status": status, "assignee_id": assignee_id, "form_id": form_id}
    found = models.Enquiry.objects.filter(agency_id=agency_id, **{name: each for name, each in wanted.items() if each})
    found = found.filter(assignee_id=None) if unassigned else found
    if client_id:
        forms = [id for id, label in intake.form_labels(agency_id).items() if label.client_id == client_id]
        found = found.filter(form_id__in=forms)
    if label_id:
        borne = models.Labelling.objects.filter(agency_id=agency_id, label_id=label_id, enquiry_id=OuterRef("id"))
        found = found.filter(Exists(borne))
    found = found.filter(searching.matching(agency_id, search)) if search.strip() else found
    found = found if before is None else found.filter(number__lt=before)
    return _records(agency_id, found.order_by("-number")[:limit])


def record(agency_id: int, number: int) -> Record | None:
    """Return one enquiry, or None."""
    return next(iter(_records(agency_id, models.Enquiry.objects.filter(agency_id=agency_id, number=number))), None)


@dataclasses.dataclass(frozen=True)
class Noted:
    """A note of staff."""

    id: UUID
    author_id: UUID | None
    body: str
    created_at: dt.datetime


def notes_after(agency_id: int, enquiry_id: UUID, after: UUID | None, limit: int) -> list[Noted]:
    """Return an enquiry's notes from `after` on, the oldest first."""
    found = models.Note.objects.filter(agency_id=agency_id, enquiry_id=enquiry_id)
    found = found.filter(id__gt=after) if after else found
    return [Noted(*row) for row in found.order_by("id").values_list("id", "author_id", "body", "created_at")[:limit]]


def note(agency_id: int, enquiry_id: UUID, note_id: UUID) -> Noted | None:
    """Return one note of an enquiry, or None."""
    found = models.Note.objects.filter(agency_id=agency_id, enquiry_id=enquiry_id, id=note_id)
    row = found.values_list("id", "author_id", "body", "created_at").first()
    return Noted(*row) if row else None
