"""Changes of a task: under its project's lock, each field with what it was before, and taken back by that."""

import dataclasses
import datetime as dt
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from consult.accounts import queries as accounts_queries
from consult.accounts import services as accounts
from consult.core import live, tenancy
from consult.tasks import models, queries, rules
from consult.tasks.services import projects

# Fields that a change may name, as the activity calls them: the row's column.
FIELDS = {
    "title": "title",
    "description": "description",
    "state": "state_id",
    "priority": "priority",
    "start_on": "start_on",
    "due_on": "due_on",
    "estimate_minutes": "estimate_minutes",
}


class Conflict(Exception):
    """Somebody has changed the task since it was looked at; `changes` says what. Nothing was done."""

    def __init__(self, key: str, changes: list[queries.Change]) -> None:
        super().__init__(key)
        self.key, self.changes = key, changes


class InTrash(Exception):
    """The task is in the trash; it is restored before it is changed."""


class NoSuchMember(Exception):
    """The agency has no such member, or not any more."""


@dataclasses.dataclass(frozen=True)
class Done:
    """What a write left behind: `version` is the task's after it, by which it is undone; None: nothing changed."""

    key: str
    version: int | None


def lock_task(*, agency_id: int, key: str) -> None:
    """Let nobody else change a task until this transaction ends. Raise NoSuchTask."""
    with tenancy.agency(agency_id):
        locked(agency_id, key, trashed=True)


def locked(agency_id: int, key: str, *, trashed: bool = False) -> tuple[models.Project, models.Task]:
    """Return a task and its project, locked in the order in which everybody locks them: no two wait for each other.

    Raise NoSuchTask, and unless it may be `trashed` InTrash, and ProjectArchived.
    """
    named = rules.task_key(key)
    project = named and (
        models.Project.objects.select_for_update(no_key=True).filter(agency_id=agency_id, key=named[0]).first()
    )
    if not named or not project:
        raise queries.NoSuchTask(key)
    task = models.Task.objects.filter(agency_id=agency_id, project_id=project.id, number=named[1]).first()
    if task is None:
        raise queries.NoSuchTask(key)
    if not trashed and task.trashed_at:
        raise InTrash(key)
    if not trashed and project.archived_at:
        raise projects.ProjectArchived(project.key)
    return project, task


def expect(task: models.Task, key: str, seen: int | None) -> None:
    """Raise Conflict when the task is not as it was seen; None means that it was not looked at before."""
    if seen is not None and seen != task.version:
        since = [change for change in queries.changes(task.agency_id, task.id) if change.version > seen]
        raise Conflict(key, since)


def assignees_of(task: models.Task) -> list[UUID]:
    """Return who does a task, in the order in which they were assigned."""
    found = models.Assignee.objects.filter(agency_id=task.agency_id, task_id=task.id).order_by("id")
    return list(found.values_list("member_id", flat=True))


def change(
    task: models.Task,
    project: models.Project,
    *,
    action: str,
    by: UUID | None,
    now: dt.datetime,
    values: dict[str, Any],
    assignee_ids: Iterable[UUID] | None = None,
    why: str = "",
) -> Done:
    """Set `values` (names of FIELDS) and who does it; write activity, audit and nudge for what really differs."""
    key = f"{project.key}-{task.number}"
    fresh = {field: value for field, value in values.items() if getattr(task, FIELDS[field]) != value}
    lines = [(field, getattr(task, FIELDS[field]), value) for field, value in fresh.items()]
    if "state" in fresh:
        _stand(task, fresh["state"], now)
    if assignee_ids is not None:
        present, wanted = assignees_of(task), list(dict.fromkeys(assignee_ids))
        if set(present) != set(wanted):
            assign(task, present, wanted)
            lines.append(("assignees", present, wanted))
    if not lines:
        return Done(key, None)
    for field, value in fresh.items():
        setattr(task, FIELDS[field], value)
    task.version += 1
    task.changed_at = now
    task.save(update_fields=[*(FIELDS[field] for field in fresh), "rank", "ended_at", "version", "changed_at"])
    write(task, lines, by=by, now=now, why=why)
    tell(action, task, by, fields=[field for field, _before, _after in lines])
    return Done(key, task.version)


def assign(task: models.Task, present: list[UUID], wanted: list[UUID]) -> None:
    """Let these members do the task. Raise NoSuchMember, BadTask for too many."""
    expect_members(task.agency_id, [id for id in wanted if id not in present])
    if len(wanted) > rules.MOST_ASSIGNEES:
        raise rules.BadTask(f"A task has {rules.MOST_ASSIGNEES} assignees at most.")
    found = models.Assignee.objects.filter(agency_id=task.agency_id, task_id=task.id)
    found.exclude(member_id__in=wanted).delete()
    models.Assignee.objects.bulk_create(
        models.Assignee(agency_id=task.agency_id, task_id=task.id, member_id=id) for id in wanted if id not in present
    )


def expect_members(agency_id: int, ids: list[UUID]) -> None:
    """Raise NoSuchMember unless all of them are members now."""
    if ids and (unknown := set(ids) - {each.id for each in accounts_queries.members(agency_id)}):
        raise NoSuchMember(next(iter(unknown)))


def write(
    task: models.Task,
    lines: list[tuple[str, Any, Any]],
    *,
    by: UUID | None,
    now: dt.datetime,
    why: str = "",
) -> None:
    """Write the activity of one change: (field, before, after) each."""
    named = states_of(task, [value for field, *both in lines for value in both if field == "state"])
    models.Activity.objects.bulk_create(
        models.Activity(
            agency_id=task.agency_id,
            task_id=task.id,
            at=now,
            by_id=by,
            version=task.version,
            field=field,
            before=_plain(field, before, named),
            after=_plain(field, after, named),
            why=why,
        )
        for field, before, after in lines
    )


def states_of(task: models.Task, ids: list[Any]) -> dict[UUID, str]:
    """Return the names of these states: a line tells them also when they are gone."""
    if not ids:
        return {}
    found = models.State.objects.filter(agency_id=task.agency_id, id__in=[id for id in ids if id])
    return dict(found.values_list("id", "name"))


def tell(action: str, task: models.Task, by: UUID | None, **data: Any) -> None:
    """Write the audit row and tell the open pages."""
    accounts.record(action, agency_id=task.agency_id, by=by, subject_id=task.id, data=data)
    live.nudge(kind="task", id=task.id)


def _plain(field: str, value: Any, states: dict[UUID, str]) -> Any:
    """Return a value as JSON holds it."""
    if value is None:
        return None
    if field == "state":
        return {"id": str(value), "name": states.get(value, "")}
    if field == "priority":
        return rules.PRIORITIES[value - 1]
    if isinstance(value, list):
        return [str(id) for id in value]
    return value.isoformat() if isinstance(value, dt.date | dt.datetime) else value


def _stand(task: models.Task, state_id: UUID, now: dt.datetime) -> None:
    """Note whether the task has ended by coming into this state."""
    group = models.State.objects.values_list("group", flat=True).get(agency_id=task.agency_id, id=state_id)
    if group in rules.ENDED:
        task.ended_at = task.ended_at or now
    else:
        task.ended_at = None
