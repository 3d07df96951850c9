"""Internal notes."""

from uuid import UUID

from consult.accounts import services as accounts
from consult.core import live, tenancy
from consult.inbox import models, rules
from consult.inbox.services import changes, words


class EmptyNote(Exception):
    """A note without text."""


def add_note(*, agency_id: int, number: int, body: str, by: UUID | None) -> UUID:
    """Add an internal note; return its id. Raise NoSuchEnquiry, EmptyNote."""
    if not body.strip():
        raise EmptyNote
    with tenancy.agency(agency_id):
        enquiry = changes.locked(agency_id, number)
        note = models.Note.objects.create(agency_id=agency_id, enquiry=enquiry, author_id=by, body=body.strip())
        words.add(enquiry, rules.words(body))
        accounts.record(
            "inbox.add_note", agency_id=agency_id, by=by, subject_id=enquiry.id, data={"note": str(note.id)}
        )
        live.nudge(kind="enquiry", id=enquiry.id)
    return note.id
