"""A project of agency A with its states by name."""

import datetime as dt
import uuid
from dataclasses import dataclass

import pytest

from conftest import Cast, Database
from consult.core import tenancy
from consult.tasks import queries, services

NOW = dt.datetime(2027, 3, 1, 9, 0, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Site:
    """The project SITE of agency A."""

    agency_id: int
    id: uuid.UUID
    by: uuid.UUID

    def state(self, name: str) -> uuid.UUID:
        with tenancy.agency(self.agency_id):
            return next(each.id for each in queries.states(self.agency_id, self.id) if each.name == name)

    def make(self, title: str = "Fix the menu", **more: object) -> str:
        return services.create_task(
            agency_id=self.agency_id,
            project_id=self.id,
            title=title,
            by=self.by,
            now=NOW,
            **more,  # type: ignore[arg-type]
        )

    def task(self, key: str) -> queries.Task:
        with tenancy.agency(self.agency_id):
            return queries.task(self.agency_id, key)

    def move(self, key: str, state: str, **more: object) -> services.Done:
        return services.move_task(
            agency_id=self.agency_id,
            key=key,
            state_id=self.state(state),
            by=self.by,
            now=NOW,
            **more,  # type: ignore[arg-type]
        )

    def update(self, key: str, **more: object) -> services.Done:
        """Change a task in the fields that are named."""
        task = self.task(key)
        values = {
            "title": task.title,
            "description": task.description,
            "priority": task.priority,
            "state_id": task.state.id,
            "assignee_ids": task.assignee_ids,
            "start_on": task.start_on,
            "due_on": task.due_on,
            "estimate_minutes": task.estimate_minutes,
        }
        return services.update_task(
            agency_id=self.agency_id,
            key=key,
            by=self.by,
            now=NOW,
            **(values | more),  # type: ignore[arg-type]
        )

    def column(self, state: str) -> list[str]:
        """The keys of a column from the top."""
        with tenancy.agency(self.agency_id):
            project = queries.project_by_id(self.agency_id, self.id)
            columns = queries.board(self.agency_id, project, queries.Filters())
        return next([task.key for task in each.tasks] for each in columns if each.state.name == state)


@pytest.fixture
def site(database: Database, cast: Cast) -> Site:
    id = services.create_project(agency_id=cast.a, name="Site", key="SITE", by=cast.alice.member_id)
    return Site(cast.a, id, cast.alice.member_id)
