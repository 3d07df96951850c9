"""The mails of an enquiry, the addresses that answers come to, and what is set aside."""

import dataclasses
import datetime as dt
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.conf import settings

from consult.accounts import queries as accounts
from consult.core import encryption
from consult.inbox import models, rules
from consult.inbox.queries.enquiries import Row
from consult.intake import queries as intake


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
    original: UUID | None = None
    # Why it did not arrive, in words; filled in by the page.
    why: str = ""

    @property
    def folded(self) -> tuple[str, str]:
        """The text, and what it quotes at its end."""
        return rules.fold(self.text)


def messages(agency_id: int, enquiry_id: UUID, names: Mapping[UUID, str]) -> list[Message]:
    """Return an enquiry's mails, oldest first; `names` are the members'."""
    found = models.Message.objects.filter(agency_id=agency_id, enquiry_id=enquiry_id).defer("html")
    return _shown(agency_id, list(found.order_by("created_at", "id")), names)


def message(agency_id: int, enquiry_id: UUID, message_id: UUID) -> Message | None:
    found = models.Message.objects.filter(agency_id=agency_id, enquiry_id=enquiry_id, id=message_id).defer("html")
    shown = _shown(agency_id, list(found), accounts.member_names(agency_id))
    return shown[0] if shown else None


def messages_after(agency_id: int, enquiry_id: UUID, after: UUID | None, limit: int) -> list[Message]:
    """Return the mails that were stored after another one, in the order of their ids."""
    found = models.Message.objects.filter(agency_id=agency_id, enquiry_id=enquiry_id).defer("html")
    if after:
        found = found.filter(id__gt=after)
    return _shown(agency_id, list(found.order_by("id")[:limit]), accounts.member_names(agency_id))


def _shown(agency_id: int, found: list[models.Message], names: Mapping[UUID, str]) -> list[Message]:
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


# --- addresses and the hook -----------------------------------------------------------------------------------------


def token_keys() -> list[bytes]:
    return encryption.derived("mail token")


def answer_address(agency_id: int, *, number: int | None = None, form_id: UUID | None = None) -> str:
    """Return the address at which mail for an enquiry or a form comes in; empty where none does."""
    if not settings.CONSULT_MAIL_INBOUND:
        return ""
    local, _at, domain = settings.CONSULT_MAIL_INBOUND.partition("@")
    return f"{local}+{rules.token(rules.Named(agency_id, number, form_id), token_keys()[0])}@{domain}"


def form_addresses(agency_id: int) -> list[tuple[str, str]]:
    """Return (site and form, address at which a mail becomes an enquiry of that form)."""
    labels = intake.form_labels(agency_id)
    found = [
        (f"{label.site_name} · {label.form_name}", answer_address(agency_id, form_id=id))
        for id, label in labels.items()
    ]
    return sorted(each for each in found if each[1])


def hook(agency_id: int) -> tuple[str, str]:
    """Return the id in the address of the agency's hook for mail, and the secret that signs for it."""
    return rules.token(rules.Named(agency_id), token_keys()[0]), hook_secrets(agency_id)[0]


def hook_secrets(agency_id: int) -> list[str]:
    """Return the secrets that a hook believes: one of each of our keys, the first one shown."""
    keys = encryption.derived("mail hook")
    return [f"mail_{hmac.new(key, str(agency_id).encode(), hashlib.sha256).hexdigest()}" for key in keys]


def hook_agency(hook_id: str) -> int | None:
    """Return whose hook this is; None when it is nobody's."""
    named = rules.named_in(hook_id, token_keys()) if len(hook_id) == 32 else None
    return named.agency_id if named and named.number is None and named.form_id is None else None


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


def mail_location(agency_id: int, mail_id: UUID) -> tuple[str, int] | None:
    """Return where a mail lies as it came, and its size in bytes."""
    return models.Mail.objects.filter(agency_id=agency_id, id=mail_id).values_list("location", "size").first()
