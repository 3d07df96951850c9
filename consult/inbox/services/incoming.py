"""Mail that comes in: kept before it is accepted, then made a message of its enquiry, or set aside with the reason.

Where it belongs is said by what we made ourselves: the address that it came to, or the id of ours that it answers.
Never by its subject or its text.
"""

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Iterable
from uuid import UUID

import structlog
from django.db import DatabaseError

from consult.accounts import queries as accounts_queries
from consult.accounts import services as accounts
from consult.core import files, live, queue, tenancy
from consult.inbox import models, queries, rules
from consult.inbox.services import attachments, changes, ledger, mails, sending, typed, words
from consult.intake import queries as intake

log = structlog.get_logger("consult.inbox")

# Why a mail became no message.
REASONS = ("unreadable", "nobody", "gone", "too_many", "bounce", "automatic", "elsewhere", "too_large", "own", "known")
MOST_AN_HOUR = 60
KEEP_UNNAMED = dt.timedelta(days=2)


class NoSuchMail(Exception):
    """The agency has no such mail set aside."""


class UnreadableMail(Exception):
    """Nothing can be made of it."""


class NoMail(Exception):
    """What came is no mail."""


@dataclasses.dataclass(frozen=True)
class Kept:
    """A mail that is stored; `known`: the very same was there already."""

    id: UUID
    known: bool


def keep_mail(*, hook_agency_id: int, raw: bytes, reason: str = "", any: bool = False) -> Kept:
    """Store a mail as it came, in the agency that it is for, or in the hook's own. Raise NoMail, files.Away.

    `reason`: set it aside at once, for this one of REASONS. `any`: also what is no mail; nobody could send it again.
    """
    try:
        headers = rules.headers_of(raw)
    except rules.Unreadable as error:
        if not any:
            raise NoMail(str(error)) from None
        headers, reason = rules.NO_HEADERS, "unreadable"
    named = _named((*headers.recipients, *headers.in_reply_to, *reversed(headers.references)))
    agency_id = named.agency_id if named and _exists(named.agency_id) else hook_agency_id
    digest = hashlib.sha256(raw).hexdigest()
    with tenancy.agency(agency_id):
        known = models.Mail.objects.filter(agency_id=agency_id, digest=digest).first()
    if known:
        return Kept(known.id, known=True)
    location = files.new_location(agency_id, "mail")
    with files.writing(location) as file:
        file.write(raw)
    with tenancy.agency(agency_id):
        mail, made = models.Mail.objects.get_or_create(
            agency_id=agency_id,
            digest=digest,
            defaults={
                "size": len(raw),
                "location": location,
                "from_address": headers.from_address,
                "subject": headers.subject,
                "state": "aside" if reason else "waiting",
                "reason": reason,
            },
        )
        if made and not reason:
            queue.enqueue("inbox.receive_mail", mail_id=str(mail.id))
    return Kept(mail.id, known=not made)


def _named(texts: Iterable[str]) -> rules.Named | None:
    keys = queries.token_keys()
    found = (rules.named_in(text, keys) for text in texts)
    return next((each for each in found if each and (each.number is not None or each.form_id)), None)


def _exists(agency_id: int) -> bool:
    """Whether there is still such an agency; what we signed ourselves may be older than its end."""
    with tenancy.agency(agency_id):
        return accounts_queries.agency_exists(agency_id)


# --- the job --------------------------------------------------------------------------------------------------------


def receive_mail(*, agency_id: int, mail_id: UUID, now: dt.datetime) -> None:
    """Make a message of a mail that was kept, or say why not; a second run changes nothing. Raise files.Away."""
    with tenancy.agency(agency_id):
        mail = models.Mail.objects.filter(agency_id=agency_id, id=mail_id, state="waiting").first()
    if mail is None:
        return
    try:
        # Read and taken apart outside of any transaction: a large one takes seconds.
        arrived = rules.parse(b"".join(files.read(mail.location)))
    except rules.Unreadable:
        _settle(mail, "aside", "unreadable")
        return
    except files.Missing:
        _settle(mail, "aside", "gone")
        return
    headers = arrived.headers
    if _named([headers.message_id]):
        _settle(mail, "dropped", "own")
        return
    named = _named((*headers.recipients, *headers.in_reply_to, *reversed(headers.references), *arrived.about))
    if named is None or named.agency_id != agency_id:
        reason = "elsewhere" if named else "bounce" if arrived.kind == "bounce" else "nobody"
        _settle(mail, "aside", reason)
    elif named.form_id:
        _open(mail, arrived, named.form_id, now)
    else:
        _join(mail, arrived, named.number or 0, now)


def _settle(mail: models.Mail, state: str, reason: str = "", message_id: UUID | None = None) -> None:
    with tenancy.agency(mail.agency_id):
        models.Mail.objects.filter(agency_id=mail.agency_id, id=mail.id, state=mail.state).update(
            state=state, reason=reason, message_id=message_id
        )
        log.info("mail received", state=state, reason=reason)


def _join(mail: models.Mail, arrived: rules.Arrived, number: int, now: dt.datetime) -> None:
    """Add a mail to its enquiry; a person's answer opens it again, a program's never does."""
    message = _message(mail, arrived)
    stored = attachments.store(message, arrived.parts)
    with tenancy.agency(mail.agency_id):
        try:
            enquiry = changes.locked(mail.agency_id, number)
        except changes.NoSuchEnquiry:
            _settle(mail, "aside", "gone")
            return
        if enquiry.erased_at:
            # What comes in again is new: nothing of it belongs to what was erased.
            _settle(mail, "aside", "gone")
            return
        hour = models.Message.objects.filter(
            agency_id=mail.agency_id, enquiry=enquiry, direction="in", created_at__gt=now - dt.timedelta(hours=1)
        )
        if hour.count() >= MOST_AN_HOUR:
            _settle(mail, "aside", "too_many")
            return
        if not _add(mail, message, stored, enquiry):
            return
        ledger.tell(enquiry, "received", now, address=message.from_address, mail=message.kind)
        if message.kind == "bounce":
            _bounced(enquiry, arrived, now)
        elif message.kind == "answer":
            words.add(enquiry, rules.words(message.text, message.from_address, message.from_name))
            sending.bring_back(enquiry, "inbox.receive_answer")
            sending.tell_timeline(enquiry, now, by=None, text="an answer came by e-mail")
        live.nudge(kind="enquiry", id=enquiry.id)


def _message(mail: models.Mail, arrived: rules.Arrived) -> models.Message:
    headers = arrived.headers
    return models.Message(
        agency_id=mail.agency_id,
        direction="in",
        state="received",
        kind=arrived.kind,
        subject=headers.subject,
        text=arrived.text,
        html=arrived.html,
        shortened=arrived.shortened,
        message_id=headers.message_id or f"<{mail.digest[:40]}@no-id>",
        in_reply_to=headers.in_reply_to[0] if headers.in_reply_to else "",
        thread=" ".join(headers.references),
        from_name=headers.from_name,
        from_address=headers.from_address,
        to_address=headers.recipients[0][:320] if headers.recipients else "",
    )


def _add(mail: models.Mail, message: models.Message, stored: list[models.Attachment], enquiry: models.Enquiry) -> bool:
    """Add a message to its enquiry. False when it is there already."""
    message.enquiry = enquiry
    known = models.Message.objects.filter(
        agency_id=mail.agency_id, direction="in", message_id=message.message_id
    ).exists()
    if known:
        _settle(mail, "dropped", "known")
        return False
    message.save()
    models.Attachment.objects.bulk_create(stored)
    _settle(mail, "done", message_id=message.id)
    accounts.record(
        "inbox.receive_mail", agency_id=mail.agency_id, subject_id=enquiry.id, data={"message": str(message.id)}
    )
    return True


def _bounced(enquiry: models.Enquiry, arrived: rules.Arrived, now: dt.datetime) -> None:
    """Mark what did not arrive: the message that the report names, else the last one that was sent."""
    bounce = arrived.bounce
    if bounce is None or bounce.action not in ("failed", ""):
        return  # delayed, relayed: it may still arrive
    sent = models.Message.objects.select_for_update().filter(
        agency_id=enquiry.agency_id, enquiry=enquiry, direction="out", state__in=("sent", "sending", "failed")
    )
    ids = [*arrived.about, *arrived.headers.in_reply_to, *arrived.headers.references]
    message = sent.filter(message_id__in=ids).order_by("-created_at").first() or sent.order_by("-created_at").first()
    if message is None:
        return
    message.state, message.detail = "bounced", {"error": "bounced", "status": bounce.status}
    message.save(update_fields=["state", "detail"])
    ledger.tell(enquiry, "bounced", now, address=message.to_address, status=bounce.status)
    sending.bring_back(enquiry, "inbox.bring_back_unsent")


def _open(mail: models.Mail, arrived: rules.Arrived, form_id: UUID, now: dt.datetime) -> None:
    """Open an enquiry of the form that the mail was addressed to."""
    if arrived.kind != "answer":
        _settle(mail, "aside", "automatic")
        return
    try:
        _typed(mail, arrived, form_id, now)
    except (typed.NoSuchForm, typed.AnotherSubmission, typed.NothingTyped):
        _settle(mail, "aside", "gone")


def open_mail(*, agency_id: int, mail_id: UUID, form_id: UUID, by: UUID | None, now: dt.datetime) -> int:
    """Make an enquiry of a mail that is set aside, by the way of what is typed in; return its number.

    Raise NoSuchMail, typed.NoSuchForm, UnreadableMail, files.Away.
    """
    with tenancy.agency(agency_id):
        mail = models.Mail.objects.filter(agency_id=agency_id, id=mail_id, state="aside").first()
    if mail is None:
        raise NoSuchMail(mail_id)
    try:
        arrived = rules.parse(b"".join(files.read(mail.location)))
    except (rules.Unreadable, files.Missing):
        raise UnreadableMail(mail_id) from None
    try:
        return _typed(mail, arrived, form_id, now, by=by)
    except (typed.AnotherSubmission, typed.NothingTyped):
        raise UnreadableMail(mail_id) from None


def _typed(
    mail: models.Mail, arrived: rules.Arrived, form_id: UUID, now: dt.datetime, *, by: UUID | None = None
) -> int:
    """Make an enquiry of a mail, and the mail its first message. `by`: who says so; else it may be held as spam.

    Raise typed.NoSuchForm, typed.AnotherSubmission, typed.NothingTyped.
    """
    message = _message(mail, arrived)
    stored = attachments.store(message, arrived.parts)
    headers = arrived.headers
    with tenancy.agency(mail.agency_id):
        number = typed.type_in_enquiry(
            agency_id=mail.agency_id,
            # The mail's own: a second run finds the first one's.
            id=mail.id,
            form_id=form_id,
            channel="e-mail",
            by=by,
            now=now,
            judged=by is None,
            name=headers.from_name or headers.from_address or "?",
            email=headers.from_address,
            message=(arrived.text or headers.subject or "–")[:20_000],
        )
        enquiry = changes.locked(mail.agency_id, number)
        if headers.subject and not enquiry.subject:
            enquiry.subject = headers.subject
            enquiry.save(update_fields=["subject"])
        if _add(mail, message, stored, enquiry):
            ledger.tell(enquiry, "received", now, address=message.from_address, mail=message.kind)
            if by is None and enquiry.status == "open":
                mails.enqueue_mails([enquiry], intake.form_labels(mail.agency_id))
    return number


# --- what is set aside ----------------------------------------------------------------------------------------------


def dismiss_mail(*, agency_id: int, mail_id: UUID, by: UUID | None, now: dt.datetime) -> None:
    """Settle a mail that is set aside: somebody has looked. Raise NoSuchMail."""
    with tenancy.agency(agency_id):
        found = models.Mail.objects.filter(agency_id=agency_id, id=mail_id, state="aside", resolved_at__isnull=True)
        if not found.update(resolved_at=now):
            raise NoSuchMail(mail_id)
        accounts.record("inbox.dismiss_mail", agency_id=agency_id, by=by, data={"mail": str(mail_id)})


def sweep_mail_files(*, now: dt.datetime) -> int:
    """Remove files of mails that no row names, left by a killed process or a draft that was discarded. Count them."""
    removed = 0
    before = (now - KEEP_UNNAMED).timestamp()
    for agency_id, _slug, _name in accounts_queries.agencies():
        try:
            with tenancy.agency(agency_id):
                removed += files.sweep(
                    agency_id,
                    lambda ids, agency_id=agency_id: queries.mail_file_ids(agency_id, ids),  # type: ignore[misc]
                    before=before,
                    kind="mail",
                )
        except DatabaseError as error:  # another agency's files are still swept
            log.warning("mail files not swept", reason=type(error).__name__)
    return removed
