"""Tasks as pages list them: by group of state, on a board, one person's own, the trash."""

import base64
import binascii
import dataclasses
import datetime as dt
import json
from collections.abc import Mapping
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Coalesce

from consult.tasks import models, rules
from consult.tasks.queries.projects import Project, State, states
from consult.tasks.queries.tasks import TaskRow, assigned, matching, shown

PAGE = 50
# What a group shows before one asks for all of it, and a column of the board.
SECTION, BOARD_COLUMN = 30, 50
NOBODY = "nobody"


@dataclasses.dataclass(frozen=True)
class Filters:
    """What the query string asks for; empty values ask for nothing."""

    q: str = ""
    group: str = ""
    state: UUID | None = None
    # A member's id, or NOBODY.
    assignee: str = ""
    priority: str = ""

    def query(self) -> dict[str, str]:
        """Return it as a query string has it."""
        return {name: str(value) for name, value in dataclasses.asdict(self).items() if value}

    def __bool__(self) -> bool:
        return bool(self.query())


def filters(asked: Mapping[str, str], *, me: UUID | None = None) -> Filters:
    """Return what a query string asks for; what it does not understand it leaves out. `assignee=me` is `me`."""

    def id_of(text: str) -> UUID | None:
        try:
            return UUID(text)
        except ValueError:
            return None

    who = asked.get("assignee", "")
    member = me if who == "me" else id_of(who)
    group, priority = asked.get("group", ""), asked.get("priority", "")
    return Filters(
        q=" ".join(asked.get("q", "").replace("\0", "").split())[:200],
        group=group if group in rules.GROUPS else "",
        state=id_of(asked.get("state", "")),
        assignee=NOBODY if who == NOBODY else str(member or ""),
        priority=priority if priority in rules.PRIORITIES else "",
    )


@dataclasses.dataclass(frozen=True)
class Section:
    """A group of states: how many tasks it has, and the first of them."""

    group: str
    count: int
    tasks: list[TaskRow]
    next_cursor: str


@dataclasses.dataclass(frozen=True)
class Column:
    """A state on the board: how many tasks it has, and the first of them in their order."""

    state: State
    count: int
    tasks: list[TaskRow]
    # Of the last one that is shown, where there are more.
    next_rank: int | None


@dataclasses.dataclass(frozen=True)
class TaskPage:
    """One page of tasks; `next_cursor` is empty on the last."""

    tasks: list[TaskRow]
    next_cursor: str


def sections(agency_id: int, project: Project, wanted: Filters, *, after: str = "") -> list[Section]:
    """Return a project's tasks by group of state, the most urgent first; groups without any are left out.

    With `wanted.group` it is that group alone, a page of it from the cursor on.
    """
    found = _narrowed(_there(agency_id).filter(project_id=project.id), agency_id, wanted)
    by_group: dict[str, list[UUID]] = {group: [] for group in rules.GROUPS}
    for state in states(agency_id, project.id):
        by_group[state.group].append(state.id)
    counts = dict(found.values_list("state_id").annotate(n=Count("id")).order_by())
    length = PAGE if wanted.group else SECTION
    place = _place(after) if wanted.group else None
    pages: list[tuple[str, int, list[models.Task]]] = []
    for group, ids in by_group.items():
        count = sum(counts.get(id, 0) for id in ids)
        if not count or (wanted.group and group != wanted.group):
            continue
        group_rows = found.filter(state_id__in=ids)
        if place and place[1] < 2**31:
            group_rows = group_rows.filter(Q(priority__gt=place[0]) | Q(priority=place[0], number__lt=place[1]))
        pages.append((group, count, list(group_rows.order_by("priority", "-number")[: length + 1])))
    every = iter(shown(agency_id, [row for _group, _count, rows in pages for row in rows]))
    made = []
    for group, count, rows in pages:
        tasks = [next(every) for _row in rows]
        more = len(rows) > length
        ends = _cursor(rows[length - 1].priority, rows[length - 1].number) if more else ""
        made.append(Section(group, count, tasks[:length], ends))
    return made


def board(agency_id: int, project: Project, wanted: Filters) -> list[Column]:
    """Return a project's states as columns with their first tasks: two statements for all of them, and the names."""
    found = _narrowed(_there(agency_id).filter(project_id=project.id), agency_id, wanted)
    counts = dict(found.values_list("state_id").annotate(n=Count("id")).order_by())
    every = states(agency_id, project.id)
    rows: list[models.Task] = []
    for state in every:
        if counts.get(state.id):
            rows += found.filter(state_id=state.id).order_by("rank")[:BOARD_COLUMN]
    by_state: dict[UUID, list[TaskRow]] = {}
    for row in shown(agency_id, rows):
        by_state.setdefault(row.state.id, []).append(row)
    last = {row.state_id: row.rank for row in rows}
    return [
        Column(
            state,
            counts.get(state.id, 0),
            by_state.get(state.id, []),
            last[state.id] if counts.get(state.id, 0) > BOARD_COLUMN else None,
        )
        for state in every
    ]


def board_column(agency_id: int, project: Project, wanted: Filters, state: State, after: int) -> Column:
    """Return the next tasks of a column, those after the rank."""
    found = _narrowed(_there(agency_id).filter(project_id=project.id, state_id=state.id), agency_id, wanted)
    rows = list(found.filter(rank__gt=after).order_by("rank")[: BOARD_COLUMN + 1])
    more, rows = len(rows) > BOARD_COLUMN, rows[:BOARD_COLUMN]
    return Column(state, len(rows), shown(agency_id, rows), rows[-1].rank if more else None)


def my_work(agency_id: int, member_id: UUID, *, after: str = "") -> TaskPage:
    """Return a member's open tasks of projects that are not archived, what is due first before what is not due."""
    archived = models.Project.objects.filter(agency_id=agency_id, archived_at__isnull=False).values("id")
    found = (
        _there(agency_id)
        .filter(id__in=assigned(agency_id, member_id), ended_at=None)
        .exclude(project_id__in=archived)
        .annotate(due=Coalesce("due_on", rules.LATEST_DAY))
    )
    place = _place(after)
    if place and 0 < place[0] <= rules.LATEST_DAY.toordinal():
        day = dt.date.fromordinal(place[0])
        found = found.filter(Q(due__gt=day) | Q(due=day, id__gt=UUID(int=place[1])))
    rows = list(found.order_by("due", "id")[: PAGE + 1])
    more, rows = len(rows) > PAGE, rows[:PAGE]
    ends = ""
    if more:
        due = rows[-1].due_on or rules.LATEST_DAY
        ends = _cursor(due.toordinal(), rows[-1].id.int)
    return TaskPage(shown(agency_id, rows), ends)


def trash(agency_id: int) -> list[TaskRow]:
    """Return what was put away last, two hundred at most."""
    found = models.Task.objects.filter(agency_id=agency_id, trashed_at__isnull=False)
    return shown(agency_id, found.order_by("-trashed_at", "-id")[:200])


def _there(agency_id: int) -> QuerySet[models.Task]:
    return models.Task.objects.filter(agency_id=agency_id, trashed_at=None).defer("description")


def _narrowed(found: QuerySet[models.Task], agency_id: int, wanted: Filters) -> QuerySet[models.Task]:
    if wanted.q:
        found = found.filter(matching(wanted.q))
    if wanted.state:
        found = found.filter(state_id=wanted.state)
    if wanted.priority:
        found = found.filter(priority=rules.PRIORITIES.index(wanted.priority) + 1)
    if wanted.assignee == NOBODY:
        anybody = models.Assignee.objects.filter(agency_id=agency_id).values("task_id")
        found = found.exclude(id__in=anybody)
    elif wanted.assignee:
        found = found.filter(id__in=assigned(agency_id, UUID(wanted.assignee)))
    return found


def _cursor(first: int, second: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([first, second]).encode()).decode().rstrip("=")


def _place(text: str) -> tuple[int, int] | None:
    """Return what a cursor names, or None for an unreadable one."""
    try:
        first, second = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, TypeError, RecursionError, binascii.Error):
        return None
    known = type(first) is int and type(second) is int and 0 <= first < 2**31 and 0 <= second < 2**128
    return (first, second) if known else None
