"""Tasks, who does them, and what was changed."""

from django.db import models
from django.db.models import Q

from consult.core.isolation import AgencyRecord, Isolated, SameAgency
from consult.tasks import rules


class Task(AgencyRecord):
    """A piece of a person's work. With its project's key the number is what people call it: SITE-142.

    Where it came from stands in plain values: the submission, the enquiry (a feature above this one), the deal.
    """

    project_id = models.UUIDField()
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=200)
    # Markdown, as typed.
    description = models.TextField(blank=True, default="")
    state_id = models.UUIDField()
    # Its place in the column of its state (rules/order.py).
    rank = models.BigIntegerField()
    # 1 is urgent, 5 is none: rules.PRIORITIES.
    priority = models.PositiveSmallIntegerField(default=rules.NO_PRIORITY)
    start_on = models.DateField(null=True)
    due_on = models.DateField(null=True)
    estimate_minutes = models.PositiveIntegerField(null=True)
    # When it came into a completed or cancelled state.
    ended_at = models.DateTimeField(null=True)
    trashed_at = models.DateTimeField(null=True)
    origin_submission_id = models.UUIDField(null=True)
    enquiry_id = models.UUIDField(null=True)
    # What people call that enquiry; never changed, so a link by it stays good.
    enquiry_number = models.PositiveBigIntegerField(null=True)
    deal_id = models.UUIDField(null=True)
    created_by_id = models.UUIDField(null=True)
    changed_at = models.DateTimeField()
    # Counts changes, so that nobody overwrites what another has just saved.
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = (
            Isolated(name="tasks_task_isolated"),
            SameAgency(name="tasks_task_project", columns=("project_id",), target="tasks_project"),
            SameAgency(
                name="tasks_task_state",
                columns=("project_id", "state_id"),
                target="tasks_state",
                target_columns=("project_id", "id"),
            ),
            SameAgency(
                name="tasks_task_origin",
                columns=("origin_submission_id",),
                target="intake_submission",
                on_delete="set null",
            ),
            SameAgency(name="tasks_task_deal", columns=("deal_id",), target="crm_deal", on_delete="set null"),
            SameAgency(
                name="tasks_task_created_by", columns=("created_by_id",), target="accounts_member", on_delete="set null"
            ),
            models.UniqueConstraint(fields=["agency", "project_id", "number"], name="tasks_task_number"),
            # The order of a column is total. Looked at when a statement ends: dealing out moves many at once.
            models.UniqueConstraint(
                fields=["agency", "project_id", "state_id", "rank"],
                name="tasks_task_place",
                deferrable=models.Deferrable.IMMEDIATE,
            ),
            models.CheckConstraint(condition=Q(priority__gte=1, priority__lte=5), name="tasks_task_priority"),
            models.CheckConstraint(condition=~Q(title=""), name="tasks_task_title"),
            models.CheckConstraint(
                condition=Q(start_on=None) | Q(due_on=None) | Q(start_on__lte=models.F("due_on")),
                name="tasks_task_days",
            ),
        )
        indexes = (
            models.Index(fields=["agency", "project_id", "state_id", "priority", "number"], name="tasks_task_list"),
            models.Index(
                fields=["agency", "trashed_at"], condition=Q(trashed_at__isnull=False), name="tasks_task_trash"
            ),
            models.Index(fields=["agency", "origin_submission_id"], name="tasks_task_by_origin"),
            models.Index(fields=["agency", "enquiry_id"], name="tasks_task_by_enquiry"),
            models.Index(fields=["agency", "deal_id"], name="tasks_task_by_deal"),
            models.Index(fields=["agency", "created_by_id"], name="tasks_task_by_maker"),
        )

    def __str__(self) -> str:
        return self.title


class Assignee(AgencyRecord):
    """That a member does a task."""

    task_id = models.UUIDField()
    member_id = models.UUIDField()

    class Meta:
        constraints = (
            Isolated(name="tasks_assignee_isolated"),
            SameAgency(name="tasks_assignee_task", columns=("task_id",), target="tasks_task"),
            SameAgency(name="tasks_assignee_member", columns=("member_id",), target="accounts_member"),
            models.UniqueConstraint(fields=["agency", "task_id", "member_id"], name="tasks_assignee_once"),
        )
        indexes = (models.Index(fields=["agency", "member_id"], name="tasks_assignee_by_member"),)

    def __str__(self) -> str:
        return str(self.member_id)


class Activity(AgencyRecord):
    """One field that was changed, before and after, in the transaction of the change. Lines are only added.

    Lines of one change share its `version`, the task's after it, by which it is undone.
    """

    task_id = models.UUIDField()
    at = models.DateTimeField()
    by_id = models.UUIDField(null=True)
    version = models.PositiveIntegerField()
    field = models.CharField(max_length=30)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    # Why, where nobody did it by hand: undo, convert_enquiry.
    why = models.CharField(max_length=50, blank=True, default="")

    class Meta:
        constraints = (
            Isolated(name="tasks_activity_isolated", app=("select", "insert")),
            SameAgency(name="tasks_activity_task", columns=("task_id",), target="tasks_task"),
            SameAgency(name="tasks_activity_by", columns=("by_id",), target="accounts_member", on_delete="set null"),
        )
        indexes = (
            models.Index(fields=["agency", "task_id", "-at", "-id"], name="tasks_activity_of_task"),
            models.Index(fields=["agency", "by_id"], name="tasks_activity_by_member"),
        )

    def __str__(self) -> str:
        return self.field
