"""The mailbox from which an agency's mail is fetched, without its password."""

import dataclasses
import datetime as dt
from uuid import UUID

from django.db import connection

from consult.inbox import models

FETCH_EVERY = dt.timedelta(minutes=1)
# A server that restarts, a line that is away for a moment: nobody has to hear of that.
TROUBLE_AFTER = dt.timedelta(minutes=15)


@dataclasses.dataclass(frozen=True)
class Mailbox:
    """Where mail is fetched from. `opened`: it was read at least once. `error`: of services.MAILBOX_ERRORS."""

    id: UUID
    address: str
    plus: bool
    host: str
    port: int
    security: str
    user: str
    folder: str
    connected_at: dt.datetime
    checked_at: dt.datetime | None
    failed_at: dt.datetime | None
    error: str
    next_at: dt.datetime
    fetched: int
    opened: bool
    left: int


def mailbox(agency_id: int) -> Mailbox | None:
    """Return the agency's mailbox, or None."""
    row = models.Mailbox.objects.filter(agency_id=agency_id).defer("password_sealed").first()
    if row is None:
        return None
    names = {field.name for field in dataclasses.fields(Mailbox)} - {"opened", "left"}
    values = {name: getattr(row, name) for name in names}
    return Mailbox(**values, opened=row.uid_validity is not None, left=len(row.left_uids))


def mailbox_in_trouble(agency_id: int, now: dt.datetime) -> Mailbox | None:
    """Return the agency's mailbox when it could not be read for a while, or never."""
    found = mailbox(agency_id)
    return found if found and found.failed_at and found.failed_at <= now - TROUBLE_AFTER else None


def mailboxes_due(now: dt.datetime) -> list[int]:
    """Return the agencies whose mailbox is due to be read, for the worker."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT inbox_mailboxes_due_v1(%s)", [now])
        return [row[0] for row in cursor.fetchall()]
