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
        )

    def __str__(self) -> str:
        return f"{self.action} {self.subject_id}"
