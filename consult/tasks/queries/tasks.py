"""Reads of tasks."""

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db.models import Q

from consult.accounts import queries as accounts
from consult.crm import queries as crm
from consult.intake import queries as intake
from consult.tasks import models, rules
from consult.tasks.queries.projects import State


class NoSuchTask(Exception):
    """The agency has no task of this key or id."""


@dataclasses.dataclass(frozen=True)
class TaskRow:
    """A task as lists and boards show it. `priority` is one of rules.PRIORITIES, the estimate in minutes."""

    id: UUID
    key: str
    number: int
    project_id: UUID
    project_key: str
    project_name: str
    title: str
    state: State
    priority: str
    assignees: list[tuple[UUID, str]]
    start_on: dt.date | None
    due_on: dt.date | None
    estimate_minutes: int | None
    ended_at: dt.datetime | None
    trashed_at: dt.datetime | None
    created_at: dt.datetime
    changed_at: dt.datetime
    version: int

    @property
    def estimate(self) -> str:
        return rules.duration(self.estimate_minutes) if self.estimate_minutes else ""

    @property
    def assignee_ids(self) -> list[UUID]:
        return [id for id, _name in self.assignees]


@dataclasses.dataclass(frozen=True)
class Task(TaskRow):
    """A task as its page shows it; where it came from stands in plain values."""

    description: str
    origin_submission_id: UUID | None
    enquiry_id: UUID | None
    enquiry_number: int | None
    deal_id: UUID | None
    created_by_id: UUID | None


@dataclasses.dataclass(frozen=True)
class Origin:
    """Where a task came from: the deal's title, the receipt of the submission; empty where there is none."""

    deal_title: str
    receipt: str


def task(agency_id: int, key: str) -> Task:
    """Return the task of this key (SITE-142), also one in the trash. Raise NoSuchTask."""
    return _one(agency_id, row_of(agency_id, key))


def task_by_id(agency_id: int, id: UUID) -> Task:
    """Return the task of this id. Raise NoSuchTask."""
    return _one(agency_id, models.Task.objects.filter(agency_id=agency_id, id=id).first())


def row_of(agency_id: int, key: str) -> models.Task | None:
    """Return the row of this key, or None."""
    named = rules.task_key(key)
    if named is None:
        return None
    of = models.Project.objects.filter(agency_id=agency_id, key=named[0]).values("id")
    return models.Task.objects.filter(agency_id=agency_id, project_id__in=of, number=named[1]).first()


def tasks_after(
    agency_id: int,
    after: UUID | None,
    limit: int,
    *,
    project_id: UUID | None = None,
    state_id: UUID | None = None,
    assignee_id: UUID | None = None,
    deal_id: UUID | None = None,
    is_open: bool | None = None,
    trashed: bool = False,
) -> list[Task]:
    """Return the tasks from `after` on in the order in which they were made."""
    wanted = {"project_id": project_id, "state_id": state_id, "deal_id": deal_id}
    found = models.Task.objects.filter(
        agency_id=agency_id,
        trashed_at__isnull=not trashed,
        **{name: value for name, value in wanted.items() if value},
    )
    if is_open is not None:
        found = found.filter(ended_at__isnull=is_open)
    if assignee_id:
        found = found.filter(id__in=assigned(agency_id, assignee_id))
    found = found.filter(id__gt=after) if after else found
    return whole(agency_id, list(found.order_by("id")[:limit]))


def tasks_of_enquiry(agency_id: int, enquiry_id: UUID) -> list[TaskRow]:
    """Return the tasks that an enquiry led to, the oldest first; not those in the trash."""
    found = models.Task.objects.filter(agency_id=agency_id, enquiry_id=enquiry_id, trashed_at=None)
    return shown(agency_id, found.order_by("id")[:50])


def tasks_of_deal(agency_id: int, deal_id: UUID) -> list[TaskRow]:
    """Return the tasks of a deal, the oldest first; not those in the trash."""
    found = models.Task.objects.filter(agency_id=agency_id, deal_id=deal_id, trashed_at=None)
    return shown(agency_id, found.order_by("id")[:50])


def origin(agency_id: int, found: Task) -> Origin:
    """Return what the places are called that the task came from."""
    titles = crm.deal_titles(agency_id, [found.deal_id]) if found.deal_id else {}
    submitted = intake.submissions(agency_id, [found.origin_submission_id]) if found.origin_submission_id else []
    receipt = next((each.receipt for each in submitted), "")
    return Origin(titles.get(found.deal_id, "") if found.deal_id else "", receipt)


def assigned(agency_id: int, member_id: UUID) -> Iterable[UUID]:
    """Return the ids of a member's tasks, as a subquery."""
    return models.Assignee.objects.filter(agency_id=agency_id, member_id=member_id).values("task_id")  # type: ignore[return-value]


def whole(agency_id: int, rows: Sequence[models.Task]) -> list[Task]:
    """Return tasks as their pages show them, in the same order."""
    return [
        Task(
            **{field.name: getattr(each, field.name) for field in dataclasses.fields(each)},
            description=row.description,
            origin_submission_id=row.origin_submission_id,
            enquiry_id=row.enquiry_id,
            enquiry_number=row.enquiry_number,
            deal_id=row.deal_id,
            created_by_id=row.created_by_id,
        )
        for row, each in zip(rows, shown(agency_id, rows), strict=True)
    ]


def shown(agency_id: int, rows: Iterable[models.Task]) -> list[TaskRow]:
    """Return tasks as lists show them, in the same order: four statements, however many they are."""
    rows = list(rows)
    if not rows:
        return []
    projects = {row.project_id for row in rows}
    named = {
        id: (key, name)
        for id, key, name in models.Project.objects.filter(agency_id=agency_id, id__in=projects).values_list(
            "id", "key", "name"
        )
    }
    stands = models.State.objects.filter(agency_id=agency_id, id__in={row.state_id for row in rows})
    states = {row.id: State(row.id, row.name, row.group, row.colour) for row in stands}
    who: dict[UUID, list[UUID]] = defaultdict(list)
    ids = [row.id for row in rows]
    for task_id, member_id in (
        models.Assignee.objects.filter(agency_id=agency_id, task_id__in=ids)
        .order_by("id")
        .values_list("task_id", "member_id")
    ):
        who[task_id].append(member_id)
    names = accounts.member_names(agency_id)
    return [
        TaskRow(
            id=row.id,
            key=f"{named[row.project_id][0]}-{row.number}",
            number=row.number,
            project_id=row.project_id,
            project_key=named[row.project_id][0],
            project_name=named[row.project_id][1],
            title=row.title,
            state=states[row.state_id],
            priority=rules.PRIORITIES[row.priority - 1],
            assignees=[(id, names.get(id, "")) for id in who[row.id]],
            start_on=row.start_on,
            due_on=row.due_on,
            estimate_minutes=row.estimate_minutes,
            ended_at=row.ended_at,
            trashed_at=row.trashed_at,
            created_at=row.created_at,
            changed_at=row.changed_at,
            version=row.version,
        )
        for row in rows
    ]


def matching(text: str) -> Q:
    """Return the condition of a search: every word is in the title, or the text is the number."""
    said = Q()
    for word in text.split()[:8]:
        said &= Q(title__icontains=word)
    number = text.rpartition("-")[2].removeprefix("#")
    return said | Q(number=int(number)) if number.isascii() and number.isdigit() and len(number) < 10 else said


def _one(agency_id: int, row: models.Task | None) -> Task:
    if row is None:
        raise NoSuchTask
    [found] = whole(agency_id, [row])
    return found
