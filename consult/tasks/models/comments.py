"""What people say about a task."""

from django.db import models

from consult.core.isolation import AgencyRecord, Isolated, SameAgency


class Comment(AgencyRecord):
    """Markdown, as typed; what it said before stands in `Edit`."""

    task_id = models.UUIDField()
    author_id = models.UUIDField(null=True)
    body = models.TextField()
    edited_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = (
            Isolated(name="tasks_comment_isolated"),
            SameAgency(name="tasks_comment_task", columns=("task_id",), target="tasks_task"),
            SameAgency(
                name="tasks_comment_author", columns=("author_id",), target="accounts_member", on_delete="set null"
            ),
        )
        indexes = (
            models.Index(fields=["agency", "task_id", "id"], name="tasks_comment_of_task"),
            models.Index(fields=["agency", "author_id"], name="tasks_comment_by_author"),
        )

    def __str__(self) -> str:
        return self.body[:60]


class Edit(AgencyRecord):
    """What a comment said until somebody changed it. Lines are only added."""

    comment_id = models.UUIDField()
    body = models.TextField()
    # Until when it said so.
    until_at = models.DateTimeField()

    class Meta:
        constraints = (
            Isolated(name="tasks_edit_isolated", app=("select", "insert")),
            SameAgency(name="tasks_edit_comment", columns=("comment_id",), target="tasks_comment"),
        )
        indexes = (models.Index(fields=["agency", "comment_id", "id"], name="tasks_edit_of_comment"),)

    def __str__(self) -> str:
        return self.body[:60]
