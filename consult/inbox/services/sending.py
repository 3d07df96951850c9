"""The job that sends a reply, and what follows when it does not arrive."""

import datetime as dt
import smtplib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.core import mail

from consult.core import files, live, tenancy
from consult.core import mail as core_mail
from consult.crm import services as crm
from consult.inbox import models, queries, rules
from consult.inbox.services import changes, ledger, mails, states

MOST_TRIES = 10
OCTETS = "application/octet-stream"


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
