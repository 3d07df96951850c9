"""Background work of the inbox."""

from uuid import UUID

from consult.core import queue
from consult.inbox import services


@queue.job("inbox.receive_submissions")
def receive_submissions(*, agency_id: int, submission_ids: list[str]) -> None:
    """Enqueued by the door intake_accept_v1, one for each agency of a batch."""
    services.receive_submissions(agency_id=agency_id, submission_ids=[UUID(id) for id in submission_ids])


@queue.job("inbox.notify_enquiry")
def notify_enquiry(*, agency_id: int, enquiry_id: str) -> None:
    services.notify_enquiry(agency_id=agency_id, enquiry_id=UUID(enquiry_id))
