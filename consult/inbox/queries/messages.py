"""The mails of an enquiry, the addresses that answers come to, and what is set aside."""

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet

from consult.accounts import queries as accounts
from consult.inbox import models, rules
from consult.inbox.queries.enquiries import Row


@dataclasses.dataclass(frozen=True)
class Attached:
    """A file of a message."""

    id: UUID
    message_id: UUID
    name: str
    media_type: str
    size: int
    location: str


@dataclasses.dataclass(frozen=True)
class Message:
    """A mail of an enquiry. `original` is the mail as it came in, where it came in."""

    id: UUID
    direction: str
    state: str
    kind: str
    member_id: UUID | None
    member_name: str
    subject: str
    text: str
    shortened: bool
    from_name: str
    from_address: str
    to_address: str
    version: int | None
    due_at: dt.datetime | None
    detail: dict[str, Any]
    created_at: dt.datetime
    sent_at: dt.datetime | None
    files: list[Attached]
    has_html: bool = False
    original: UUID | None = None
    # Why it did not arrive, in words; filled in by the page.
    why: str = ""

    @property
    def folded(self) -> tuple[str, str]:
        """The text, and what it quotes at its end."""
        return rules.fold(self.text)


def _of(agency_id: int, enquiry_id: UUID) -> QuerySet[Any]:
    found = models.Message.objects.filter(agency_id=agency_id, enquiry_id=enquiry_id)
    # Whether there is some, without reading it.
    has_html = ExpressionWrapper(~Q(html=""), output_field=BooleanField())
    return found.defer("html").annotate(has_html=has_html)


def messages(agency_id: int, enquiry_id: UUID, names: Mapping[UUID, str]) -> list[Message]:
    """Return an enquiry's mails, oldest first; `names` are the members'."""
    found = _of(agency_id, enquiry_id)
    return _shown(agency_id, list(found.order_by("created_at", "id")), names)


def message(agency_id: int, enquiry_id: UUID, message_id: UUID) -> Message | None:
    found = _of(agency_id, enquiry_id).filter(id=message_id)
    shown = _shown(agency_id, list(found), accounts.member_names(agency_id))
    return shown[0] if shown else None


def messages_after(agency_id: int, enquiry_id: UUID, after: UUID | None, limit: int) -> list[Message]:
    """Return the mails that were stored after another one, in the order of their ids."""
    found = _of(agency_id, enquiry_id)
    if after:
        found = found.filter(id__gt=after)
    return _shown(agency_id, list(found.order_by("id")[:limit]), accounts.member_names(agency_id))


def _shown(agency_id: int, found: list[Any], names: Mapping[UUID, str]) -> list[Message]:
    ids = [row.id for row in found]
    files: dict[UUID, list[Attached]] = {}
    if not ids:
        return []
    for row in models.Attachment.objects.filter(agency_id=agency_id, message_id__in=ids).order_by("id"):
        files.setdefault(row.message_id, []).append(_attached(row))
    mails = models.Mail.objects.filter(agency_id=agency_id, message_id__in=ids).values_list("message_id", "id")
    originals: dict[UUID | None, UUID] = dict(mails)
    return [
        Message(
            id=row.id,
            direction=row.direction,
            state=row.state,
            kind=row.kind,
            member_id=row.member_id,
            member_name=names.get(row.member_id, "") if row.member_id else "",
            subject=row.subject,
            text=row.text,
            shortened=row.shortened,
            from_name=row.from_name,
            from_address=row.from_address,
            to_address=row.to_address,
            version=row.version,
            due_at=row.due_at,
            detail=row.detail,
            created_at=row.created_at,
            sent_at=row.sent_at,
            files=files.get(row.id, []),
            has_html=row.has_html,
            original=originals.get(row.id),
        )
        for row in found
    ]


def _attached(row: models.Attachment) -> Attached:
    return Attached(row.id, row.message_id, row.name, row.media_type, row.size, row.location)


def attachment(agency_id: int, attachment_id: UUID) -> Attached | None:
    row = models.Attachment.objects.filter(agency_id=agency_id, id=attachment_id).first()
    return _attached(row) if row else None


def mail_file_ids(agency_id: int, ids: list[str]) -> list[str]:
    """Return which of these last parts of locations some mail or attachment names."""
    wanted = [f"{agency_id}/mail/{id}" for id in ids]
    found = (
        table.objects.filter(agency_id=agency_id, location__in=wanted).values_list("location", flat=True)
        for table in (models.Mail, models.Attachment)
    )
    return [location.rpartition("/")[2] for locations in found for location in locations]


# --- as it was formatted --------------------------------------------------------------------------------------------

LARGEST_PICTURE, MOST_PICTURE_BYTES = 1024 * 1024, 3 * 1024 * 1024
PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")


@dataclasses.dataclass(frozen=True)
class Formatted:
    """The HTML of a message as it came, never to be shown as it is, and the pictures in it that came with it."""

    subject: str
    html: str
    pictures: list[tuple[str, str, str]]


def formatted(agency_id: int, message_id: UUID) -> Formatted | None:
    """Return a message's HTML with (content id, media type, location) of its pictures; None when it has none."""
    row = models.Message.objects.filter(agency_id=agency_id, id=message_id).exclude(html="").first()
    if row is None:
        return None
    named = models.Attachment.objects.filter(
        agency_id=agency_id, message_id=message_id, media_type__in=PICTURES, size__lte=LARGEST_PICTURE
    )
    pictures, room = [], MOST_PICTURE_BYTES
    for each in named.exclude(content_id="").order_by("id"):
        if each.size <= room:
            room -= each.size
            pictures.append((each.content_id, each.media_type, each.location))
    return Formatted(row.subject, row.html, pictures)


# --- templates ------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Template:
    id: UUID
    name: str
    body: str


def templates(agency_id: int) -> list[Template]:
    """Return the agency's reply templates, by name."""
    found = models.Template.objects.filter(agency_id=agency_id).order_by("name")
    return [Template(row.id, row.name, row.body) for row in found]


def placeholder_values(agency_id: int, enquiry: Row, *, receipt: str, agency: str, member: str) -> dict[str, str]:
    """Return what each placeholder stands for in a reply to this enquiry."""
    name = " ".join(enquiry.sender_name.split())
    said = {
        "name": name,
        "first_name": name.split(" ")[0] if name else "",
        "email": enquiry.sender_email,
        "subject": enquiry.subject,
        "number": str(enquiry.number),
        "receipt": receipt,
        "site": enquiry.site_name,
        "agency": agency,
        "member": member,
    }
    return {each: " ".join(said[each].split()) for each in rules.PLACEHOLDERS}


# --- what came in and belongs nowhere -------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class SetAside:
    """A mail that came in and became nothing; `reason` is a word of services.REASONS."""

    id: UUID
    reason: str
    from_address: str
    subject: str
    size: int
    created_at: dt.datetime
    resolved_at: dt.datetime | None


def mails_aside(agency_id: int, limit: int = 200, *, before: UUID | None = None) -> list[SetAside]:
    """Return what is set aside and not settled yet, the latest first; those older than `before`."""
    found = models.Mail.objects.filter(agency_id=agency_id, state="aside", resolved_at__isnull=True)
    if before:
        found = found.filter(id__lt=before)
    return [_aside(row) for row in found.order_by("-id")[:limit]]


def _aside(row: models.Mail) -> SetAside:
    return SetAside(row.id, row.reason, row.from_address, row.subject, row.size, row.created_at, row.resolved_at)


def mail_aside(agency_id: int, mail_id: UUID) -> SetAside | None:
    """Return one that is set aside, settled or not."""
    row = models.Mail.objects.filter(agency_id=agency_id, id=mail_id, state="aside").first()
    return _aside(row) if row else None


def mail_location(agency_id: int, mail_id: UUID) -> tuple[str, int] | None:
    """Return where a mail lies as it came, and its size in bytes."""
    return models.Mail.objects.filter(agency_id=agency_id, id=mail_id).values_list("location", "size").first()
