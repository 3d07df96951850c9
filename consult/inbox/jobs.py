"""Background work of the inbox."""

import datetime as dt
from uuid import UUID

from consult.accounts import queries as accounts
from consult.core import queue, tenancy
from consult.inbox import queries, services


@queue.job("inbox.receive_submissions")
def receive_submissions(*, agency_id: int, submission_ids: list[str]) -> None:
    """Enqueued by the door intake_accept_v2, one for each agency of a batch."""
    services.receive_submissions(agency_id=agency_id, submission_ids=[UUID(id) for id in submission_ids])


@queue.job("inbox.notify_enquiry")
def notify_enquiry(*, agency_id: int, enquiry_id: str, address: str) -> None:
    """One for each address, so that one that fails repeats no other."""
    services.notify_enquiry(agency_id=agency_id, enquiry_id=UUID(enquiry_id), address=address)


@queue.job("inbox.reply_to_sender")
def reply_to_sender(*, agency_id: int, enquiry_id: str) -> None:
    services.reply_to_sender(agency_id=agency_id, enquiry_id=UUID(enquiry_id))


@queue.periodic("inbox.wake_enquiries", "* * * * *")
def wake_enquiries() -> None:
    now = dt.datetime.now(dt.UTC)
    for agency_id in queries.agencies_to_wake(now):
        services.wake_enquiries(agency_id=agency_id, now=now)


@queue.job("inbox.release_member")
def release_member(*, agency_id: int, member_id: str) -> None:
    """Enqueued by accounts when a member leaves or is removed."""
    services.release_member(agency_id=agency_id, member_id=UUID(member_id))


@queue.job("inbox.send_message")
def send_message(*, agency_id: int, message_id: str, enquiry_id: str, due: str) -> None:
    """Enqueued for the moment until which a reply can be taken back; `enquiry_id` is for whoever reads failed jobs."""
    services.send_message(agency_id=agency_id, message_id=UUID(message_id), due=due)


@queue.job("inbox.receive_mail")
def receive_mail(*, agency_id: int, mail_id: str) -> None:
    services.receive_mail(agency_id=agency_id, mail_id=UUID(mail_id), now=dt.datetime.now(dt.UTC))


@queue.periodic("inbox.sweep_mail_files", "50 3 * * *")
def sweep_mail_files() -> None:
    services.sweep_mail_files(now=dt.datetime.now(dt.UTC))


@queue.periodic("inbox.fetch_due_mails", "* * * * *")
def fetch_due_mails() -> None:
    """One job for each mailbox: a server that does not answer keeps nobody else waiting."""
    for agency_id in queries.mailboxes_due(dt.datetime.now(dt.UTC)):
        with tenancy.agency(agency_id):
            queue.enqueue("inbox.fetch_mails")


@queue.job("inbox.fetch_mails")
def fetch_mails(*, agency_id: int) -> None:
    services.fetch_mails(agency_id=agency_id, now=dt.datetime.now(dt.UTC))


@queue.periodic("inbox.check_forms", "7 * * * *")
def check_forms() -> None:
    now = dt.datetime.now(dt.UTC)
    for agency_id, _slug, _name in accounts.agencies():
        services.check_forms(agency_id=agency_id, now=now)
