"""E-mails of the inbox: promised and enqueued with their cause, sent by jobs."""

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
from consult.inbox.services import ledger
from consult.intake import queries as intake

REPLY_AGAIN_AFTER = dt.timedelta(hours=24)


class NotSent(Exception):
    """The mail server did not take an e-mail. Its own words would bring people's addresses into the log."""


class NoSuchJob(Exception):
    """The agency has no failed job of this id."""


def locked_counter(agency_id: int) -> models.Counter:
    """Return the agency's counter under its lock: numbers are given and replies are promised one after the other."""
    models.Counter.objects.bulk_create([models.Counter(agency_id=agency_id)], ignore_conflicts=True)
    return models.Counter.objects.select_for_update().get(agency_id=agency_id)


def promise(
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


def enqueue_mails(enquiries: Sequence[models.Enquiry], labels: Mapping[UUID, intake.FormLabel]) -> None:
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
        if ledger.is_told(enquiry, "notified", address):
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
        if enquiry.status in ("held", "spam") or not enquiry.reply_key or ledger.is_told(enquiry, "replied", address):
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
        ledger.tell(enquiry, kind, dt.datetime.now(dt.UTC), address=address, **detail)
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
            ledger.tell(
                enquiry, "retried", now, address=job.arguments.get("address") or enquiry.sender_email, member=by
            )
            live.nudge(kind="enquiry", id=enquiry.id)
