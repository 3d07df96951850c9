"""Writes of projects and of their states."""

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Count
from django.utils.translation import gettext as _

from consult.accounts import services as accounts
from consult.core import live, tenancy
from consult.crm import queries as crm
from consult.tasks import models, queries, rules


class BadKey(ValueError):
    """A key is two to ten letters and digits, a letter first."""


class KeyTaken(Exception):
    """Another project of the agency has this key, or had it: archived ones keep theirs."""


class NoSuchClient(Exception):
    """The agency has no client of this id."""


class ChangedMeanwhile(Exception):
    """Somebody else has saved it since; nothing was changed."""


class ProjectArchived(Exception):
    """The project is archived; its tasks are not changed until it is taken out again."""


class StateInUse(Exception):
    """A state that is to go still has tasks; `names` says which ones."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(", ".join(names))
        self.names = names


def create_project(*, agency_id: int, name: str, key: str, by: UUID | None, client_id: UUID | None = None) -> UUID:
    """Begin a project with the usual states; return its id. `key` stays as it is, and stands in each task's key.

    Raise BadKey, KeyTaken, NoSuchClient, ValueError for no name.
    """
    key = key.strip().upper()
    if not rules.PROJECT_KEY.fullmatch(key):
        raise BadKey(_("A key is two to ten letters and digits, a letter first."))
    with tenancy.agency(agency_id):
        values = _values(agency_id, name, client_id)
        fresh = models.Project(agency_id=agency_id, key=key, **values)
        # Of two who take a key at once, one has it; the other waits for it and is told.
        models.Project.objects.bulk_create([fresh], ignore_conflicts=True)
        if not models.Project.objects.filter(agency_id=agency_id, id=fresh.id).exists():
            raise KeyTaken(key)
        models.State.objects.bulk_create(
            models.State(
                agency_id=agency_id, project_id=fresh.id, name=_(name), group=group, colour=colour, position=position
            )
            for position, (name, group, colour) in enumerate(rules.DEFAULT_STATES, start=1)
        )
        accounts.record("tasks.create_project", agency_id=agency_id, by=by, subject_id=fresh.id)
        live.nudge(kind="project", id=fresh.id)
    return fresh.id


def update_project(
    *,
    agency_id: int,
    project_id: UUID,
    by: UUID | None,
    name: str,
    client_id: UUID | None = None,
    version: int | None = None,
) -> None:
    """Change a project's name and client. Raise NoSuchProject, ChangedMeanwhile, NoSuchClient, ValueError."""
    with tenancy.agency(agency_id):
        project = locked(agency_id, project_id)
        if version is not None and version != project.version:
            raise ChangedMeanwhile(project_id)
        values = _values(agency_id, name, client_id)
        changed = [field for field, value in values.items() if getattr(project, field) != value]
        if changed:
            _save(project, "tasks.update_project", by, {field: values[field] for field in changed})


def archive_project(*, agency_id: int, project_id: UUID, by: UUID | None, now: dt.datetime) -> None:
    """Put a project away with its tasks; one that is archived stays so. Raise NoSuchProject."""
    with tenancy.agency(agency_id):
        project = locked(agency_id, project_id)
        if project.archived_at is None:
            _save(project, "tasks.archive_project", by, {"archived_at": now})


def reopen_project(*, agency_id: int, project_id: UUID, by: UUID | None) -> None:
    """Take a project out of the archive; one that is not in it stays as it is. Raise NoSuchProject."""
    with tenancy.agency(agency_id):
        project = locked(agency_id, project_id)
        if project.archived_at is not None:
            _save(project, "tasks.reopen_project", by, {"archived_at": None})


def set_states(
    *,
    agency_id: int,
    project_id: UUID,
    states: Sequence[rules.Wanted],
    by: UUID | None,
    now: dt.datetime,
    version: int | None = None,
) -> None:
    """Make these the project's states, in this order within each group: those with an id stay, others are new or gone.

    Raise NoSuchProject, ChangedMeanwhile, BadStates (also for an id that it does not have), StateInUse for one that
    is to go and has tasks, also in the trash.
    """
    wanted = rules.checked_states(states)
    with tenancy.agency(agency_id):
        project = locked(agency_id, project_id)
        if version is not None and version != project.version:
            raise ChangedMeanwhile(project_id)
        present = {row.id: row for row in models.State.objects.filter(agency_id=agency_id, project_id=project_id)}
        if any(state.id and state.id not in present for state in wanted):
            raise rules.BadStates(_("The project has no such state."))
        before = [_shown(state) for state in queries.states(agency_id, project_id)]
        _remove(agency_id, [row for id, row in present.items() if id not in {state.id for state in wanted}])
        regrouped: dict[UUID, str] = {}
        for position, state in enumerate(wanted, start=1):
            row = present.get(state.id) if state.id else None
            if row is None:
                row = models.State(agency_id=agency_id, project_id=project_id)
            elif row.group != state.group:
                regrouped[row.id] = state.group
            row.name, row.group, row.colour, row.position = state.name, state.group, state.colour, position
            row.save()
        _regroup(agency_id, regrouped, now)
        after = [_shown(state) for state in queries.states(agency_id, project_id)]
        if after != before:
            project.version += 1
            project.save(update_fields=["version"])
            data = accounts.changes({"states": before}, {"states": after})
            accounts.record("tasks.set_states", agency_id=agency_id, by=by, subject_id=project_id, data=data)
            live.nudge(kind="project", id=project_id)


def lock_project(*, agency_id: int, project_id: UUID) -> None:
    """Let nobody else change a project until this transaction ends. Raise NoSuchProject."""
    with tenancy.agency(agency_id):
        locked(agency_id, project_id)


def locked(agency_id: int, project_id: UUID) -> models.Project:
    """Return a project, locked. Raise NoSuchProject."""
    # Not its key, to which new rows of others refer meanwhile.
    found = models.Project.objects.select_for_update(no_key=True).filter(agency_id=agency_id, id=project_id).first()
    if found is None:
        raise queries.NoSuchProject(project_id)
    return found


def _remove(agency_id: int, rows: list[models.State]) -> None:
    ids = [row.id for row in rows]
    if not ids:
        return
    used = models.Task.objects.filter(agency_id=agency_id, state_id__in=ids).values("state_id").annotate(n=Count("id"))
    in_use = {each["state_id"] for each in used}
    if in_use:
        raise StateInUse([row.name for row in rows if row.id in in_use])
    models.State.objects.filter(agency_id=agency_id, id__in=ids).delete()


def _regroup(agency_id: int, groups: dict[UUID, str], now: dt.datetime) -> None:
    """Let the tasks of states that changed their group have ended, or be open again."""
    for state_id, group in groups.items():
        found = models.Task.objects.filter(agency_id=agency_id, state_id=state_id)
        if group in rules.ENDED:
            found.filter(ended_at=None).update(ended_at=now)
        else:
            found.filter(ended_at__isnull=False).update(ended_at=None)


def _shown(state: queries.State) -> str:
    return f"{state.name} ({state.group}, {state.colour})"


def _values(agency_id: int, name: str, client_id: UUID | None) -> dict[str, Any]:
    name = " ".join(name.split())
    if not name:
        raise ValueError(_("A project needs a name."))
    if client_id and crm.client(agency_id, client_id) is None:
        raise NoSuchClient(client_id)
    return {"name": name, "client_id": client_id}


def _save(project: models.Project, action: str, by: UUID | None, values: dict[str, Any]) -> None:
    for field, value in values.items():
        setattr(project, field, value)
    project.version += 1
    project.save(update_fields=[*values, "version"])
    accounts.record(action, agency_id=project.agency_id, by=by, subject_id=project.id, data={"fields": [*values]})
    live.nudge(kind="project", id=project.id)
