"""What people say about a task."""

import datetime as dt
from uuid import UUID

from consult.core import tenancy
from consult.tasks import models, queries, rules
from consult.tasks.services import changes, projects


class EmptyComment(ValueError):
    """A comment with nothing in it, or with more than 100,000 characters."""


class NoSuchComment(Exception):
    """The task has no comment of this id."""


class NotYours(Exception):
    """Only who wrote a comment changes it."""


def add_comment(*, agency_id: int, key: str, body: str, by: UUID | None, now: dt.datetime) -> UUID:
    """Say something about a task; return the comment's id. Raise NoSuchTask, InTrash, ProjectArchived, EmptyComment."""
    text = _text(body)
    with tenancy.agency(agency_id):
        _project, task = changes.locked(agency_id, key)
        made = models.Comment.objects.create(agency_id=agency_id, task_id=task.id, author_id=by, body=text)
        changes.tell("tasks.add_comment", task, by, comment=str(made.id))
    return made.id


def edit_comment(
    *,
    agency_id: int,
    key: str,
    comment_id: UUID,
    body: str,
    by: UUID | None,
    now: dt.datetime,
    version: int | None = None,
) -> None:
    """Change what a comment says; what it said before is kept.

    Raise NoSuchTask, NoSuchComment, NotYours, ChangedMeanwhile, InTrash, ProjectArchived, EmptyComment.
    """
    text = _text(body)
    with tenancy.agency(agency_id):
        _project, task = changes.locked(agency_id, key)
        found = models.Comment.objects.filter(agency_id=agency_id, task_id=task.id, id=comment_id)
        comment = found.select_for_update().first()
        if comment is None:
            raise NoSuchComment(comment_id)
        if by is None or comment.author_id != by:
            raise NotYours(comment_id)
        if version is not None and version != comment.version:
            raise projects.ChangedMeanwhile(comment_id)
        if text == comment.body:
            return
        models.Edit.objects.create(agency_id=agency_id, comment_id=comment.id, body=comment.body, until_at=now)
        comment.body, comment.edited_at = text, now
        comment.version += 1
        comment.save(update_fields=["body", "edited_at", "version"])
        changes.tell("tasks.edit_comment", task, by, comment=str(comment.id))


def _text(body: str) -> str:
    text = body.replace("\r\n", "\n").strip()
    if not text or len(text) > queries.LONGEST_TEXT:
        raise EmptyComment(f"A comment has between 1 and {rules.LONGEST_TEXT:,} characters.")
    return text
