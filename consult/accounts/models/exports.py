"""An agency's whole data in one file, for its owners."""

from typing import ClassVar

from django.db import models

from consult.accounts import rules
from consult.core.isolation import AgencyRecord, Isolated, SameAgency


class Export(AgencyRecord):
    """One export: asked for, built by a job, there for a week."""

    # Whoever knows it and reaches the storage has the file.
    SECRETS: ClassVar[tuple[str, ...]] = ("location", "about")

    state = models.CharField(max_length=10, default="waiting", choices=[(each, each) for each in rules.EXPORT_STATES])
    # Of the whole agency, for its owners; or of one person, for who manages it.
    kind = models.CharField(max_length=10, default="agency", choices=[(each, each) for each in rules.EXPORT_KINDS])
    # Whom a person's export is about, sealed; empty as soon as it is built.
    about = models.TextField(blank=True, default="")
    asked_by_id = models.UUIDField(null=True)
    # Chosen when it is asked for: a second run writes over what a killed one may have left.
    location = models.CharField(max_length=200)
    # Rows and files.
    done = models.PositiveBigIntegerField(default=0)
    total = models.PositiveBigIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0)
    # A kind (rules.EXPORT_ERRORS), never a text that may hold data.
    error = models.CharField(max_length=40, blank=True, default="")
    # The last sign of life of the job.
    moved_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            Isolated(name="accounts_export_isolated", app=("select", "insert", "update"), doors=("select",)),
            SameAgency(name="accounts_export_by", columns=("asked_by_id",), target="accounts_member"),
            models.CheckConstraint(condition=models.Q(state__in=rules.EXPORT_STATES), name="accounts_export_state"),
            models.CheckConstraint(condition=models.Q(kind__in=rules.EXPORT_KINDS), name="accounts_export_kind"),
        )
        indexes = (
            models.Index(fields=["agency", "-created_at"], name="accounts_export_latest"),
            models.Index(fields=["agency", "asked_by_id"], name="accounts_export_by_member"),
        )

    def __str__(self) -> str:
        return f"export {self.state}"
