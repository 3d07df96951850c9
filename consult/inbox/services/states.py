"""What staff do with an enquiry: each action from those states alone that it makes sense in.

Each raises changes.NoSuchEnquiry and, where `seen` is given and somebody was faster, changes.Conflict; each answers
with changes.Done.
"""

import datetime as dt
from collections.abc import Collection
from typing import Any
from uuid import UUID

from consult.accounts import queries as accounts_queries
from consult.accounts import services as accounts
from consult.core import tenancy
from consult.inbox import models
from consult.inbox.services import changes, ledger, mails
from consult.intake import queries as intake

PLAIN = {"closed_at": None, "close_reason": "", "waiting_since": None, "snoozed_until": None}
WORKED_ON = ("open", "waiting", "snoozed")


class NoSuchMember(Exception):
    """The agency has no member of this id."""


class NoSuchReason(Exception):
    """Nothing is closed for this reason."""


class NotAhead(Exception):
    """A snooze that would be over already."""


def _set_status(
    action: str,
    *,
    agency_id: int,
    number: int,
    by: UUID | None,
    seen: int | None,
    status: str,
    sources: Collection[str],
    answered_at: dt.datetime | None = None,
    **values: Any,
) -> changes.Done:
    with tenancy.agency(agency_id):
        enquiry = changes.locked(agency_id, number, seen=seen)
        if enquiry.status not in sources:
            return changes.Done(number, None)
        values = {**PLAIN, **values, "status": status}
        if answered_at and enquiry.first_answer_at is None:
            values["first_answer_at"] = answered_at
        return changes.change(action, enquiry, by=by, values=values)


def close_enquiry(
    *, agency_id: int, number: int, by: UUID | None, now: dt.datetime, reason: str = "", seen: int | None = None
) -> changes.Done:
    """Close what is open, waiting or snoozed; any other stays as it is. Raise NoSuchReason."""
    if reason not in models.CLOSE_REASONS:
        raise NoSuchReason(reason)
    return _set_status(
        "inbox.close_enquiry",
        agency_id=agency_id,
        number=number,
        by=by,
        seen=seen,
        status="closed",
        sources=WORKED_ON,
        answered_at=now if reason == "answered" else None,
        closed_at=now,
        close_reason=reason,
    )


def reopen_enquiry(*, agency_id: int, number: int, by: UUID | None, seen: int | None = None) -> changes.Done:
    """Open what is closed, waiting or snoozed; any other stays as it is."""
    return _set_status(
        "inbox.reopen_enquiry",
        agency_id=agency_id,
        number=number,
        by=by,
        seen=seen,
        status="open",
        sources=("closed", "waiting", "snoozed"),
    )


def wait_enquiry(
    *, agency_id: int, number: int, by: UUID | None, now: dt.datetime, seen: int | None = None
) -> changes.Done:
    """The sender has been answered and has the next word: open or snoozed becomes waiting."""
    return _set_status(
        "inbox.wait_enquiry",
        agency_id=agency_id,
        number=number,
        by=by,
        seen=seen,
        status="waiting",
        sources=("open", "snoozed"),
        answered_at=now,
        waiting_since=now,
    )


def snooze_enquiry(
    *, agency_id: int, number: int, by: UUID | None, now: dt.datetime, until: dt.datetime, seen: int | None = None
) -> changes.Done:
    """Put away what is open, waiting or snoozed; at `until` it is open again. Raise NotAhead."""
    if until <= now:
        raise NotAhead(until)
    return _set_status(
        "inbox.snooze_enquiry",
        agency_id=agency_id,
        number=number,
        by=by,
        seen=seen,
        status="snoozed",
        sources=WORKED_ON,
        snoozed_until=until,
    )


def wake_enquiries(*, agency_id: int, now: dt.datetime) -> int:
    """Open what was snoozed until now or earlier; return how many. A second run finds nothing left."""
    with tenancy.agency(agency_id):
        due = models.Enquiry.objects.select_for_update(skip_locked=True).filter(
            agency_id=agency_id, status="snoozed", snoozed_until__lte=now
        )
        woken = [
            changes.change("inbox.wake_enquiries", enquiry, by=None, values={**PLAIN, "status": "open"})
            for enquiry in due.order_by("id")
        ]
    return len(woken)


def restore_enquiry(
    *, agency_id: int, number: int, by: UUID | None, now: dt.datetime, seen: int | None = None
) -> changes.Done:
    """Open what was held or taken for spam, and deliver it unless that was done before."""
    with tenancy.agency(agency_id):
        # The lock under which replies are promised, as when submissions are received.
        mails.locked_counter(agency_id)
        enquiry = changes.locked(agency_id, number, seen=seen)
        if enquiry.status not in ("held", "spam"):
            return changes.Done(number, None)
        if enquiry.delivered_at is None:
            labels = intake.form_labels(agency_id)
            mails.promise(agency_id, [enquiry], labels, now)
            mails.enqueue_mails([enquiry], labels)
            accounts.notify(agency_id=agency_id, kind="new", feature="inbox", subject_ids=[enquiry.id], by=by, now=now)
            enquiry.save(update_fields=["delivered_at", "reply_key"])
        ledger.tell(enquiry, "restored", now, member=by)
        return changes.change("inbox.restore_enquiry", enquiry, by=by, values={"status": "open"})


def confirm_spam(
    *, agency_id: int, number: int, by: UUID | None, now: dt.datetime, seen: int | None = None
) -> changes.Done:
    """Put what is held, open, waiting or snoozed among the spam; a closed one stays as it is."""
    with tenancy.agency(agency_id):
        enquiry = changes.locked(agency_id, number, seen=seen)
        if enquiry.status not in ("held", *WORKED_ON):
            return changes.Done(number, None)
        ledger.tell(enquiry, "confirmed_spam", now, member=by)
        return changes.change("inbox.confirm_spam", enquiry, by=by, values={**PLAIN, "status": "spam"})


def assign_enquiry(
    *, agency_id: int, number: int, member_id: UUID | None, by: UUID | None, seen: int | None = None
) -> changes.Done:
    """Give an enquiry to a member, or to nobody. Raise NoSuchMember."""
    with tenancy.agency(agency_id):
        if member_id is not None and member_id not in {each.id for each in accounts_queries.members(agency_id)}:
            raise NoSuchMember(member_id)
        enquiry = changes.locked(agency_id, number, seen=seen, about=changes.ASSIGNEE)
        data = {"member": str(member_id) if member_id else None}
        done = changes.change("inbox.assign_enquiry", enquiry, by=by, values={"assignee_id": member_id}, data=data)
        if done.version and member_id:
            accounts.notify(
                agency_id=agency_id,
                kind="assigned",
                feature="inbox",
                subject_ids=[enquiry.id],
                by=by,
                now=dt.datetime.now(dt.UTC),
                members=[member_id],
            )
        return done


def release_member(*, agency_id: int, member_id: UUID) -> None:
    """Take what is not closed from a member who has left, so that somebody else sees that nobody has it.

    What is closed or spam keeps whose it was. A second run changes nothing,
    nor does one for somebody who has come back.
    """
    with tenancy.agency(agency_id):
        if any(person.id == member_id for person in accounts_queries.members(agency_id)):
            return
        theirs = models.Enquiry.objects.select_for_update().filter(
            agency_id=agency_id, assignee_id=member_id, status__in=("held", *WORKED_ON)
        )
        for enquiry in theirs.order_by("id"):
            changes.change("inbox.release_enquiry", enquiry, by=None, values={"assignee_id": None})
