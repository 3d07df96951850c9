"""Projects, and the states that their tasks pass."""

from django.db import models

from consult.core.isolation import AgencyRecord, Isolated, SameAgency
from consult.tasks import rules


class Project(AgencyRecord):
    """Work for a client, or for the agency itself. It is archived and never deleted, so its key is never reused.

    Its row lock comes first in every write of its tasks: numbers are race-free, and no two writes wait for each other.
    """

    name = models.CharField(max_length=200)
    key = models.CharField(max_length=10)
    client_id = models.UUIDField(null=True)
    # The last number given; a number that is given is never given again.
    last_number = models.PositiveIntegerField(default=0)
    archived_at = models.DateTimeField(null=True)
    # Counts changes, so that nobody overwrites what another has just saved.
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = (
            Isolated(name="tasks_project_isolated", app=("select", "insert", "update")),
            SameAgency(name="tasks_project_client", columns=("client_id",), target="crm_client", on_delete="set null"),
            models.UniqueConstraint(fields=["agency", "key"], name="tasks_project_key"),
            models.CheckConstraint(
                condition=models.Q(key__regex="^[A-Z][A-Z0-9]{1,9}$"), name="tasks_project_key_form"
            ),
        )
        indexes = (models.Index(fields=["agency", "client_id"], name="tasks_project_by_client"),)

    def __str__(self) -> str:
        return f"{self.key} {self.name}"


class State(AgencyRecord):
    """Where a task stands: free name and colour, in one of the fixed groups; they follow each other by `position`."""

    project_id = models.UUIDField()
    name = models.CharField(max_length=50)
    # GROUP is a word of SQL.
    group = models.CharField(max_length=10, db_column="state_group", choices=[(group, group) for group in rules.GROUPS])
    colour = models.CharField(max_length=10, choices=[(colour, colour) for colour in rules.COLOURS])
    position = models.PositiveSmallIntegerField()

    class Meta:
        constraints = (
            Isolated(name="tasks_state_isolated"),
            # A task's state is one of its own project: what tasks refer to.
            models.UniqueConstraint(fields=["agency", "project_id", "id"], name="tasks_state_of_project"),
            SameAgency(name="tasks_state_project", columns=("project_id",), target="tasks_project"),
            models.CheckConstraint(condition=models.Q(group__in=rules.GROUPS), name="tasks_state_group"),
            models.CheckConstraint(condition=models.Q(colour__in=rules.COLOURS), name="tasks_state_colour"),
        )

    def __str__(self) -> str:
        return self.name
