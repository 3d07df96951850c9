"""Replies by e-mail: queued with a moment to take them back, taken back, tried again."""

import contextlib
import dataclasses
import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from consult.accounts import queries as accounts_queries
from consult.core import queue, tenancy
from consult.inbox import models, rules
from consult.inbox.services import changes, drafts, ledger, states, words
from consult.inbox.services.attachments import Upload

UNDO = dt.timedelta(seconds=10)
MOST_AN_HOUR = 30
# In a header; a longer chain is cut at its beginning.
MOST_REFERENCES = 20


class NotAnswerable(Exception):
    """The enquiry is held or spam: nobody is answered before it is restored."""


class NoAddress(Exception):
    """The sender left no address that a mail could go to."""


class TooManyReplies(Exception):
    """So many within an hour that something must be wrong."""


class TooLate(Exception):
    """It is on its way, or was: there is nothing left to take back."""


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
    drafts.check(text, uploads)
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
        message = drafts.written(enquiry, text=text, subject=subject, by=by, uploads=uploads, draft_id=draft_id)
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


def _enqueue(message: models.Message) -> None:
    if message.due_at:
        due = message.due_at.isoformat()
        arguments = {"message_id": str(message.id), "enquiry_id": str(message.enquiry_id), "due": due}
        queue.enqueue_at("inbox.send_message", message.due_at, **arguments)


def undo_reply(*, agency_id: int, number: int, message_id: UUID, by: UUID | None) -> None:
    """Make a reply that has not gone out its writer's draft again, and the enquiry what it was before.

    Once more changes nothing. Raise NoSuchEnquiry, NoSuchMessage, TooLate.
    """
    with tenancy.agency(agency_id):
        enquiry = changes.locked(agency_id, number)
        message = drafts.locked(agency_id, enquiry, message_id)
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
        drafts.record("inbox.undo_reply", enquiry, message, by)


def retry_reply(*, agency_id: int, number: int, message_id: UUID, by: UUID | None, now: dt.datetime) -> None:
    """Send once more what failed or came back, at once. Raise NoSuchEnquiry, NoSuchMessage, TooLate."""
    with tenancy.agency(agency_id):
        enquiry = changes.locked(agency_id, number)
        message = drafts.locked(agency_id, enquiry, message_id)
        if message.state not in ("failed", "bounced"):
            raise TooLate(message.state)
        message.state, message.tries, message.due_at = "queued", 0, now
        message.save(update_fields=["state", "tries", "due_at"])
        ledger.tell(enquiry, "retried", now, address=message.to_address, member=by)
        drafts.record("inbox.retry_reply", enquiry, message, by)
        _enqueue(message)
