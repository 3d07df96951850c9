"""Writes of tasks."""

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from consult.core import tenancy
from consult.crm import queries as crm_queries
from consult.crm import services as crm
from consult.tasks import models, queries, rules
from consult.tasks.services import changes, moves, projects


class CannotUndo(Exception):
    """The task was changed again since, or there is nothing to take back."""


def create_task(
    *,
    agency_id: int,
    project_id: UUID,
    title: str,
    by: UUID | None,
    now: dt.datetime,
    description: str = "",
    state_id: UUID | None = None,
    priority: str = "none",
    assignee_ids: Sequence[UUID] = (),
    start_on: dt.date | None = None,
    due_on: dt.date | None = None,
    estimate_minutes: int | None = None,
    origin_submission_id: UUID | None = None,
    enquiry_id: UUID | None = None,
    enquiry_number: int | None = None,
    deal_id: UUID | None = None,
    contact_id: UUID | None = None,
    company_id: UUID | None = None,
    why: str = "",
) -> str:
    """Make a task at the end of a state (the first that is neither backlog nor ended, unless named); return its key.

    The timelines of the deal, the contact and the company get a line each. Raise NoSuchProject, ProjectArchived,
    NoSuchState, NoSuchMember, NoSuchDeal of the CRM, BadTask.
    """
    values = _values(title, description, priority, start_on, due_on, estimate_minutes)
    with tenancy.agency(agency_id):
        project = projects.locked(agency_id, project_id)
        if project.archived_at:
            raise projects.ProjectArchived(project.key)
        states = queries.states(agency_id, project_id)
        state = next((each for each in states if each.id == state_id), None) if state_id else _first(states)
        if state is None:
            raise moves.NoSuchState(state_id)
        if deal_id:
            crm_queries.deal(agency_id, deal_id)
        project.last_number += 1
        project.save(update_fields=["last_number"])
        task = models.Task.objects.create(
            agency_id=agency_id,
            project_id=project_id,
            number=project.last_number,
            state_id=state.id,
            rank=moves.last(agency_id, project_id, state.id),
            ended_at=now if state.is_ended else None,
            origin_submission_id=origin_submission_id,
            enquiry_id=enquiry_id,
            enquiry_number=enquiry_number,
            deal_id=deal_id,
            created_by_id=by,
            changed_at=now,
            **values,
        )
        changes.assign(task, [], list(dict.fromkeys(assignee_ids)))
        changes.write(task, [("created", None, None)], by=by, now=now, why=why)
        changes.tell("tasks.create_task", task, by)
        key = f"{project.key}-{task.number}"
        if deal_id or contact_id or company_id:
            crm.record_event(
                agency_id=agency_id,
                kind="tasks.create_task",
                at=now,
                by=by,
                contact_id=contact_id,
                company_id=company_id,
                deal_id=deal_id,
                subject_id=task.id,
                data={"text": _("made task %(key)s") % {"key": key}, "path": f"tasks/{key}/"},
            )
    return key


def update_task(
    *,
    agency_id: int,
    key: str,
    by: UUID | None,
    now: dt.datetime,
    title: str,
    description: str,
    priority: str,
    state_id: UUID,
    assignee_ids: Sequence[UUID],
    start_on: dt.date | None,
    due_on: dt.date | None,
    estimate_minutes: int | None,
    seen: int | None = None,
) -> changes.Done:
    """Change a task; in another state it stands at the top. `seen` is the version that the person looked at.

    Raise NoSuchTask, Conflict, InTrash, ProjectArchived, NoSuchState, NoSuchMember, BadTask.
    """
    values = _values(title, description, priority, start_on, due_on, estimate_minutes)
    with tenancy.agency(agency_id):
        project, task = changes.locked(agency_id, key)
        changes.expect(task, key, seen)
        if state_id != task.state_id:
            moves.expect_state(agency_id, project.id, state_id)
            task.rank = moves.place(task, state_id, None)
        return changes.change(
            task,
            project,
            action="tasks.update_task",
            by=by,
            now=now,
            values={**values, "state": state_id},
            assignee_ids=assignee_ids,
        )


def undo_task(*, agency_id: int, key: str, version: int, by: UUID | None, now: dt.datetime) -> changes.Done:
    """Take back the change that led to this version, as long as nothing was changed since.

    Raise NoSuchTask, CannotUndo, InTrash, ProjectArchived.
    """
    with tenancy.agency(agency_id):
        project, task = changes.locked(agency_id, key)
        found = models.Activity.objects.filter(agency_id=agency_id, task_id=task.id, version=version)
        lines = {line.field: line.before for line in found if line.field in {*changes.FIELDS, "assignees"}}
        if task.version != version or not lines:
            raise CannotUndo(key)
        members = [UUID(id) for id in lines.pop("assignees") or ()] if "assignees" in lines else None
        values = {field: _value(field, before) for field, before in lines.items()}
        if "state" in values:
            try:
                moves.expect_state(agency_id, project.id, values["state"])
            except moves.NoSuchState as error:
                raise CannotUndo(key) from error
            task.rank = moves.place(task, values["state"], None)
        try:
            return changes.change(
                task,
                project,
                action="tasks.undo_task",
                by=by,
                now=now,
                values=values,
                assignee_ids=members,
                why="undo",
            )
        except changes.NoSuchMember as error:
            # Somebody who has left meanwhile does not come back by this.
            raise CannotUndo(key) from error


def trash_task(*, agency_id: int, key: str, by: UUID | None, now: dt.datetime) -> None:
    """Put a task into the trash, where it stays for 30 days; one that is there stays as it is. Raise NoSuchTask."""
    _put(agency_id, key, by, now, "tasks.trash_task", trashed_at=now)


def restore_task(*, agency_id: int, key: str, by: UUID | None, now: dt.datetime) -> None:
    """Take a task out of the trash, to the place that it had; one that is not there stays. Raise NoSuchTask."""
    _put(agency_id, key, by, now, "tasks.restore_task", trashed_at=None)


def _put(
    agency_id: int, key: str, by: UUID | None, now: dt.datetime, action: str, *, trashed_at: dt.datetime | None
) -> None:
    with tenancy.agency(agency_id):
        _project, task = changes.locked(agency_id, key, trashed=True)
        if bool(task.trashed_at) == bool(trashed_at):
            return
        was, task.trashed_at = task.trashed_at, trashed_at
        task.version += 1
        task.changed_at = now
        task.save(update_fields=["trashed_at", "version", "changed_at"])
        changes.write(task, [("trashed", was, trashed_at)], by=by, now=now)
        changes.tell(action, task, by)


def _first(states: list[queries.State]) -> queries.State | None:
    """Return the state that a new task has: what is to be done, rather than what may be done one day."""
    order = ("unstarted", "backlog", "started")
    return min(
        (state for state in states if state.group in order), key=lambda each: order.index(each.group), default=None
    )


def _value(field: str, before: Any) -> Any:
    """Return a value of the activity as the row holds it."""
    if before is None:
        return None
    match field:
        case "state":
            return UUID(before["id"])
        case "priority":
            return rules.PRIORITIES.index(before) + 1
        case "start_on" | "due_on":
            return dt.date.fromisoformat(before)
        case _:
            return before


def _values(
    title: str,
    description: str,
    priority: str,
    start_on: dt.date | None,
    due_on: dt.date | None,
    estimate_minutes: int | None,
) -> dict[str, Any]:
    title = " ".join(title.split())
    if not title or len(title) > 200:
        raise rules.BadTask(_("A task needs a title of at most 200 characters."))
    if len(description) > rules.LONGEST_TEXT:
        raise rules.BadTask(_("A description has at most 100,000 characters."))
    if priority not in rules.PRIORITIES:
        raise rules.BadTask(_("There is no such priority."))
    if estimate_minutes is not None and not 1 <= estimate_minutes <= rules.MOST_MINUTES:
        raise rules.BadTask(_("An estimate is between a minute and 250 days."))
    rules.check_days(start_on, due_on)
    return {
        "title": title,
        "description": description.replace("\r\n", "\n"),
        "priority": rules.PRIORITIES.index(priority) + 1,
        "start_on": start_on,
        "due_on": due_on,
        "estimate_minutes": estimate_minutes,
    }


def assign_task(
    *, agency_id: int, key: str, member_id: UUID, on: bool, by: UUID | None, now: dt.datetime
) -> changes.Done:
    """Let a member do a task, or not any more. Raise NoSuchTask, NoSuchMember, InTrash, ProjectArchived, BadTask."""
    with tenancy.agency(agency_id):
        project, task = changes.locked(agency_id, key)
        present = changes.assignees_of(task)
        wanted = [*present, member_id] if on else [id for id in present if id != member_id]
        return changes.change(task, project, action="tasks.update_task", by=by, now=now, values={}, assignee_ids=wanted)
