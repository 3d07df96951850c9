"""Writes of the inbox. Each one also writes its audit row and nudges the open pages, in one transaction."""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.core import mail

from consult.accounts import queries as accounts_queries
from consult.accounts import services as accounts
from consult.core import live, queue, tenancy
from consult.inbox import models
from consult.intake import queries as intake


class NoSuchEnquiry(Exception):
    """The agency has no enquiry of this number."""


class NoSuchMember(Exception):
    """The agency has no member of this id."""


class EmptyNote(Exception):
    """A note without text."""


def receive_submissions(*, agency_id: int, submission_ids: Sequence[UUID]) -> None:
    """Open an enquiry for each submission that has none yet; a second run changes nothing."""
    with tenancy.agency(agency_id):
        arrived = intake.submissions(agency_id, submission_ids)
        counter = _locked_counter(agency_id)
        known = set(
            models.Enquiry.objects.filter(
                agency_id=agency_id, submission_id__in=[submission.id for submission in arrived]
            ).values_list("submission_id", flat=True)
        )
        for submission in arrived:
            if submission.id not in known:
                counter.last_number += 1
                _open_enquiry(agency_id, counter.last_number, submission)
        counter.save(update_fields=["last_number"])


def _locked_counter(agency_id: int) -> models.Counter:
    models.Counter.objects.bulk_create([models.Counter(agency_id=agency_id)], ignore_conflicts=True)
    return models.Counter.objects.select_for_update().get(agency_id=agency_id)


def _open_enquiry(agency_id: int, number: int, submission: intake.Submitted) -> None:
    enquiry = models.Enquiry.objects.create(
        agency_id=agency_id,
        number=number,
        submission_id=submission.id,
        form_id=submission.form_id,
        sender_name=submission.sender_name,
        sender_email=submission.sender_email,
        subject=submission.subject,
        excerpt=submission.excerpt,
        signals=submission.signals,
        received_at=submission.received_at,
    )
    accounts.record("inbox.open_enquiry", agency_id=agency_id, subject_id=enquiry.id)
    queue.enqueue("inbox.notify_enquiry", enquiry_id=str(enquiry.id))
    live.nudge(kind="enquiry", id=enquiry.id)


def notify_enquiry(*, agency_id: int, enquiry_id: UUID) -> None:
    """Mail a new enquiry to the addresses that its form names; nothing when it names none."""
    with tenancy.agency(agency_id):
        enquiry = models.Enquiry.objects.get(agency_id=agency_id, id=enquiry_id)
        label = intake.form_labels(agency_id).get(enquiry.form_id) if enquiry.form_id else None
        slug = accounts_queries.agency_slug(agency_id)
    # Outside the transaction: a slow mail server must not hold it open.
    if label is None or not label.notify_addresses:
        return
    who = enquiry.sender_name or enquiry.sender_email or "somebody"
    address = f"{settings.CONSULT_OFFICE_URL}/{slug}/inbox/{enquiry.number}/"
    mail.EmailMessage(
        # One line: names with a line break in them would be headers, or no mail at all.
        subject=" ".join(f"[{label.site_name}] Enquiry #{enquiry.number} from {who}".split()),
        body=f"{enquiry.excerpt}\n\nRead and answer it: {address}\n",
        to=label.notify_addresses,
        headers={"Message-ID": f"<enquiry-{enquiry.id}@consult>", "Auto-Submitted": "auto-generated"},
    ).send()


def close_enquiry(*, agency_id: int, number: int, by: UUID | None, now: dt.datetime) -> None:
    """Close an enquiry; closing a closed one changes nothing. Raise NoSuchEnquiry."""
    _set_status(agency_id=agency_id, number=number, by=by, status="closed", closed_at=now)


def reopen_enquiry(*, agency_id: int, number: int, by: UUID | None) -> None:
    """Open a closed enquiry again; an open one stays as it is. Raise NoSuchEnquiry."""
    _set_status(agency_id=agency_id, number=number, by=by, status="open", closed_at=None)


def _set_status(*, agency_id: int, number: int, by: UUID | None, status: str, closed_at: dt.datetime | None) -> None:
    with tenancy.agency(agency_id):
        enquiry = _locked(agency_id, number)
        if enquiry.status == status:
            return
        enquiry.status, enquiry.closed_at = status, closed_at
        enquiry.save(update_fields=["status", "closed_at"])
        action = "inbox.close_enquiry" if status == "closed" else "inbox.reopen_enquiry"
        accounts.record(action, agency_id=agency_id, by=by, subject_id=enquiry.id)
        live.nudge(kind="enquiry", id=enquiry.id)


def assign_enquiry(*, agency_id: int, number: int, member_id: UUID | None, by: UUID) -> None:
    """Give an enquiry to a member, or to nobody. Raise NoSuchEnquiry, NoSuchMember."""
    with tenancy.agency(agency_id):
        names = accounts_queries.member_names(agency_id)
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


def add_note(*, agency_id: int, number: int, body: str, by: UUID) -> UUID:
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


def _locked(agency_id: int, number: int) -> models.Enquiry:
    enquiry = models.Enquiry.objects.select_for_update().filter(agency_id=agency_id, number=number).first()
    if enquiry is None:
        raise NoSuchEnquiry(number)
    return enquiry
