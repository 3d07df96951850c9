"""What was changed of a task, and what was said about it."""

import dataclasses
import datetime as dt
from typing import Any
from uuid import UUID

from consult.accounts import queries as accounts
from consult.tasks import models


@dataclasses.dataclass(frozen=True)
class Change:
    """A field that was changed; `why` says what did it where nobody did it by hand."""

    id: UUID
    at: dt.datetime
    by_id: UUID | None
    by_name: str
    version: int
    field: str
    before: Any
    after: Any
    why: str


@dataclasses.dataclass(frozen=True)
class Commented:
    """What somebody said."""

    id: UUID
    author_id: UUID | None
    author_name: str
    body: str
    created_at: dt.datetime
    edited_at: dt.datetime | None
    version: int


def changes(agency_id: int, task_id: UUID, *, limit: int = 200) -> list[Change]:
    """Return what was changed of a task, the latest first."""
    found = models.Activity.objects.filter(agency_id=agency_id, task_id=task_id).order_by("-at", "-id")[:limit]
    names = accounts.member_names(agency_id)
    return [
        Change(
            row.id,
            row.at,
            row.by_id,
            names.get(row.by_id, "") if row.by_id else "",
            row.version,
            row.field,
            row.before,
            row.after,
            row.why,
        )
        for row in found
    ]


def comments(agency_id: int, task_id: UUID, *, limit: int = 500) -> list[Commented]:
    """Return what was said about a task, the oldest first."""
    return comments_after(agency_id, task_id, None, limit)


def comments_after(agency_id: int, task_id: UUID, after: UUID | None, limit: int) -> list[Commented]:
    """Return what was said from `after` on, the oldest first."""
    found = models.Comment.objects.filter(agency_id=agency_id, task_id=task_id)
    found = found.filter(id__gt=after) if after else found
    return _comments(agency_id, list(found.order_by("id")[:limit]))


def comment(agency_id: int, task_id: UUID, id: UUID) -> Commented | None:
    """Return one comment of a task, or None."""
    rows = models.Comment.objects.filter(agency_id=agency_id, task_id=task_id, id=id)
    found = _comments(agency_id, list(rows))
    return found[0] if found else None


def edits(agency_id: int, comment_id: UUID) -> list[tuple[dt.datetime, str]]:
    """Return what a comment said before, each with until when, the oldest first."""
    found = models.Edit.objects.filter(agency_id=agency_id, comment_id=comment_id)
    return list(found.order_by("id").values_list("until_at", "body"))


def _comments(agency_id: int, rows: list[models.Comment]) -> list[Commented]:
    names = accounts.member_names(agency_id) if rows else {}
    return [
        Commented(
            row.id,
            row.author_id,
            names.get(row.author_id, "") if row.author_id else "",
            row.body,
            row.created_at,
            row.edited_at,
            row.version,
        )
        for row in rows
    ]
