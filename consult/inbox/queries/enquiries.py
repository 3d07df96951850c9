"""One enquiry, and several as lists show them."""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet

from consult.accounts import queries as accounts
from consult.inbox import models
from consult.intake import queries as intake


@dataclasses.dataclass(frozen=True)
class Row:
    """An enquiry as a list shows it."""

    id: UUID
    number: int
    status: str
    sender_name: str
    sender_email: str
    subject: str
    excerpt: str
    site_name: str
    form_name: str
    received_at: dt.datetime
    closed_at: dt.datetime | None
    assignee_id: UUID | None
    assignee_name: str
    score: int
    # [{"code", "points"}, …], as intake scored it; what arrived before there were scores has its signals here.
    reasons: list[dict[str, Any]]
    version: int
    close_reason: str
    waiting_since: dt.datetime | None
    snoozed_until: dt.datetime | None
    first_answer_at: dt.datetime | None
    contact_id: UUID | None
    company_id: UUID | None
    deal_id: UUID | None
    # By name, where the names of the labels were given.
    labels: list[str]


@dataclasses.dataclass(frozen=True)
class Detail(Row):
    """An enquiry as its page shows it, with the submission as it was sent."""

    sender_phone: str
    sender_company: str
    fields: list[tuple[str, str]]
    page_url: str
    origin: str
    receipt: str
    submission_id: UUID | None
    files: list[intake.File]
    # When all of this was blanked.
    erased_at: dt.datetime | None


def bearing(found: QuerySet[models.Enquiry]) -> QuerySet[models.Enquiry]:
    """Let these say which labels they bear, as `label_ids`, without another question."""
    borne = models.Labelling.objects.filter(agency_id=OuterRef("agency_id"), enquiry_id=OuterRef("id"))
    return found.annotate(label_ids=ArraySubquery(borne.values("label_id")))


def enquiry(agency_id: int, number: int, *, label_names: Mapping[UUID, str] | None = None) -> Detail | None:
    """Return one enquiry with its submission, or None."""
    row = bearing(models.Enquiry.objects.filter(agency_id=agency_id, number=number)).first()
    if row is None:
        return None
    [shown] = rows(agency_id, [row], words=label_names)
    sent = intake.submissions(agency_id, [row.submission_id]) if row.submission_id else []
    return Detail(
        **dataclasses.asdict(shown),
        sender_phone=sent[0].sender_phone if sent else "",
        sender_company=sent[0].sender_company if sent else "",
        fields=sent[0].fields if sent else [],
        page_url=sent[0].page_url if sent else "",
        origin=sent[0].origin if sent else "",
        receipt=sent[0].receipt if sent else "",
        submission_id=row.submission_id,
        files=intake.files(agency_id, row.submission_id) if row.submission_id else [],
        erased_at=row.erased_at,
    )


def enquiry_id(agency_id: int, number: int) -> UUID | None:
    """Return the id of the enquiry of this number, or None."""
    return models.Enquiry.objects.filter(agency_id=agency_id, number=number).values_list("id", flat=True).first()


def enquiry_named(agency_id: int, number: int) -> str:
    """Return what the enquiry of this number is called; empty when there is none."""
    found = models.Enquiry.objects.filter(agency_id=agency_id, number=number)
    row = found.values_list("subject", "sender_name", "sender_email", "excerpt").first()
    return f"#{number} {next((each for each in row if each), '')}".strip() if row else ""


def notes(agency_id: int, enquiry_id: UUID, names: Mapping[UUID, str]) -> list[dict[str, Any]]:
    """Return an enquiry's notes (id, author, parts, created_at), oldest first; `names` are the members'.

    `parts` are (words, whether they are a member's name).
    """
    found = models.Note.objects.filter(agency_id=agency_id, enquiry_id=enquiry_id).order_by("created_at", "id")
    return [
        {
            "id": note.id,
            "author": names.get(note.author_id, "") if note.author_id else "",
            "parts": accounts.with_names(note.body, names),
            "created_at": note.created_at,
        }
        for note in found
    ]


@dataclasses.dataclass(frozen=True)
class Delivered:
    """One line of an enquiry's delivery ledger; `tries` and `since` sum up failures that differ in their time alone."""

    kind: str
    address: str
    detail: dict[str, Any]
    at: dt.datetime
    tries: int = 1
    since: dt.datetime | None = None


def deliveries(agency_id: int, enquiry_id: UUID) -> list[Delivered]:
    """Return an enquiry's delivery ledger, oldest first, each kind of failure to reach an address as one line."""
    found = models.Delivery.objects.filter(agency_id=agency_id, enquiry_id=enquiry_id).order_by("at", "id")
    lines: list[Delivered] = []
    for row in found:
        line = Delivered(row.kind, row.address, row.detail, row.at)
        before = next((each for each in reversed(lines) if each.address == line.address), None)
        if before and line.kind == "failed" == before.kind and before.detail == line.detail:
            lines.remove(before)
            line = dataclasses.replace(line, tries=before.tries + 1, since=before.since or before.at)
        lines.append(line)
    return lines


def last_failures(agency_id: int, enquiry_ids: Iterable[UUID]) -> dict[tuple[UUID, str], dict[str, Any]]:
    """Return what the ledger says of the last failure, by (enquiry, address): of an automatic reply without address."""
    found = models.Delivery.objects.filter(agency_id=agency_id, enquiry_id__in=list(enquiry_ids), kind="failed")
    return {
        (row.enquiry_id, "" if row.detail.get("of") == "replied" else row.address): row.detail
        for row in found.order_by("at", "id")
    }


def enquiries_by_id(agency_id: int, ids: Iterable[UUID]) -> dict[UUID, Row]:
    """Return these enquiries as a list shows them."""
    found = list(models.Enquiry.objects.filter(agency_id=agency_id, id__in=list(ids)))
    return {row.id: row for row in rows(agency_id, found)} if found else {}


def rows(
    agency_id: int,
    found: list[models.Enquiry],
    *,
    names: Mapping[UUID, str] | None = None,
    labels: Mapping[UUID, intake.FormLabel] | None = None,
    words: Mapping[UUID, str] | None = None,
) -> list[Row]:
    """Return enquiries as a list shows them, in the same order; members' names and forms' labels where known.

    `words` are the names of the agency's labels, for those of `bearing`.
    """
    if not found:
        return []
    names = accounts.member_names(agency_id) if names is None else names
    labels = intake.form_labels(agency_id) if labels is None else labels
    shown = []
    for row in found:
        label = labels.get(row.form_id) if row.form_id else None
        shown.append(
            Row(
                id=row.id,
                number=row.number,
                status=row.status,
                sender_name=row.sender_name,
                sender_email=row.sender_email,
                subject=row.subject,
                excerpt=row.excerpt,
                site_name=label.site_name if label else "",
                form_name=label.form_name if label else "",
                received_at=row.received_at,
                closed_at=row.closed_at,
                assignee_id=row.assignee_id,
                assignee_name=names.get(row.assignee_id, "") if row.assignee_id else "",
                score=row.score,
                version=row.version,
                close_reason=row.close_reason,
                waiting_since=row.waiting_since,
                snoozed_until=row.snoozed_until,
                first_answer_at=row.first_answer_at,
                contact_id=row.contact_id,
                company_id=row.company_id,
                deal_id=row.deal_id,
                labels=_borne(row, words) if words else [],
                reasons=row.reasons or [{"code": signal, "points": 0} for signal in row.signals],
            )
        )
    return shown


def _borne(row: models.Enquiry, words: Mapping[UUID, str]) -> list[str]:
    ids: list[UUID] = getattr(row, "label_ids", [])
    return sorted((words[id] for id in ids if id in words), key=str.casefold)
