"""What was done in an agency."""

from django.db import models

from consult.accounts.models.agencies import Member
from consult.core.isolation import AgencyRecord, Isolated, SameAgency


class Audit(AgencyRecord):
    """Who did what, written in the transaction of the change. Rows are never changed."""

    action = models.CharField(max_length=80)
    by = models.ForeignKey(
        Member, null=True, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    # The API token or the program's sign-in that it was done with; None: a person at a page, or the program itself.
    token_id = models.UUIDField(null=True)
    # Where from: an address, or the program's own part (job, command, admin).
    origin = models.CharField(max_length=60, blank=True, default="", db_default="")
    subject_id = models.UUIDField(null=True)
    data = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "audit"
        constraints = (
            Isolated(name="accounts_audit_isolated", app=("select", "insert")),
            SameAgency(name="accounts_audit_by", columns=("by_id",), target="accounts_member", on_delete="set null"),
        )
        indexes = (
            models.Index(fields=["agency", "subject_id", "created_at"], name="accounts_audit_subject"),
            models.Index(fields=["agency", "by"], name="accounts_audit_by_member"),
            models.Index(fields=["agency", "-created_at", "-id"], name="accounts_audit_latest"),
        )

    def __str__(self) -> str:
        return f"{self.action} {self.subject_id}"
