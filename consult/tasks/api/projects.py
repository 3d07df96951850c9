"""Projects: work for a client, with the states that its tasks pass."""

import datetime as dt
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from ninja import Query
from pydantic import Field

from consult.accounts import queries as accounts
from consult.core import api
from consult.core.errors import Refused
from consult.tasks import queries, services

router = api.Router(tags=["Projects"])

REFUSALS = {
    services.NoSuchProject: ("not_found", ""),
    services.NoSuchClient: ("invalid", "/client_id"),
    services.KeyTaken: ("name_taken", "/key"),
    services.BadStates: ("invalid", "/states"),
    ValueError: ("invalid", ""),
}
Group = Literal["backlog", "unstarted", "started", "completed", "cancelled"]
Colour = Literal["grey", "blue", "teal", "green", "yellow", "orange", "red", "pink", "purple"]
Name = Annotated[api.Line, Field(max_length=200, examples=["The Daily Grind: website"])]


class Project(api.Shape):
    """Work for a client. Its `key` stands before the number of each task."""

    key: str
    id: UUID
    name: str
    client_id: Annotated[UUID | None, Field(description="Null: the agency's own.")]
    archived_at: dt.datetime | None
    created_at: dt.datetime


class ProjectInput(api.Input):
    key: Annotated[str, Field(pattern="^[A-Z][A-Z0-9]{1,9}$", description="Stays as it is.", examples=["SITE"])]
    name: Name
    client_id: UUID | None = None


class ProjectChange(api.Input):
    name: Annotated[Name, Field(default_factory=api.kept)]
    client_id: Annotated[UUID | None, Field(default_factory=api.kept)]


class State(api.Shape):
    """Where a task of the project stands."""

    id: UUID
    name: str
    group: Group
    colour: Colour


class StateInput(api.Input):
    id: Annotated[UUID | None, Field(description="Null: a new one.")] = None
    name: Annotated[api.Line, Field(max_length=50, examples=["In progress"])]
    group: Group
    colour: Colour = "grey"


class States(api.Shape):
    """The states of a project, in their order."""

    states: list[State]


class StatesInput(api.Input):
    """All of them: those without an entry go, as long as no task is in them."""

    states: Annotated[
        list[StateInput],
        Field(
            min_length=2,
            max_length=queries.MOST_STATES,
            examples=[
                [
                    {"name": "To do", "group": "unstarted", "colour": "blue"},
                    {"name": "Done", "group": "completed", "colour": "green"},
                ]
            ],
        ),
    ]


def _project(row: queries.Project) -> Project:
    return Project(**{name: getattr(row, name) for name in Project.model_fields})


def _row(agency_id: int, project_key: str) -> queries.Project:
    try:
        return queries.project(agency_id, project_key)
    except queries.NoSuchProject:
        raise Http404 from None


def _states(agency_id: int, project_id: UUID) -> States:
    return States(states=[State(**vars(each)) for each in queries.states(agency_id, project_id)])


def _locked(request: HttpRequest, project_key: str) -> tuple[accounts.Membership, queries.Project]:
    """Return a project that nobody else changes now, for who may write."""
    here = accounts.permit(request, "records.write")
    row = _row(here.agency_id, project_key)
    services.lock_project(agency_id=here.agency_id, project_id=row.id)
    return here, _row(here.agency_id, project_key)


@router.get("", response=api.Listed[Project], summary="List projects")
def list_projects(request: HttpRequest, paging: Query[api.Paging]) -> HttpResponse:
    """The agency's projects in the order in which they were begun, also archived ones."""
    here = accounts.permit(request, "records.read")
    after = api.cursor(request, paging, UUID)
    rows = queries.projects_after(here.agency_id, after[0] if after else None, paging.limit + 1)
    return api.listed(request, rows, paging, shape=_project, place=lambda row: (row.id,))


@router.post("", response={201: Project}, summary="Begin a project")
def create_project(request: HttpRequest, body: ProjectInput) -> HttpResponse:
    """With the usual states, which can be changed."""
    here = accounts.permit(request, "records.write")
    with api.refusing(REFUSALS):
        services.create_project(agency_id=here.agency_id, by=here.member_id, **dict(body))
    shape = _project(_row(here.agency_id, body.key))
    return api.answer(request, shape, status=201, location=f"/api/v1/projects/{body.key}")


@router.get("/{project_key}", response=Project, summary="Show a project")
def show_project(request: HttpRequest, project_key: str) -> HttpResponse:
    here = accounts.permit(request, "records.read")
    return api.answer(request, _project(_row(here.agency_id, project_key)))


@router.patch("/{project_key}", response=Project, summary="Change a project")
def update_project(request: HttpRequest, project_key: str, body: ProjectChange) -> HttpResponse:
    """Names that the body does not hold stay as they are."""
    here, row = _locked(request, project_key)
    api.expect(request, _project(row))
    kept: dict[str, Any] = {"name": row.name, "client_id": row.client_id} | body.given()
    with api.refusing(REFUSALS):
        services.update_project(agency_id=here.agency_id, project_id=row.id, by=here.member_id, **kept)
    return api.answer(request, _project(_row(here.agency_id, project_key)))


@router.post("/{project_key}/archive", response=Project, summary="Archive a project")
def archive_project(request: HttpRequest, project_key: str) -> HttpResponse:
    """Its tasks can be read and not changed. One that is archived stays so."""
    here, row = _locked(request, project_key)
    api.expect(request, _project(row))
    now = dt.datetime.now(dt.UTC)
    services.archive_project(agency_id=here.agency_id, project_id=row.id, by=here.member_id, now=now)
    return api.answer(request, _project(_row(here.agency_id, project_key)))


@router.post("/{project_key}/reopen", response=Project, summary="Take a project out of the archive")
def reopen_project(request: HttpRequest, project_key: str) -> HttpResponse:
    here, row = _locked(request, project_key)
    api.expect(request, _project(row))
    services.reopen_project(agency_id=here.agency_id, project_id=row.id, by=here.member_id)
    return api.answer(request, _project(_row(here.agency_id, project_key)))


@router.get("/{project_key}/states", response=States, summary="Show the states of a project")
def show_states(request: HttpRequest, project_key: str) -> HttpResponse:
    here = accounts.permit(request, "records.read")
    return api.answer(request, _states(here.agency_id, _row(here.agency_id, project_key).id))


@router.post("/{project_key}/states", response=States, summary="Set the states of a project")
def set_states(request: HttpRequest, project_key: str, body: StatesInput) -> HttpResponse:
    """409 for one that is to go and has tasks, also in the trash."""
    here, row = _locked(request, project_key)
    api.expect(request, _states(here.agency_id, row.id))
    wanted = [services.Wanted(each.name, each.group, each.colour, each.id) for each in body.states]
    with api.refusing(REFUSALS):
        try:
            services.set_states(
                agency_id=here.agency_id,
                project_id=row.id,
                states=wanted,
                by=here.member_id,
                now=dt.datetime.now(dt.UTC),
            )
        except services.StateInUse as error:
            raise Refused("conflict", f"Still has tasks: {', '.join(error.names)}.") from None
    return api.answer(request, _states(here.agency_id, row.id))
