"""Enquiries that staff type in: a phone call, somebody at the door, something pasted from anywhere."""

import datetime as dt
from uuid import UUID

from consult.accounts import services as accounts
from consult.core import tenancy
from consult.inbox import models, rules
from consult.inbox.services import arrivals
from consult.intake import services as intake


class NothingTyped(Exception):
    """Neither a message nor anybody it could be of."""


class AnotherSubmission(Exception):
    """There is a submission of this id already, with other content."""


class NoSuchForm(Exception):
    """The agency has no form of this id."""


def type_in_enquiry(
    *,
    agency_id: int,
    id: UUID,
    form_id: UUID,
    channel: str,
    by: UUID | None,
    now: dt.datetime,
    name: str = "",
    email: str = "",
    phone: str = "",
    company: str = "",
    message: str = "",
    judged: bool = False,
) -> int:
    """Store what was typed in as a submission with its receipt, and open its enquiry; return the number.

    It takes the way of every submission, at once and without e-mails. `id` is the submission's, made with the page: the
    same sent twice is one. `judged`: nobody of ours has typed it, so that it may be spam.
    Raise NothingTyped, NoSuchForm, AnotherSubmission.
    """
    if not message.strip() or not (name.strip() or email.strip() or phone.strip() or rules.find_address(message)):
        raise NothingTyped
    with tenancy.agency(agency_id):
        try:
            intake.type_in(
                agency_id=agency_id,
                id=id,
                form_id=form_id,
                channel=channel,
                by=by,
                name=name.strip(),
                # Pasted from anywhere: the one address in the text is the sender's.
                email=email.strip() or rules.find_address(message),
                phone=phone.strip(),
                company=company.strip(),
                message=message.strip(),
            )
        except intake.NoSuchForm as error:
            raise NoSuchForm(form_id) from error
        except intake.AnotherSubmission as error:
            raise AnotherSubmission(id) from error
        # Not left to the job that the door has enqueued: whoever typed it wants to go on with it.
        arrivals.receive_submissions(agency_id=agency_id, submission_ids=[id], now=now, judged=judged)
        enquiry = models.Enquiry.objects.filter(agency_id=agency_id, submission_id=id).first()
        if enquiry is None:
            # The id and the very same words are another agency's.
            raise AnotherSubmission(id)
        accounts.record(
            "inbox.type_in_enquiry", agency_id=agency_id, by=by, subject_id=enquiry.id, data={"channel": channel}
        )
    return enquiry.number
