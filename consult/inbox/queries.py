"""Reads of the inbox."""

import base64
import binascii
import dataclasses
import datetime as dt
import functools
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from consult.accounts import queries as accounts
from consult.inbox import models
from consult.intake import queries as intake

PAGE = 50
VIEWS = ("open", "mine", "unassigned", "held", "closed", "spam", "all")


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


@dataclasses.dataclass(frozen=True)
class Detail(Row):
    """An enquiry as its page shows it, with the submission as it was sent."""

    fields: list[tuple[str, str]]
    page_url: str
    origin: str
    receipt: str
    submission_id: UUID | None
    files: list[intake.File]


@dataclasses.dataclass(frozen=True)
class Page:
    """One page of a list; `next_cursor` is empty on the last."""

    enquiries: list[Row]
    next_cursor: str


def enquiries(agency_id: int, *, view: str, member_id: UUID | None, search: str = "", before: str = "") -> Page:
    """Return the newest 50 of a view that lie before the cursor. An unreadable cursor means the first page."""
    found = _view(agency_id, view, member_id)
    if search:
        found = found.filter(_matching(agency_id, search))
    if cursor := _decode(before):
        received_at, number = cursor
        found = found.filter(Q(received_at__lt=received_at) | Q(received_at=received_at, number__lt=number))
    rows = list(found.order_by("-received_at", "-number")[: PAGE + 1])
    more = len(rows) > PAGE
    rows = rows[:PAGE]
    return Page(_rows(agency_id, rows), _encode(rows[-1]) if more else "")


def _view(agency_id: int, view: str, member_id: UUID | None) -> QuerySet[models.Enquiry]:
    every = models.Enquiry.objects.filter(agency_id=agency_id)
    match view:
        case "mine":
            return every.filter(status="open", assignee_id=member_id)
        case "unassigned":
            return every.filter(status="open", assignee_id=None)
        case "held" | "closed" | "spam":
            return every.filter(status=view)
        case "all":
            return every
        case _:
            return every.filter(status="open")


def _matching(agency_id: int, search: str) -> Q:
    text = search.strip()[:200]
    found = (
        Q(sender_name__icontains=text)
        | Q(sender_email__icontains=text)
        | Q(subject__icontains=text)
        | Q(excerpt__icontains=text)
    )
    if text.lstrip("#").isdecimal() and len(text) < 18:
        found |= Q(number=int(text.lstrip("#")))
    if submission_id := intake.submission_by_receipt(agency_id, text):
        found |= Q(submission_id=submission_id)
    return found


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


_RECORD = [field.name for field in dataclasses.fields(Record)]


def enquiries_before(
    agency_id: int,
    before: int | None,
    limit: int,
    *,
    status: str = "",
    assignee_id: UUID | None = None,
    unassigned: bool = False,
    form_id: UUID | None = None,
    search: str = "",
) -> list[Record]:
    """Return the enquiries of smaller numbers than `before`, the highest first; `search` as on the inbox's page."""
    wanted = {"status": status, "assignee_id": assignee_id, "form_id": form_id}
    found = models.Enquiry.objects.filter(agency_id=agency_id, **{name: each for name, each in wanted.items() if each})
    found = found.filter(assignee_id=None) if unassigned else found
    found = found.filter(_matching(agency_id, search)) if search.strip() else found
    found = found if before is None else found.filter(number__lt=before)
    return [Record(*row) for row in found.order_by("-number").values_list(*_RECORD)[:limit]]


def record(agency_id: int, number: int) -> Record | None:
    """Return one enquiry, or None."""
    row = models.Enquiry.objects.filter(agency_id=agency_id, number=number).values_list(*_RECORD).first()
    return Record(*row) if row else None


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


def counts(agency_id: int, *, member_id: UUID | None) -> dict[str, int]:
    """Return how many enquiries each view holds."""
    is_open = Q(status="open")
    return models.Enquiry.objects.filter(agency_id=agency_id).aggregate(
        open=Count("id", filter=is_open),
        mine=Count("id", filter=is_open & Q(assignee_id=member_id)),
        unassigned=Count("id", filter=is_open & Q(assignee_id=None)),
        held=Count("id", filter=Q(status="held")),
        closed=Count("id", filter=Q(status="closed")),
        spam=Count("id", filter=Q(status="spam")),
        all=Count("id"),
    )


def enquiry(agency_id: int, number: int) -> Detail | None:
    """Return one enquiry with its submission, or None."""
    row = models.Enquiry.objects.filter(agency_id=agency_id, number=number).first()
    if row is None:
        return None
    [shown] = _rows(agency_id, [row])
    sent = intake.submissions(agency_id, [row.submission_id]) if row.submission_id else []
    return Detail(
        **dataclasses.asdict(shown),
        fields=sent[0].fields if sent else [],
        page_url=sent[0].page_url if sent else "",
        origin=sent[0].origin if sent else "",
        receipt=sent[0].receipt if sent else "",
        submission_id=row.submission_id,
        files=intake.files(agency_id, row.submission_id) if row.submission_id else [],
    )


def notes(agency_id: int, enquiry_id: UUID, names: Mapping[UUID, str]) -> list[dict[str, Any]]:
    """Return an enquiry's notes (id, author, body, created_at), oldest first; `names` are the members'."""
    found = models.Note.objects.filter(agency_id=agency_id, enquiry_id=enquiry_id).order_by("created_at", "id")
    return [
        {
            "id": note.id,
            "author": names.get(note.author_id, "") if note.author_id else "",
            "body": note.body,
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
    rows = list(models.Enquiry.objects.filter(agency_id=agency_id, id__in=list(ids)))
    return {row.id: row for row in _rows(agency_id, rows)} if rows else {}


def notification(agency_id: int, enquiry_id: UUID) -> dict[str, Any]:
    """Return all that the e-mail about a new enquiry says, its subject among it."""
    row = models.Enquiry.objects.get(agency_id=agency_id, id=enquiry_id)
    [shown] = _rows(agency_id, [row])
    sent = intake.submissions(agency_id, [row.submission_id]) if row.submission_id else []
    who = shown.sender_name or shown.sender_email or _("somebody")
    what = f"#{shown.number} {shown.subject}" if shown.subject else _("Enquiry #%(n)s") % {"n": shown.number}
    return {
        "subject": _("[%(site)s] %(what)s from %(who)s") % {"site": shown.site_name, "what": what, "who": who},
        "enquiry": shown,
        "who": who,
        "submission": sent[0] if sent else None,
        "link": f"{settings.CONSULT_OFFICE_URL}/{accounts.agency_slug(agency_id)}/inbox/{shown.number}/",
    }


WORDS = Path(__file__).with_name("words")


@functools.cache
def reply_words(language: str) -> dict[str, str]:
    """Return the words of automatic replies in a language, in English when there is no file for it."""
    named = WORDS / f"{language}.toml"
    path = named if language.isalpha() and named.exists() else WORDS / "en.toml"
    return {name: str(text) for name, text in tomllib.loads(path.read_text("utf-8")).items()}


def reply(agency_id: int, enquiry_id: UUID) -> dict[str, Any]:
    """Return all that the automatic reply to an enquiry says. Nothing of it is the sender's own."""
    row = models.Enquiry.objects.get(agency_id=agency_id, id=enquiry_id)
    label = intake.form_labels(agency_id)[row.form_id] if row.form_id else intake.FormLabel("", "", [])
    sent = intake.submissions(agency_id, [row.submission_id]) if row.submission_id else []
    words = {name: text.replace("{site}", label.site_name) for name, text in reply_words(label.language).items()}
    return {
        "subject": words["subject"],
        "words": words,
        "text": label.auto_reply_text.strip() or words["text"],
        "language": label.language,
        "site_name": label.site_name,
        "receipt": sent[0].receipt if sent else "",
    }


def _rows(agency_id: int, rows: list[models.Enquiry]) -> list[Row]:
    names = accounts.member_names(agency_id)
    labels = intake.form_labels(agency_id)
    shown = []
    for row in rows:
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
                reasons=row.reasons or [{"code": signal, "points": 0} for signal in row.signals],
            )
        )
    return shown


def _encode(row: models.Enquiry) -> str:
    return base64.urlsafe_b64encode(f"{row.received_at.isoformat()}|{row.number}".encode()).decode().rstrip("=")


def _decode(cursor: str) -> tuple[dt.datetime, int] | None:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        received_at, _, number = text.partition("|")
        moment = dt.datetime.fromisoformat(received_at)
        # In UTC, since Postgres knows fewer offsets than Python.
        return (moment.astimezone(dt.UTC), int(number)) if moment.tzinfo else None
    except (ValueError, OverflowError, binascii.Error, UnicodeDecodeError):
        return None
