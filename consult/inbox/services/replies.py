"""Replies by e-mail: queued with a moment to take them back, sent by a job, told to the ledger."""

import contextlib
import dataclasses
import datetime as dt
import secrets
import smtplib
from collections.abc import Collection, Sequence
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core import mail

from consult.accounts import queries as accounts_queries
from consult.accounts import services as accounts
from consult.core import files, live, queue, tenancy
from consult.core import mail as core_mail
from consult.crm import services as crm
from consult.inbox import models, queries, rules
from consult.inbox.services import changes, ledger, mails, states, words

UNDO = dt.timedelta(seconds=10)
MOST_AN_HOUR, MOST_TRIES, MOST_FILES, MOST_BYTES, LONGEST = 30, 10, 10, 7 * 1024 * 1024, 50_000
# In a header; a longer chain is cut at its beginning.
MOST_REFERENCES = 20


class NotAnswerable(Exception):
    """The enquiry is held or spam: nobody is answered before it is restored."""


class NoAddress(Exception):
    """The sender left no address that a mail could go to."""


class EmptyReply(Exception):
    """A reply without a word."""


class TooLongReply(Exception):
    """A reply of more than LONGEST letters."""


class TooManyFiles(Exception):
    """More files, or larger ones, than a mail takes."""


class TooManyReplies(Exception):
    """So many within an hour that something must be wrong."""


class NoSuchMessage(Exception):
    """The enquiry has no such message."""


class TooLate(Exception):
    """It is on its way, or was: there is nothing left to take back."""


@dataclasses.dataclass(frozen=True)
class Upload:
    """A file that somebody attaches."""

    name: str
    media_type: str
    content: bytes


@dataclasses.dataclass(frozen=True)
class Queued:
    """A reply on its way: it goes out at `due_at` unless it is taken back."""

    id: UUID
    number: int
    due_at: dt.datetime


def send_reply(
    *,
    agency_id: int,
    number: int,
    text: str,
    by: UUID | None,
    now: dt.datetime,
    subject: str = "",
    uploads: Sequence[Upload] = (),
    draft_id: UUID | None = None,
    seen: int | None = None,
) -> Queued:
    """Queue a reply to the sender; it goes out after UNDO. The enquiry waits for its sender from now on.

    `draft_id`: a draft of this member's, whose files go with it. Raise NoSuchEnquiry, Conflict, NotAnswerable,
    NoAddress, EmptyReply, TooLongReply, TooManyFiles, TooManyReplies; files.Away. Nothing is kept then: see keep_draft.
    """
    _check(text, uploads)
    with tenancy.agency(agency_id):
        enquiry = changes.locked(agency_id, number, seen=seen)
        if enquiry.status in ("held", "spam"):
            raise NotAnswerable
        if not (address := rules.clean_address(enquiry.sender_email)):
            raise NoAddress
        lately = models.Message.objects.filter(
            agency_id=agency_id, enquiry=enquiry, direction="out", created_at__gt=now - dt.timedelta(hours=1)
        )
        if lately.exclude(state="undone").count() >= MOST_AN_HOUR:
            raise TooManyReplies
        message = _written(enquiry, text=text, subject=subject, by=by, uploads=uploads, draft_id=draft_id)
        done = changes.change(
            "inbox.send_reply",
            enquiry,
            by=by,
            values={**states.PLAIN, "status": "waiting", "waiting_since": now}
            | ({} if enquiry.first_answer_at else {"first_answer_at": now}),
            data={"message": str(message.id)},
        )
        before = list(
            models.Message.objects.filter(agency_id=agency_id, enquiry=enquiry, state__in=("sent", "received"))
            .exclude(kind="bounce")
            .order_by("created_at", "id")
            .values_list("message_id", flat=True)
        )
        message.to_address = address
        message.from_address = accounts_queries.mail_sender(agency_id)[:320]
        message.in_reply_to = before[-1] if before else ""
        message.thread = " ".join(before[-MOST_REFERENCES:])
        message.version = done.version
        message.state, message.tries, message.detail, message.due_at = "queued", 0, {}, now + UNDO
        message.save()
        words.add(enquiry, rules.words(text))
        _enqueue(message)
    return Queued(message.id, number, now + UNDO)


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
    _check(text.strip() or "-", uploads)
    with tenancy.agency(agency_id):
        enquiry = changes.locked(agency_id, number)
        message = _written(enquiry, text=text, subject=subject, by=by, uploads=uploads, draft_id=draft_id)
        message.save()
    return message.id


def _check(text: str, uploads: Sequence[Upload]) -> None:
    if not text.strip():
        raise EmptyReply
    if len(text) > LONGEST:
        raise TooLongReply
    if len(uploads) > MOST_FILES or sum(len(each.content) for each in uploads) > MOST_BYTES:
        raise TooManyFiles


def _written(
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
    attach(message, uploads)
    return message


def attach(message: models.Message, uploads: Sequence[Upload | rules.Part]) -> None:
    """Store files and name them in a message. Raise files.Away."""
    models.Attachment.objects.bulk_create(store(message, uploads))


def store(message: models.Message, uploads: Sequence[Upload | rules.Part]) -> list[models.Attachment]:
    """Write files to their places; what no row names in the end is swept. Raise files.Away."""
    rows = []
    for upload in uploads:
        location = files.new_location(message.agency_id, "mail")
        with files.writing(location) as file:
            file.write(upload.content)
        rows.append(
            models.Attachment(
                agency_id=message.agency_id,
                message=message,
                name=core_mail.one_line(upload.name, 200) or "file",
                media_type=core_mail.one_line(upload.media_type, 120) or "application/octet-stream",
                size=len(upload.content),
                location=location,
            )
        )
    return rows


def _message_id(enquiry: models.Enquiry) -> str:
    """Return an id that names its enquiry, so that an answer to it is known without any look-up."""
    token = rules.token(rules.Named(enquiry.agency_id, enquiry.number), queries.token_keys()[0])
    return f"<{token}.{secrets.token_hex(4)}@{urlsplit(settings.CONSULT_OFFICE_URL).hostname or 'consult'}>"


def _enqueue(message: models.Message) -> None:
    if message.due_at:
        due = message.due_at.isoformat()
        arguments = {"message_id": str(message.id), "enquiry_id": str(message.enquiry_id), "due": due}
        queue.enqueue_at("inbox.send_message", message.due_at, **arguments)


# --- taken back, tried again ----------------------------------------------------------------------------------------


def _locked(agency_id: int, enquiry: models.Enquiry, message_id: UUID) -> models.Message:
    found = (
        models.Message.objects.select_for_update()
        .filter(agency_id=agency_id, enquiry=enquiry, id=message_id, direction="out")
        .first()
    )
    if found is None:
        raise NoSuchMessage(message_id)
    return found


def undo_reply(*, agency_id: int, number: int, message_id: UUID, by: UUID | None) -> None:
    """Make a reply that has not gone out its writer's draft again, and the enquiry what it was before.

    Once more changes nothing. Raise NoSuchEnquiry, NoSuchMessage, TooLate.
    """
    with tenancy.agency(agency_id):
        enquiry = changes.locked(agency_id, number)
        message = _locked(agency_id, enquiry, message_id)
        if message.state == "undone":
            return
        if message.state not in ("queued", "failed"):
            raise TooLate(message.state)
        message.state, message.due_at = "undone", None
        message.save(update_fields=["state", "due_at"])
        if message.version:
            # Somebody went on with the enquiry meanwhile: it stays what they made of it.
            with contextlib.suppress(changes.Conflict, changes.NoSuchChange):
                changes.undo_change(agency_id=agency_id, number=number, version=message.version, by=by)
        _record("inbox.undo_reply", enquiry, message, by)


def retry_reply(*, agency_id: int, number: int, message_id: UUID, by: UUID | None, now: dt.datetime) -> None:
    """Send once more what failed or came back, at once. Raise NoSuchEnquiry, NoSuchMessage, TooLate."""
    with tenancy.agency(agency_id):
        enquiry = changes.locked(agency_id, number)
        message = _locked(agency_id, enquiry, message_id)
        if message.state not in ("failed", "bounced"):
            raise TooLate(message.state)
        message.state, message.tries, message.due_at = "queued", 0, now
        message.save(update_fields=["state", "tries", "due_at"])
        ledger.tell(enquiry, "retried", now, address=message.to_address, member=by)
        _record("inbox.retry_reply", enquiry, message, by)
        _enqueue(message)


def discard_draft(*, agency_id: int, number: int, message_id: UUID, by: UUID | None) -> None:
    """Forget a draft of one's own; its files are swept. Raise NoSuchEnquiry, NoSuchMessage."""
    with tenancy.agency(agency_id):
        enquiry = changes.locked(agency_id, number)
        message = _locked(agency_id, enquiry, message_id)
        if message.state != "undone" or message.member_id != by:
            raise NoSuchMessage(message_id)
        _record("inbox.discard_draft", enquiry, message, by)
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


def _record(action: str, enquiry: models.Enquiry, message: models.Message, by: UUID | None) -> None:
    accounts.record(
        action, agency_id=enquiry.agency_id, by=by, subject_id=enquiry.id, data={"message": str(message.id)}
    )
    live.nudge(kind="enquiry", id=enquiry.id)


# --- the job --------------------------------------------------------------------------------------------------------


def send_message(*, agency_id: int, message_id: UUID, due: str) -> None:
    """Send a reply whose moment has come; a run for a moment that was put off or taken back does nothing.

    Raise mails.NotSent when the mail server may take it later.
    """
    with tenancy.agency(agency_id):
        message = models.Message.objects.select_for_update().filter(agency_id=agency_id, id=message_id).first()
        if message is None or message.due_at is None or message.due_at.isoformat() != due:
            return
        # Sending: the worker of an earlier try was killed, perhaps after it had sent. The message id is the same.
        if message.state not in ("queued", "sending", "failed"):
            return
        message.state, message.tries = "sending", message.tries + 1
        message.save(update_fields=["state", "tries"])
        number = models.Enquiry.objects.values_list("number", flat=True).get(agency_id=agency_id, id=message.enquiry_id)
        attached = list(models.Attachment.objects.filter(agency_id=agency_id, message=message).order_by("id"))
        answers_to = queries.answer_address(agency_id, number=number)
    try:
        _deliver(_mail(message, attached, answers_to), bounces_to=answers_to)
    except (OSError, files.Missing, files.Away) as error:
        if _failed(message, number, error):
            raise mails.NotSent(str(message.detail.get("error", ""))) from None
        return
    except Exception as error:
        _failed(message, number, error)
        raise
    _sent(message)


def _mail(message: models.Message, attached: Sequence[models.Attachment], answers_to: str) -> mail.EmailMessage:
    made = mail.EmailMessage(
        subject=core_mail.one_line(message.subject),
        body=message.text,
        from_email=message.from_address,
        to=[message.to_address],
        reply_to=[answers_to] if answers_to else None,
        headers={"Message-ID": message.message_id},
    )
    if message.in_reply_to:
        made.extra_headers |= {"In-Reply-To": message.in_reply_to, "References": message.thread}
    for each in attached:
        made.attach(each.name, b"".join(files.read(each.location)), _media_type(each.media_type))
    return made


def _media_type(said: str) -> str:
    """Return a type that can be sent as it is: a text may be in any charset, and a mail within a mail breaks."""
    plain = said.isascii() and said.count("/") == 1 and " " not in said
    return said if plain and said.split("/")[0] in ("image", "audio", "video", "application") else OCTETS


OCTETS = "application/octet-stream"


def _deliver(message: mail.EmailMessage, *, bounces_to: str) -> None:
    """Send; what the mail server cannot deliver comes back to `bounces_to`, where it lets us ask for that."""
    if not bounces_to:
        core_mail.send(message)
        return
    shown = message.from_email
    message.extra_headers["From"] = shown
    message.from_email = bounces_to
    try:
        message.send()
    except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
        if error.smtp_code < 500:
            raise
        del message.extra_headers["From"]
        message.from_email = shown
        core_mail.send(message)


def _sent(message: models.Message) -> None:
    with tenancy.agency(message.agency_id):
        now = dt.datetime.now(dt.UTC)
        enquiry = models.Enquiry.objects.get(agency_id=message.agency_id, id=message.enquiry_id)
        message.state, message.sent_at, message.detail = "sent", now, {}
        message.save(update_fields=["state", "sent_at", "detail"])
        ledger.tell(enquiry, "sent", now, address=message.to_address)
        tell_timeline(enquiry, now, by=message.member_id, text="wrote an e-mail")
        live.nudge(kind="enquiry", id=enquiry.id)


def _failed(message: models.Message, number: int, error: Exception) -> bool:
    """Write down that it did not go out. Return whether it is worth another try; else the enquiry is open again."""
    detail: dict[str, Any] = (
        {"error": "files_away"} if isinstance(error, files.Missing | files.Away) else rules.mail_error(error)
    )
    refused = detail["error"] == "recipient_refused" and detail.get("code", 0) >= 500
    final = refused or message.tries >= MOST_TRIES
    with tenancy.agency(message.agency_id):
        enquiry = changes.locked(message.agency_id, number)
        message.state, message.detail = "failed", {**detail, "final": final}
        message.save(update_fields=["state", "detail"])
        now = dt.datetime.now(dt.UTC)
        ledger.tell(enquiry, "failed", now, address=message.to_address, of="sent", **detail)
        if final:
            bring_back(enquiry, "inbox.bring_back_unsent")
        live.nudge(kind="enquiry", id=enquiry.id)
    return not final


def bring_back(enquiry: models.Enquiry, action: str, **data: Any) -> None:
    """Open a locked enquiry that waits, is put away or closed: it needs somebody again."""
    if enquiry.status in ("waiting", "snoozed", "closed"):
        changes.change(action, enquiry, by=None, values={**states.PLAIN, "status": "open"}, data=data)


def tell_timeline(enquiry: models.Enquiry, now: dt.datetime, *, by: UUID | None, text: str) -> None:
    """Tell the timeline of what the enquiry became, where it became something."""
    links = {name: getattr(enquiry, name) for name in ("contact_id", "company_id", "deal_id")}
    if any(links.values()):
        crm.record_event(
            agency_id=enquiry.agency_id,
            kind="inbox.message",
            at=now,
            by=by,
            subject_id=enquiry.id,
            data={"number": enquiry.number, "path": f"inbox/{enquiry.number}/", "text": text},
            **links,
        )
