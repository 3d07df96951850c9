"""Erasures, as the audit tells of them: ids, counts and who, never whom."""

import dataclasses
import datetime as dt
from typing import Any
from uuid import UUID

from consult.accounts import queries as accounts
from consult.core import queue

ASKED, DONE = "thread.ask_erasure", "thread.erase_person"


@dataclasses.dataclass(frozen=True)
class Erasure:
    """One erasure: asked for, and perhaps done; `state` is waiting, done, or nothing where there was nothing to do."""

    id: UUID
    state: str
    contact_id: UUID | None
    by: str
    asked_at: dt.datetime
    done_at: dt.datetime | None
    reason: str
    counts: dict[str, int]


def is_done(agency_id: int, id: UUID) -> bool:
    """Whether this erasure has been done."""
    return any(line.action == DONE for line in accounts.audit_of(agency_id, id))


def erasure(agency_id: int, id: UUID) -> Erasure | None:
    """Return one erasure, or None."""
    lines = accounts.audit_before(agency_id, None, 10, subject_id=id)
    asked = next((line for line in lines if line.action == ASKED), None)
    done = next((line for line in lines if line.action == DONE), None)
    return _erasure(agency_id, asked, done, accounts.member_names(agency_id)) if asked else None


def erasures(agency_id: int, limit: int = 20) -> list[Erasure]:
    """Return the latest erasures, the last that was asked for first."""
    asked = accounts.audit_before(agency_id, None, limit, action=ASKED)
    done = {line.subject_id: line for line in accounts.audit_before(agency_id, None, limit * 2, action=DONE)}
    names = accounts.member_names(agency_id) if asked else {}
    return [_erasure(agency_id, line, done.get(line.subject_id), names) for line in asked]


def _erasure(agency_id: int, asked: Any, done: Any, names: dict[UUID, str]) -> Erasure:
    told: dict[str, Any] = dict(done.data) if done else {}
    contact = asked.data.get("contact")
    waits = not done and queue.waiting_with("thread.erase_person", "erasure_id", str(asked.subject_id))
    return Erasure(
        id=asked.subject_id,
        state="done" if done else "waiting" if waits else "nothing",
        contact_id=UUID(contact) if contact else None,
        by=names.get(asked.by_id, "") if asked.by_id else "",
        asked_at=asked.created_at,
        done_at=done.created_at if done else None,
        reason=told.get("reason", ""),
        counts={name: count for name, count in told.items() if isinstance(count, int)},
    )
