"""Writes of the inbox. Each one also writes its audit row and nudges the open pages, in one transaction."""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from email.utils import parseaddr
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core import mail
from django.template.loader import render_to_string

from consult.accounts import queries as accounts_queries
from consult.accounts import services as accounts
from consult.core import live, queue, tenancy
from consult.core import mail as core_mail
from consult.inbox import models, queries, rules
from consult.intake import queries as intake

REPLY_AGAIN_AFTER = dt.timedelta(hours=24)


class NoSuchEnquiry(Exception):
    """The agency has no enquiry of this number."""


class NotSent(Exception):
    """The mail server did not take an e-mail. Its own words would bring people's addresses into the log."""


class NoSuchJob(Exception):
    """The agency has no failed job of this id."""


class NoSuchMember(Exception):
    """The agency has no member of this id."""


class EmptyNote(Exception):
    """A note without text."""


def receive_submissions(*, agency_id: int, submission_ids: Sequence[UUID], now: dt.datetime | None = None) -> None:
    """Open or hold an enquiry for each submission that has none yet; a second run changes nothing."""
    now = now or dt.datetime.now(dt.UTC)
    with tenancy.agency(agency_id):
        counter = _locked_counter(agency_id)
        arrived = intake.arrivals(agency_id, submission_ids)
        known = set(
            models.Enquiry.objects.filter(
                agency_id=agency_id, submission_id__in=[arrival.submission.id for arrival in arrived]
            ).values_list("submission_id", flat=True)
        )
        fresh = [arrival for arrival in arrived if arrival.submission.id not in known]
        if not fresh:
            return
        enquiries = [
            _enquiry(agency_id, number, arrival) for number, arrival in enumerate(fresh, start=counter.last_number + 1)
        ]
        counter.last_number += len(fresh)
        counter.save(update_fields=["last_number"])
        labels = intake.form_labels(agency_id)
        passed = [enquiry for enquiry in enquiries if enquiry.status == "open"]
        _promise(agency_id, passed, labels, now)
        models.Enquiry.objects.bulk_create(enquiries)
        models.Delivery.objects.bulk_create(
            line for pair in zip(enquiries, fresh, strict=True) for line in _first_lines(*pair, now)
        )
        accounts.record_each("inbox.open_enquiry", agency_id=agency_id, subject_ids=[each.id for each in enquiries])
        _enqueue_mails(passed, labels)
        live.nudge_each(kind="enquiry", ids=[each.id for each in enquiries])


def _locked_counter(agency_id: int) -> models.Counter:
    models.Counter.objects.bulk_create([models.Counter(agency_id=agency_id)], ignore_conflicts=True)
    return models.Counter.objects.select_for_update().get(agency_id=agency_id)


def _enquiry(agency_id: int, number: int, arrival: intake.Arrival) -> models.Enquiry:
    submission = arrival.submission
    return models.Enquiry(
        agency_id=agency_id,
        number=number,
        submission_id=submission.id,
        form_id=submission.form_id,
        status="held" if arrival.held else "open",
        score=arrival.score,
        reasons=arrival.reasons,
        sender_name=submission.sender_name,
        sender_email=submission.sender_email,
        subject=submission.subject,
        excerpt=submission.excerpt,
        signals=submission.signals,
        received_at=submission.received_at,
    )


def _first_lines(enquiry: models.Enquiry, arrival: intake.Arrival, now: dt.datetime) -> list[models.Delivery]:
    submission = arrival.submission
    waited = round((submission.stored_at - submission.received_at).total_seconds())
    spooled: dict[str, Any] = {"spooled_seconds": max(0, waited)} if submission.spooled else {}
    lines = [
        _line(enquiry, "stored", submission.received_at, **spooled),
        _line(enquiry, "scored", now, score=arrival.score),
    ]
    return [*lines, _line(enquiry, "held", now, hold_score=arrival.hold_score)] if arrival.held else lines


def restore_enquiry(*, agency_id: int, number: int, by: UUID | None, now: dt.datetime) -> None:
    """Open what was held or taken for spam, and deliver it unless that was done before. Raise NoSuchEnquiry."""
    with tenancy.agency(agency_id):
        # The lock under which replies are promised, as when submissions are received.
        _locked_counter(agency_id)
        enquiry = _locked(agency_id, number)
        if enquiry.status not in ("held", "spam"):
            return
        enquiry.status = "open"
        if enquiry.delivered_at is None:
            labels = intake.form_labels(agency_id)
            _promise(agency_id, [enquiry], labels, now)
            _enqueue_mails([enquiry], labels)
        enquiry.save(update_fields=["status", "delivered_at", "reply_key"])
        _tell(enquiry, "restored", now, member=by)
        _changed("inbox.restore_enquiry", enquiry, by)


def confirm_spam(*, agency_id: int, number: int, by: UUID | None, now: dt.datetime) -> None:
    """Put a held or open enquiry among the spam; a closed one stays as it is. Raise NoSuchEnquiry."""
    with tenancy.agency(agency_id):
        enquiry = _locked(agency_id, number)
        if enquiry.status not in ("held", "open"):
            return
        enquiry.status = "spam"
        enquiry.save(update_fields=["status"])
        _tell(enquiry, "confirmed_spam", now, member=by)
        _changed("inbox.confirm_spam", enquiry, by)


def _changed(action: str, enquiry: models.Enquiry, by: UUID | None) -> None:
    accounts.record(action, agency_id=enquiry.agency_id, by=by, subject_id=enquiry.id)
    live.nudge(kind="enquiry", id=enquiry.id)


def note_opened(*, agency_id: int, enquiry_id: UUID, by: UUID | None, now: dt.datetime) -> None:
    """Remember who opened an enquiry first; later ones change nothing."""
    with tenancy.agency(agency_id):
        line = models.Delivery(
            agency_id=agency_id, enquiry_id=enquiry_id, kind="opened", at=now, detail={"member": str(by)}
        )
        models.Delivery.objects.bulk_create([line], ignore_conflicts=True)


# --- e-mails: promised and enqueued with their cause, sent by jobs --------------------------------------------------


def _promise(
    agency_id: int, enquiries: Sequence[models.Enquiry], labels: Mapping[UUID, intake.FormLabel], now: dt.datetime
) -> None:
    """Mark these enquiries as delivered and settle who gets an automatic reply: a sender of a form once in 24 hours."""
    ours = {rules.clean_address(address).lower() for label in labels.values() for address in label.notify_addresses}
    for sender in (settings.DEFAULT_FROM_EMAIL, accounts_queries.mail_sender(agency_id)):
        ours.add(rules.clean_address(parseaddr(sender)[1]).lower())
    for enquiry in enquiries:
        enquiry.delivered_at = now
        label = labels.get(enquiry.form_id) if enquiry.form_id else None
        enquiry.reply_key = rules.reply_key(enquiry.sender_email, ours) if label and label.auto_reply else ""
    wanted = {enquiry.reply_key for enquiry in enquiries} - {""}
    if not wanted:
        return
    answered = set(
        models.Enquiry.objects.filter(
            agency_id=agency_id, reply_key__in=wanted, delivered_at__gt=now - REPLY_AGAIN_AFTER
        ).values_list("form_id", "reply_key")
    )
    for enquiry in enquiries:
        if (enquiry.form_id, enquiry.reply_key) in answered:
            enquiry.reply_key = ""
        answered.add((enquiry.form_id, enquiry.reply_key))


def _enqueue_mails(enquiries: Sequence[models.Enquiry], labels: Mapping[UUID, intake.FormLabel]) -> None:
    found = [(each, labels[each.form_id]) for each in enquiries if each.form_id and each.form_id in labels]
    notices = [
        {"enquiry_id": str(enquiry.id), "address": address}
        for enquiry, label in found
        for address in dict.fromkeys(label.notify_addresses)
    ]
    queue.enqueue_each("inbox.notify_enquiry", notices)
    replies = [{"enquiry_id": str(enquiry.id)} for enquiry, _label in found if enquiry.reply_key]
    queue.enqueue_each("inbox.reply_to_sender", replies)


def notify_enquiry(*, agency_id: int, enquiry_id: UUID, address: str) -> None:
    """Mail a new enquiry to an address of its form; a second run sends nothing. Raise NotSent."""
    with tenancy.agency(agency_id):
        enquiry = models.Enquiry.objects.get(agency_id=agency_id, id=enquiry_id)
        if _is_told(enquiry, "notified", address):
            return
        message = _message(agency_id, queries.notification(agency_id, enquiry_id), "notification", address)
    # Without one of its own it would go to whoever reads the sender's mail.
    if reply_to := rules.clean_address(enquiry.sender_email):
        message.reply_to = [reply_to]
    message.extra_headers |= {"Message-ID": _message_id(enquiry, address), "Auto-Submitted": "auto-generated"}
    _send(message, enquiry, "notified", address)


def reply_to_sender(*, agency_id: int, enquiry_id: UUID) -> None:
    """Send the automatic reply that was promised; a second run sends nothing. Raise NotSent."""
    with tenancy.agency(agency_id):
        enquiry = models.Enquiry.objects.get(agency_id=agency_id, id=enquiry_id)
        address = rules.clean_address(enquiry.sender_email)
        # Taken for spam meanwhile: it gets no answer.
        if enquiry.status == "spam" or not enquiry.reply_key or _is_told(enquiry, "replied", address):
            return
        message = _message(agency_id, queries.reply(agency_id, enquiry_id), "reply", address)
    message.extra_headers |= {
        "Message-ID": _message_id(enquiry, f"reply {address}"),
        "Auto-Submitted": "auto-replied",
        "X-Auto-Response-Suppress": "All",
    }
    _send(message, enquiry, "replied", address)


def _message(agency_id: int, context: dict[str, Any], name: str, address: str) -> mail.EmailMultiAlternatives:
    message = mail.EmailMultiAlternatives(
        subject=core_mail.one_line(context["subject"]),
        body=render_to_string(f"inbox/mail/{name}.txt", context),
        from_email=accounts_queries.mail_sender(agency_id),
        to=[address],
    )
    message.attach_alternative(render_to_string(f"inbox/mail/{name}.html", context), "text/html")
    return message


def _message_id(enquiry: models.Enquiry, address: str) -> str:
    """Return an id that another try has again, so that mail programs show one message. Short: a line is not broken."""
    made = hashlib.blake2b(enquiry.id.bytes + address.encode(), digest_size=12).hexdigest()
    return f"<{made}@{urlsplit(settings.CONSULT_OFFICE_URL).hostname or 'consult'}>"


def _send(message: mail.EmailMessage, enquiry: models.Enquiry, kind: str, address: str) -> None:
    """Send outside of any transaction, which a slow mail server would hold open, and tell the ledger. Raise NotSent."""
    try:
        core_mail.send(message)
    except Exception as error:
        detail = rules.mail_error(error)
        _tell_later(enquiry, "failed", address, of=kind, **detail)
        if isinstance(error, OSError):  # what smtplib raises as well
            raise NotSent(f"{detail['error']} {detail.get('code', '')}".strip()) from None
        raise
    _tell_later(enquiry, kind, address)


def _tell_later(enquiry: models.Enquiry, kind: str, address: str, **detail: Any) -> None:
    with tenancy.agency(enquiry.agency_id):
        _tell(enquiry, kind, dt.datetime.now(dt.UTC), address=address, **detail)
        live.nudge(kind="enquiry", id=enquiry.id)


def retry_job(*, agency_id: int, job_id: int, by: UUID | None, now: dt.datetime) -> None:
    """Try a job that failed for good once more. Raise NoSuchJob when the agency has no such failed job."""
    with tenancy.agency(agency_id):
        job = queue.retry_job(job_id)
        if job is None:
            raise NoSuchJob(job_id)
        enquiry_id = job.arguments.get("enquiry_id")
        enquiry = models.Enquiry.objects.filter(agency_id=agency_id, id=enquiry_id).first() if enquiry_id else None
        subject_id = enquiry.id if enquiry else None
        accounts.record("inbox.retry_job", agency_id=agency_id, by=by, subject_id=subject_id, data={"job": job.name})
        if enquiry:
            _tell(enquiry, "retried", now, address=job.arguments.get("address") or enquiry.sender_email, member=by)
            live.nudge(kind="enquiry", id=enquiry.id)


def _line(
    enquiry: models.Enquiry, kind: str, at: dt.datetime, address: str = "", *, member: UUID | None = None, **detail: Any
) -> models.Delivery:
    if member:
        detail["member"] = str(member)
    return models.Delivery(
        agency_id=enquiry.agency_id, enquiry=enquiry, kind=kind, at=at, address=address[:320], detail=detail
    )


def _tell(enquiry: models.Enquiry, kind: str, at: dt.datetime, address: str = "", **detail: Any) -> None:
    """Add a line to the ledger, in the transaction of what it tells."""
    models.Delivery.objects.bulk_create([_line(enquiry, kind, at, address, **detail)], ignore_conflicts=True)


def _is_told(enquiry: models.Enquiry, kind: str, address: str) -> bool:
    return models.Delivery.objects.filter(
        agency_id=enquiry.agency_id, enquiry=enquiry, kind=kind, address=address
    ).exists()


# --- what staff do with an enquiry ----------------------------------------------------------------------------------


def close_enquiry(*, agency_id: int, number: int, by: UUID | None, now: dt.datetime) -> None:
    """Close an open enquiry; any other stays as it is. Raise NoSuchEnquiry."""
    _set_status(agency_id=agency_id, number=number, by=by, status="closed", closed_at=now)


def reopen_enquiry(*, agency_id: int, number: int, by: UUID | None) -> None:
    """Open a closed enquiry again; any other stays as it is. Raise NoSuchEnquiry."""
    _set_status(agency_id=agency_id, number=number, by=by, status="open", closed_at=None)


def _set_status(*, agency_id: int, number: int, by: UUID | None, status: str, closed_at: dt.datetime | None) -> None:
    with tenancy.agency(agency_id):
        enquiry = _locked(agency_id, number)
        # From the one to the other alone: what is held or spam is restored first.
        if {enquiry.status, status} != {"open", "closed"}:
            return
        enquiry.status, enquiry.closed_at = status, closed_at
        enquiry.save(update_fields=["status", "closed_at"])
        _changed("inbox.close_enquiry" if status == "closed" else "inbox.reopen_enquiry", enquiry, by)


def assign_enquiry(*, agency_id: int, number: int, member_id: UUID | None, by: UUID | None) -> None:
    """Give an enquiry to a member, or to nobody. Raise NoSuchEnquiry, NoSuchMember."""
    with tenancy.agency(agency_id):
        names = {person.id: person.name for person in accounts_queries.members(agency_id)}
        if member_id is not None and member_id not in names:
            raise NoSuchMember(member_id)
        enquiry = _locked(agency_id, number)
        if enquiry.assignee_id == member_id:
            return
        enquiry.assignee_id = member_id
        enquiry.save(update_fields=["assignee_id"])
        accounts.record(
            "inbox.assign_enquiry",
            agency_id=agency_id,
            by=by,
            subject_id=enquiry.id,
            data={"member": str(member_id) if member_id else None},
        )
        live.nudge(kind="enquiry", id=enquiry.id)


def release_member(*, agency_id: int, member_id: UUID) -> None:
    """Take what is open or held from a member who has left, so that somebody else sees that nobody has it.

    What is closed keeps who closed it. A second run changes nothing, nor does one for somebody who has come back.
    """
    with tenancy.agency(agency_id):
        if any(person.id == member_id for person in accounts_queries.members(agency_id)):
            return
        theirs = models.Enquiry.objects.filter(
            agency_id=agency_id, assignee_id=member_id, status__in=("open", "held")
        ).select_for_update()
        ids = list(theirs.order_by("id").values_list("id", flat=True))
        models.Enquiry.objects.filter(agency_id=agency_id, id__in=ids).update(assignee_id=None)
        accounts.record_each("inbox.release_enquiry", agency_id=agency_id, subject_ids=ids)
        live.nudge_each(kind="enquiry", ids=ids)


def add_note(*, agency_id: int, number: int, body: str, by: UUID | None) -> UUID:
    """Add an internal note; return its id. Raise NoSuchEnquiry, EmptyNote."""
    if not body.strip():
        raise EmptyNote
    with tenancy.agency(agency_id):
        enquiry = _locked(agency_id, number)
        note = models.Note.objects.create(agency_id=agency_id, enquiry=enquiry, author_id=by, body=body.strip())
        accounts.record(
            "inbox.add_note", agency_id=agency_id, by=by, subject_id=enquiry.id, data={"note": str(note.id)}
        )
        live.nudge(kind="enquiry", id=enquiry.id)
    return note.id


def lock_enquiry(*, agency_id: int, number: int) -> None:
    """Let nobody else change an enquiry until this transaction ends. Raise NoSuchEnquiry."""
    with tenancy.agency(agency_id):
        _locked(agency_id, number)


def _locked(agency_id: int, number: int) -> models.Enquiry:
    enquiry = models.Enquiry.objects.select_for_update().filter(agency_id=agency_id, number=number).first()
    if enquiry is None:
        raise NoSuchEnquiry(number)
    return enquiry
