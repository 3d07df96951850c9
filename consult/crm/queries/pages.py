"""Pages of lists: where one ends and the next begins."""

import base64
import binascii
import datetime as dt
import json
from typing import Any
from uuid import UUID

PAGE = 50


def cursor(key: Any, id: UUID) -> str:
    """Return where a page ends, for an address; `key` is what the list is sorted by."""
    return base64.urlsafe_b64encode(json.dumps([key, str(id)]).encode()).decode().rstrip("=")


def place(text: str) -> tuple[Any, UUID] | None:
    """Return the key and the id that a cursor names, or None for an unreadable one."""
    try:
        key, id = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        # No text of PostgreSQL holds a NUL or half a surrogate pair.
        return (key.encode().decode(), UUID(id)) if isinstance(key, str) and "\0" not in key else None
    except (ValueError, TypeError, AttributeError, RecursionError, binascii.Error):
        return None


def moment(text: str) -> dt.datetime | None:
    """Return the time that a cursor's key names, or None."""
    try:
        found = dt.datetime.fromisoformat(text)
        # In UTC, since Postgres knows fewer offsets than Python.
        return found.astimezone(dt.UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None
