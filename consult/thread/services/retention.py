"""Erasing what a form keeps no longer: its submissions, their enquiries, and what was written about these.

A contact or a deal that came of an enquiry stays: it is the agency's own record by then, and is erased as a person is.
"""

import datetime as dt
from uuid import UUID

from consult.accounts import services as accounts
from consult.core import tenancy
from consult.inbox.queries import held as inbox_held
from consult.inbox.services import erasure as inbox
from consult.intake.queries import held as intake_held
from consult.intake.services import erasure as intake
from consult.thread.services.erasure import remove_later

AT_ONCE = 200


def apply_retention(*, agency_id: int, now: dt.datetime) -> int:
    """Erase what the agency's forms keep no longer, in batches that each commit; return how many submissions."""
    with tenancy.agency(agency_id):
        forms = intake_held.kept_forms(agency_id)
    total = 0
    for form_id, keep_days, keep_held_days in forms:
        if keep_days is not None:
            total += _of_form(agency_id, form_id, now - dt.timedelta(days=keep_days), now, held_only=False)
        if keep_held_days is not None:
            total += _of_form(agency_id, form_id, now - dt.timedelta(days=keep_held_days), now, held_only=True)
    return total


def _of_form(agency_id: int, form_id: UUID, before: dt.datetime, now: dt.datetime, *, held_only: bool) -> int:
    total, after = 0, None
    while True:
        with tenancy.agency(agency_id):
            found = intake_held.overdue(agency_id, form_id, before, after, AT_ONCE)
            wanted = sorted(inbox_held.held_back(agency_id, found)) if held_only else found
            _erase(agency_id, form_id, wanted, now)
            if not held_only:
                aside = intake_held.overdue_set_aside(agency_id, form_id, before)
                intake.erase_set_aside(agency_id=agency_id, ids=aside, now=now)
        total += len(wanted)
        if len(found) < AT_ONCE:
            return total
        after = found[-1]


def _erase(agency_id: int, form_id: UUID, submission_ids: list[UUID], now: dt.datetime) -> None:
    if not submission_ids:
        return
    enquiries = inbox_held.enquiries_of_submissions(agency_id, submission_ids)
    what = inbox_held.of_enquiries(agency_id, sorted(enquiries.values()))
    locations = intake.erase_submissions(agency_id=agency_id, ids=submission_ids, now=now)
    locations += inbox.erase_enquiries(agency_id=agency_id, what=what, addresses=(), now=now)
    remove_later(locations)
    data = {"submissions": len(submission_ids), "enquiries": len(what.enquiries)}
    accounts.record("thread.apply_retention", agency_id=agency_id, subject_id=form_id, data=data)
