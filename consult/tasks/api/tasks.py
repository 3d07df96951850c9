"""Tasks: pieces of a person's work."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from ninja import Query
from pydantic import BeforeValidator, Field, StrictInt

from consult.accounts import queries as accounts
from consult.core import api
from consult.core.errors import Refused
from consult.crm import queries as crm
from consult.tasks import queries, services

router = api.Router(tags=["Tasks"])

REFUSALS = {
    services.NoSuchTask: ("not_found", ""),
    services.NoSuchProject: ("invalid", "/project_key"),
    services.NoSuchState: ("invalid", "/state_id"),
    services.NoSuchMember: ("invalid", "/assignee_ids"),
    crm.NoSuchDeal: ("invalid", "/deal_id"),
    services.BadTask: ("invalid", ""),
}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
Priority = Literal["urgent", "high", "medium", "low", "none"]


def _day(value: object) -> object:
    # pydantic would take a number, or a time.
    if value is not None and not (isinstance(value, str) and _DAY.fullmatch(value)):
        raise ValueError("This is a day, such as 2027-01-31.")
    return value


Day = Annotated[dt.date, BeforeValidator(_day)]
Title = Annotated[api.Line, Field(max_length=200, examples=["Fix the menu"])]
Text = Annotated[str, Field(max_length=queries.LONGEST_TEXT, description="Markdown.", examples=["- [ ] on phones"])]
Minutes = Annotated[StrictInt, Field(ge=1, le=queries.MOST_MINUTES, description="In minutes.", examples=[90])]
Assignees = Annotated[list[UUID], Field(max_length=queries.MOST_ASSIGNEES, description="Members; all of them.")]


class Task(api.Shape):
    """A piece of a person's work. `key` is what people call it, and is never another's."""

    key: str
    id: UUID
    project_key: str
    title: str
    description: Annotated[str, Field(description="Markdown, as typed.")]
    state_id: UUID
    state_group: Literal["backlog", "unstarted", "started", "completed", "cancelled"]
    priority: Priority
    assignee_ids: list[UUID]
    start_on: dt.date | None
    due_on: dt.date | None
    estimate_minutes: int | None
    ended_at: Annotated[dt.datetime | None, Field(description="When it was completed or cancelled.")]
    trashed_at: dt.datetime | None
    origin_submission_id: UUID | None
    enquiry_number: int | None
    deal_id: UUID | None
    created_by_id: UUID | None
    created_at: dt.datetime
    changed_at: dt.datetime
    version: int


class TaskInput(api.Input):
    project_key: Annotated[str, Field(max_length=10, examples=["SITE"])]
    title: Title
    description: Text = ""
    state_id: Annotated[UUID | None, Field(description="Null: the first that is not started.")] = None
    priority: Priority = "none"
    assignee_ids: Assignees = []
    start_on: Day | None = None
    due_on: Day | None = None
    estimate_minutes: Minutes | None = None
    deal_id: UUID | None = None


class TaskChange(api.Input):
    title: Annotated[Title, Field(default_factory=api.kept)]
    description: Annotated[Text, Field(default_factory=api.kept)]
    state_id: Annotated[UUID, Field(default_factory=api.kept)]
    priority: Annotated[Priority, Field(default_factory=api.kept)]
    assignee_ids: Annotated[Assignees, Field(default_factory=api.kept)]
    start_on: Annotated[Day | None, Field(default_factory=api.kept)]
    due_on: Annotated[Day | None, Field(default_factory=api.kept)]
    estimate_minutes: Annotated[Minutes | None, Field(default_factory=api.kept)]


class TaskMove(api.Input):
    state_id: UUID
    below: Annotated[
        str | None, Field(max_length=20, description="The key of the task above its place; null: the top.")
    ] = None


class Activity(api.Shape):
    """A field that was changed. What an unnamed one did is the program's, or an agency's token's."""

    id: UUID
    at: dt.datetime
    by_id: UUID | None
    version: int
    field: str
    before: Any
    after: Any
    why: str


class History(api.Shape):
    """What was changed of a task, the latest first, 200 at most."""

    changes: list[Activity]


class Wanted(api.Paging):
    project_key: Annotated[str, Field(max_length=10)] = ""
    state_id: UUID | None = None
    assignee_id: UUID | None = None
    deal_id: UUID | None = None
    is_open: Annotated[bool | None, Field(description="Neither completed nor cancelled.")] = None
    trashed: Annotated[bool, Field(description="Those in the trash instead.")] = False


def _task(row: queries.Task) -> Task:
    own = {name: getattr(row, name) for name in Task.model_fields if name not in ("state_id", "state_group")}
    return Task(**own, state_id=row.state.id, state_group=row.state.group)  # type: ignore[arg-type]


def _row(agency_id: int, key: str) -> queries.Task:
    try:
        return queries.task(agency_id, key)
    except queries.NoSuchTask:
        raise Http404 from None


def _locked(request: HttpRequest, key: str) -> tuple[accounts.Membership, queries.Task]:
    """Return a task that nobody else changes now, as the caller has seen it, for who may write."""
    here = accounts.permit(request, "records.write")
    with api.refusing(REFUSALS):
        services.lock_task(agency_id=here.agency_id, key=key)
    row = _row(here.agency_id, key)
    api.expect(request, _task(row))
    return here, row


def change(request: HttpRequest, key: str, act: Callable[..., Any], **more: Any) -> HttpResponse:
    """Let somebody who may write make a change, and answer with the task as it is then."""
    here, _found = _locked(request, key)
    with api.refusing(REFUSALS):
        try:
            act(agency_id=here.agency_id, key=key, by=here.member_id, now=dt.datetime.now(dt.UTC), **more)
        except services.InTrash:
            raise Refused("conflict", "The task is in the trash. Restore it first.") from None
        except services.ProjectArchived:
            raise Refused("conflict", "The project is archived. Reopen it first.") from None
        except services.MovedMeanwhile:
            raise Refused("conflict", "There is no such task in that column now.") from None
    return api.answer(request, _task(_row(here.agency_id, key)))


@router.get("", response=api.Listed[Task], summary="List tasks")
def list_tasks(request: HttpRequest, wanted: Query[Wanted]) -> HttpResponse:
    """The agency's tasks in the order in which they were made."""
    here = accounts.permit(request, "records.read")
    after = api.cursor(request, wanted, UUID)
    project_id = None
    if wanted.project_key:
        try:
            project_id = queries.project(here.agency_id, wanted.project_key).id
        except queries.NoSuchProject:
            return api.listed(request, [], wanted, shape=_task, place=lambda row: (row.id,))
    rows = queries.tasks_after(
        here.agency_id,
        after[0] if after else None,
        wanted.limit + 1,
        project_id=project_id,
        state_id=wanted.state_id,
        assignee_id=wanted.assignee_id,
        deal_id=wanted.deal_id,
        is_open=wanted.is_open,
        trashed=wanted.trashed,
    )
    return api.listed(request, rows, wanted, shape=_task, place=lambda row: (row.id,))


@router.post("", response={201: Task}, summary="Make a task")
def create_task(request: HttpRequest, body: TaskInput) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    named = {name: each for name, each in dict(body).items() if name != "project_key"}
    with api.refusing(REFUSALS):
        try:
            project = queries.project(here.agency_id, body.project_key)
            key = services.create_task(
                agency_id=here.agency_id,
                project_id=project.id,
                by=here.member_id,
                now=dt.datetime.now(dt.UTC),
                **named,
            )
        except services.ProjectArchived:
            raise Refused("conflict", "The project is archived. Reopen it first.") from None
    return api.answer(request, _task(_row(here.agency_id, key)), status=201, location=f"/api/v1/tasks/{key}")


@router.get("/{key}", response=Task, summary="Show a task")
def show_task(request: HttpRequest, key: str) -> HttpResponse:
    """Also one in the trash."""
    here = accounts.permit(request, "records.read")
    return api.answer(request, _task(_row(here.agency_id, key)))


@router.patch("/{key}", response=Task, summary="Change a task")
def update_task(request: HttpRequest, key: str, body: TaskChange) -> HttpResponse:
    """Names that the body does not hold stay as they are."""
    _here, row = _locked(request, key)
    names = ("title", "description", "priority", "assignee_ids", "start_on", "due_on", "estimate_minutes")
    kept: dict[str, Any] = {name: getattr(row, name) for name in names} | {"state_id": row.state.id}
    return change(request, key, services.update_task, **kept | body.given())


@router.post("/{key}/move", response=Task, summary="Move a task to a state, or within it")
def move_task(request: HttpRequest, key: str, body: TaskMove) -> HttpResponse:
    return change(request, key, services.move_task, state_id=body.state_id, below=body.below)


@router.post("/{key}/trash", response=Task, summary="Put a task into the trash")
def trash_task(request: HttpRequest, key: str) -> HttpResponse:
    """One that is there stays as it is."""
    return change(request, key, services.trash_task)


@router.post("/{key}/restore", response=Task, summary="Take a task out of the trash")
def restore_task(request: HttpRequest, key: str) -> HttpResponse:
    """One that is not in it stays as it is."""
    return change(request, key, services.restore_task)


@router.get("/{key}/history", response=History, summary="Show what was changed of a task")
def show_history(request: HttpRequest, key: str) -> HttpResponse:
    here = accounts.permit(request, "records.read")
    found = queries.changes(here.agency_id, _row(here.agency_id, key).id)
    told = [Activity(**{name: getattr(each, name) for name in Activity.model_fields}) for each in found]
    return api.answer(request, History(changes=told))
