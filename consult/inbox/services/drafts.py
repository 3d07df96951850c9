"""Drafts of replies: what somebody has written and attached, kept until it is sent or discarded."""

import secrets
from collections.abc import Collection, Sequence
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings

from consult.accounts import services as accounts
from consult.core import live, tenancy
from consult.core import mail as core_mail
from consult.inbox import models, queries, rules
from consult.inbox.services import attachments, changes
from consult.inbox.services.attachments import Upload

MOST_FILES, MOST_BYTES, LONGEST = 10, 7 * 1024 * 1024, 50_000


class EmptyReply(Exception):
    """A reply without a word."""


class TooLongReply(Exception):
    """A reply of more than LONGEST letters."""


class TooManyFiles(Exception):
    """More files, or larger ones, than a mail takes."""


class NoSuchMessage(Exception):
    """The enquiry has no such message."""


def keep_draft(
    *,
    agency_id: int,
    number: int,
    text: str,
    by: UUID | None,
    subject: str = "",
    uploads: Sequence[Upload] = (),
    draft_id: UUID | None = None,
) -> UUID:
    """Keep what somebody has written and attached as their draft. Raise NoSuchEnquiry, TooLongReply, TooManyFiles."""
    check(text.strip() or "-", uploads)
    with tenancy.agency(agency_id):
        enquiry = changes.locked(agency_id, number)
        message = written(enquiry, text=text, subject=subject, by=by, uploads=uploads, draft_id=draft_id)
        message.save()
    return message.id


def check(text: str, uploads: Sequence[Upload]) -> None:
    if not text.strip():
        raise EmptyReply
    if len(text) > LONGEST:
        raise TooLongReply
    if len(uploads) > MOST_FILES or sum(len(each.content) for each in uploads) > MOST_BYTES:
        raise TooManyFiles


def written(
    enquiry: models.Enquiry,
    *,
    text: str,
    subject: str,
    by: UUID | None,
    uploads: Sequence[Upload],
    draft_id: UUID | None,
) -> models.Message:
    """Return the draft with these words and files, or a new one. Raise TooManyFiles."""
    message = (
        models.Message.objects.select_for_update()
        .filter(agency_id=enquiry.agency_id, enquiry=enquiry, id=draft_id, state="undone", member_id=by)
        .first()
        if draft_id
        else None
    )
    if message is None:
        message = models.Message(
            agency_id=enquiry.agency_id,
            enquiry=enquiry,
            direction="out",
            state="undone",
            member_id=by,
            message_id=_message_id(enquiry),
        )
    message.subject = (
        core_mail.one_line(subject) or f"Re: {core_mail.one_line(enquiry.subject, 170) or f'#{enquiry.number}'}"
    )
    message.text = text.replace("\r\n", "\n").replace("\0", "�").strip()
    message.save()
    kept = models.Attachment.objects.filter(agency_id=enquiry.agency_id, message=message)
    sizes = [*kept.values_list("size", flat=True), *(len(each.content) for each in uploads)]
    if len(sizes) > MOST_FILES or sum(sizes) > MOST_BYTES:
        raise TooManyFiles
    attachments.attach(message, uploads)
    return message


def _message_id(enquiry: models.Enquiry) -> str:
    """Return an id that names its enquiry, so that an answer to it is known without any look-up."""
    token = rules.token(rules.Named(enquiry.agency_id, enquiry.number), queries.token_keys()[0])
    return f"<{token}.{secrets.token_hex(4)}@{urlsplit(settings.CONSULT_OFFICE_URL).hostname or 'consult'}>"


def locked(agency_id: int, enquiry: models.Enquiry, message_id: UUID) -> models.Message:
    found = (
        models.Message.objects.select_for_update()
        .filter(agency_id=agency_id, enquiry=enquiry, id=message_id, direction="out")
        .first()
    )
    if found is None:
        raise NoSuchMessage(message_id)
    return found


def discard_draft(*, agency_id: int, number: int, message_id: UUID, by: UUID | None) -> None:
    """Forget a draft of one's own; its files are swept. Raise NoSuchEnquiry, NoSuchMessage."""
    with tenancy.agency(agency_id):
        enquiry = changes.locked(agency_id, number)
        message = locked(agency_id, enquiry, message_id)
        if message.state != "undone" or message.member_id != by:
            raise NoSuchMessage(message_id)
        record("inbox.discard_draft", enquiry, message, by)
        models.Attachment.objects.filter(agency_id=agency_id, message=message).delete()
        message.delete()


def remove_files(*, agency_id: int, number: int, draft_id: UUID, ids: Collection[UUID], by: UUID | None) -> None:
    """Take files off a draft of one's own. Raise NoSuchEnquiry."""
    with tenancy.agency(agency_id):
        enquiry = changes.locked(agency_id, number)
        drafts = models.Message.objects.filter(
            agency_id=agency_id, enquiry=enquiry, id=draft_id, state="undone", member_id=by
        )
        models.Attachment.objects.filter(agency_id=agency_id, message__in=drafts, id__in=list(ids)).delete()


def record(action: str, enquiry: models.Enquiry, message: models.Message, by: UUID | None) -> None:
    accounts.record(
        action, agency_id=enquiry.agency_id, by=by, subject_id=enquiry.id, data={"message": str(message.id)}
    )
    live.nudge(kind="enquiry", id=enquiry.id)
