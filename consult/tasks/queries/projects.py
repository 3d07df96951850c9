"""Reads of projects and of their states."""

import dataclasses
import datetime as dt
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from consult.crm import queries as crm
from consult.tasks import models, rules


class NoSuchProject(Exception):
    """The agency has no project of this key or id."""


@dataclasses.dataclass(frozen=True)
class State:
    """Where a task of a project stands."""

    id: UUID
    name: str
    group: str
    colour: str

    @property
    def is_ended(self) -> bool:
        return self.group in rules.ENDED


@dataclasses.dataclass(frozen=True)
class Project:
    """Work for a client; `client_id` is None for the agency's own. `open_tasks` is None where nobody has counted."""

    id: UUID
    name: str
    key: str
    client_id: UUID | None
    client_name: str
    archived_at: dt.datetime | None
    version: int
    created_at: dt.datetime
    open_tasks: int | None = None
    done_tasks: int | None = None


def projects(agency_id: int, *, archived: bool = False) -> list[Project]:
    """Return the agency's projects by name with how many of their tasks are open and done."""
    found = models.Project.objects.filter(agency_id=agency_id, archived_at__isnull=not archived)
    counts = models.Task.objects.filter(agency_id=agency_id, trashed_at=None).values("project_id")
    counted = {
        row["project_id"]: (row["still"], row["done"])
        for row in counts.annotate(
            still=Count("id", filter=Q(ended_at=None)), done=Count("id", filter=Q(ended_at__isnull=False))
        )
    }
    return _projects(agency_id, list(found.order_by("name", "id")[:500]), counted)


def open_projects(agency_id: int) -> list[Project]:
    """Return the projects that take new tasks, by name."""
    return _projects(agency_id, list(_open(agency_id).order_by("name", "id")[:500]))


def projects_after(agency_id: int, after: UUID | None, limit: int) -> list[Project]:
    """Return the projects from `after` on in the order in which they were begun, archived ones too."""
    found = models.Project.objects.filter(agency_id=agency_id)
    found = found.filter(id__gt=after) if after else found
    return _projects(agency_id, list(found.order_by("id")[:limit]))


def project(agency_id: int, key: str) -> Project:
    """Return the project of this key. Raise NoSuchProject."""
    known = rules.PROJECT_KEY.fullmatch(key)
    return _one(agency_id, models.Project.objects.filter(agency_id=agency_id, key=key).first() if known else None)


def project_by_id(agency_id: int, id: UUID) -> Project:
    """Return the project of this id. Raise NoSuchProject."""
    return _one(agency_id, models.Project.objects.filter(agency_id=agency_id, id=id).first())


def states(agency_id: int, project_id: UUID) -> list[State]:
    """Return a project's states in the order of their groups, and within one by position."""
    found = models.State.objects.filter(agency_id=agency_id, project_id=project_id)
    rows = sorted(found, key=lambda row: (rules.GROUPS.index(row.group), row.position))
    return [State(row.id, row.name, row.group, row.colour) for row in rows]


def _open(agency_id: int) -> QuerySet[models.Project]:
    return models.Project.objects.filter(agency_id=agency_id, archived_at=None)


def _one(agency_id: int, row: models.Project | None) -> Project:
    if row is None:
        raise NoSuchProject
    [found] = _projects(agency_id, [row])
    return found


def _projects(
    agency_id: int, rows: list[models.Project], counted: dict[UUID, tuple[int, int]] | None = None
) -> list[Project]:
    names = crm.client_names(agency_id) if any(row.client_id for row in rows) else {}
    found = []
    for row in rows:
        still, done = counted.get(row.id, (0, 0)) if counted is not None else (None, None)
        found.append(
            Project(
                id=row.id,
                name=row.name,
                key=row.key,
                client_id=row.client_id,
                client_name=names.get(row.client_id, "") if row.client_id else "",
                archived_at=row.archived_at,
                version=row.version,
                created_at=row.created_at,
                open_tasks=still,
                done_tasks=done,
            )
        )
    return found
