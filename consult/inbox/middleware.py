"""What pages inside an agency show of the inbox."""

import datetime as dt
from typing import Any

from django.http import HttpRequest

from consult.accounts import queries as accounts
from consult.inbox import queries
from consult.inbox.views import mailboxes


def mailbox_trouble(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `mailbox_trouble`, why mail cannot be fetched for a while, asked for when a page shows it."""
    if getattr(request, "agency", None) is None:
        return {}
    agency_id = accounts.here(request).agency_id

    def found() -> dict[str, Any] | None:
        mailbox = queries.mailbox_in_trouble(agency_id, dt.datetime.now(dt.UTC))
        return {"mailbox": mailbox, "why": mailboxes.why(mailbox)} if mailbox else None

    return {"mailbox_trouble": found}
