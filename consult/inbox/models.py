from django.db import models

from consult.core.isolation import AgencyRecord, Isolated, SameAgency

STATUSES = ("open", "closed")


class Enquiry(AgencyRecord):
    """What staff work on. `number` counts up within its agency and is never reused."""

    number = models.PositiveBigIntegerField()
    submission_id = models.UUIDField(null=True)
    form_id = models.UUIDField(null=True)
    status = models.CharField(max_length=10, default="open", choices=[(status, status) for status in STATUSES])
    assignee_id = models.UUIDField(null=True)
    sender_name = models.CharField(max_length=200)
    sender_email = models.CharField(max_length=320)
    subject = models.CharField(max_length=200)
    excerpt = models.CharField(max_length=280)
    signals = models.JSONField(default=list)
    received_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "enquiries"
        constraints = (
            Isolated(name="inbox_enquiry_isolated"),
            models.UniqueConstraint(fields=["agency", "number"], name="inbox_enquiry_number"),
            # A job that runs twice opens one enquiry.
            models.UniqueConstraint(fields=["agency", "submission_id"], name="inbox_enquiry_submission"),
            models.CheckConstraint(condition=models.Q(status__in=STATUSES), name="inbox_enquiry_status"),
            SameAgency(
                name="inbox_enquiry_of",
                columns=("submission_id",),
                target="intake_submission",
                on_delete="set null",
            ),
            SameAgency(name="inbox_enquiry_form", columns=("form_id",), target="intake_form", on_delete="set null"),
            SameAgency(
                name="inbox_enquiry_assignee",
                columns=("assignee_id",),
                target="accounts_member",
                on_delete="set null",
            ),
        )
        indexes = (
            models.Index(fields=["agency", "status", "-received_at", "-number"], name="inbox_enquiry_by_status"),
            models.Index(fields=["agency", "assignee_id", "status"], name="inbox_enquiry_by_assignee"),
            models.Index(fields=["agency", "form_id"], name="inbox_enquiry_by_form"),
        )

    def __str__(self) -> str:
        return f"#{self.number}"


class Note(AgencyRecord):
    """What staff tell each other about an enquiry; the sender never sees it."""

    enquiry = models.ForeignKey(
        Enquiry, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    author_id = models.UUIDField(null=True)
    body = models.TextField()

    class Meta:
        constraints = (
            Isolated(name="inbox_note_isolated"),
            SameAgency(name="inbox_note_enquiry", columns=("enquiry_id",), target="inbox_enquiry"),
            SameAgency(
                name="inbox_note_author",
                columns=("author_id",),
                target="accounts_member",
                on_delete="set null",
            ),
        )
        indexes = (
            models.Index(fields=["agency", "enquiry", "created_at"], name="inbox_note_by_enquiry"),
            models.Index(fields=["agency", "author_id"], name="inbox_note_by_author"),
        )

    def __str__(self) -> str:
        return self.body[:60]


class Counter(AgencyRecord):
    """The last enquiry number given in an agency; its row lock makes numbers race-free."""

    last_number = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = (
            Isolated(name="inbox_counter_isolated"),
            models.UniqueConstraint(fields=["agency"], name="inbox_counter_once"),
        )

    def __str__(self) -> str:
        return str(self.last_number)
