"""Internal notes."""

import datetime as dt
from uuid import UUID

from consult.accounts import queries as accounts_queries
from consult.accounts import services as accounts
from consult.core import live, tenancy
from consult.inbox import models, rules
from consult.inbox.services import changes, words


class EmptyNote(Exception):
    """A note without text."""


def add_note(*, agency_id: int, number: int, body: str, by: UUID | None) -> UUID:
    """Add an internal note; return its id. Whoever is named in it (`@name`) is told. Raise NoSuchEnquiry, EmptyNote."""
    if not body.strip():
        raise EmptyNote
    with tenancy.agency(agency_id):
        enquiry = changes.locked(agency_id, number)
        names = {person.id: person.name for person in accounts_queries.members(agency_id)}
        # By id, so that it is their name whatever they are called later.
        text, mentioned = accounts_queries.mention(body.strip(), names)
        note = models.Note.objects.create(agency_id=agency_id, enquiry=enquiry, author_id=by, body=text)
        words.add(enquiry, rules.words(accounts_queries.unmention(text)))
        accounts.record(
            "inbox.add_note", agency_id=agency_id, by=by, subject_id=enquiry.id, data={"note": str(note.id)}
        )
        accounts.notify(
            agency_id=agency_id,
            kind="mentioned",
            feature="inbox",
            subject_ids=[enquiry.id],
            by=by,
            now=dt.datetime.now(dt.UTC),
            members=mentioned,
        )
        live.nudge(kind="enquiry", id=enquiry.id)
    return note.id
