"""Where a task stands: its state, and its place in the column of that state."""

import datetime as dt
from uuid import UUID

from django.db import connection
from django.db.models import Max, Min

from consult.core import tenancy
from consult.tasks import models, rules
from consult.tasks.services import changes

# Deals the ranks of one column out anew, in the order that it has.
DEAL_OUT = """
UPDATE tasks_task AS task SET rank = placed.place * %s
FROM (SELECT id, row_number() OVER (ORDER BY rank) AS place
      FROM tasks_task WHERE agency_id = %s AND project_id = %s AND state_id = %s) AS placed
WHERE task.agency_id = %s AND task.id = placed.id
"""


class NoSuchState(Exception):
    """The project has no state of this id."""


class MovedMeanwhile(Exception):
    """Somebody else has moved it, or the task next to it, since the board was looked at. Nothing was done."""


def move_task(
    *,
    agency_id: int,
    key: str,
    state_id: UUID,
    by: UUID | None,
    now: dt.datetime,
    below: str | None = None,
    from_state_id: UUID | None = None,
) -> changes.Done:
    """Put a task into a state, at its top, or below the task of the key `below`. `from_state_id`: where it was seen.

    As many statements whatever the column holds. Raise NoSuchTask, NoSuchState, MovedMeanwhile, InTrash,
    ProjectArchived.
    """
    with tenancy.agency(agency_id):
        project, task = changes.locked(agency_id, key)
        if from_state_id and task.state_id != from_state_id:
            raise MovedMeanwhile(key)
        expect_state(agency_id, project.id, state_id)
        above = _neighbour(task, state_id, below) if below else None
        rank = place(task, state_id, above)
        if state_id == task.state_id:
            if rank != task.rank:
                task.rank = rank
                task.save(update_fields=["rank"])
                changes.tell("tasks.move_task", task, by)
            return changes.Done(key, None)
        task.rank = rank
        return changes.change(task, project, action="tasks.move_task", by=by, now=now, values={"state": state_id})


def place(task: models.Task, state_id: UUID, above: int | None) -> int:
    """Return a rank in the state's column right after the rank `above`, or None: at the top. Under the lock only."""
    column = models.Task.objects.filter(agency_id=task.agency_id, project_id=task.project_id, state_id=state_id)
    others = column.exclude(id=task.id)
    if above is not None:
        others = others.filter(rank__gt=above)
    below = others.aggregate(least=Min("rank"))["least"]
    if state_id == task.state_id and (above is None or above < task.rank) and (below is None or task.rank < below):
        return task.rank
    rank = rules.between(above, below)
    if rank is not None and not (state_id == task.state_id and rank == task.rank):
        return rank
    above_id = None if above is None else column.values_list("id", flat=True).get(rank=above)
    with connection.cursor() as cursor:
        cursor.execute(DEAL_OUT, [rules.STEP, task.agency_id, task.project_id, state_id, task.agency_id])
    if state_id == task.state_id:
        task.refresh_from_db(fields=["rank"])
    anew = 0 if above_id is None else column.values_list("rank", flat=True).get(id=above_id)
    return anew + rules.STEP // 2


def last(agency_id: int, project_id: UUID, state_id: UUID) -> int:
    """Return a rank at the end of a state's column. Under the lock only."""
    column = models.Task.objects.filter(agency_id=agency_id, project_id=project_id, state_id=state_id)
    return (column.aggregate(most=Max("rank"))["most"] or 0) + rules.STEP


def expect_state(agency_id: int, project_id: UUID, state_id: UUID) -> None:
    """Raise NoSuchState unless it is one of the project's."""
    if not models.State.objects.filter(agency_id=agency_id, project_id=project_id, id=state_id).exists():
        raise NoSuchState(state_id)


def _neighbour(task: models.Task, state_id: UUID, key: str) -> int:
    named = rules.task_key(key)
    found = models.Task.objects.filter(
        agency_id=task.agency_id, project_id=task.project_id, state_id=state_id, number=named[1] if named else 0
    )
    rank = found.exclude(id=task.id).values_list("rank", flat=True).first()
    if rank is None:
        raise MovedMeanwhile(key)
    return rank
