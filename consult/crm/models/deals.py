"""Work that may be won, and the stages that it passes."""

from django.db import models

from consult.core.isolation import AgencyRecord, Isolated, SameAgency

DEAL_STATUSES = ("open", "won", "lost")


class Stage(AgencyRecord):
    """A step of the agency's pipeline; steps follow each other by `position`."""

    name = models.CharField(max_length=50)
    position = models.PositiveSmallIntegerField()
    # A retired one keeps the won and lost deals that were in it.
    retired_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            Isolated(name="crm_stage_isolated"),
            # Whoever is second to make the first set makes none.
            models.UniqueConstraint(
                fields=["agency", "position"], condition=models.Q(retired_at=None), name="crm_stage_position"
            ),
        )

    def __str__(self) -> str:
        return self.name


class Deal(AgencyRecord):
    """Work that may be won. Its value is in minor units of its currency (ISO 4217); a deal may have none yet."""

    title = models.CharField(max_length=200)
    stage_id = models.UUIDField()
    stage_entered_at = models.DateTimeField()
    status = models.CharField(max_length=10, default="open", choices=[(status, status) for status in DEAL_STATUSES])
    value_minor = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, blank=True, default="")
    contact_id = models.UUIDField(null=True)
    company_id = models.UUIDField(null=True)
    owner_id = models.UUIDField(null=True)
    expected_on = models.DateField(null=True)
    lost_reason = models.CharField(max_length=500, blank=True, default="")
    closed_at = models.DateTimeField(null=True)
    origin_submission_id = models.UUIDField(null=True)
    # Values of the agency's own fields, by the field's id.
    custom = models.JSONField(default=dict)
    # Counts changes, so that nobody overwrites what another has just saved.
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = (
            Isolated(name="crm_deal_isolated"),
            SameAgency(name="crm_deal_stage", columns=("stage_id",), target="crm_stage"),
            SameAgency(name="crm_deal_contact", columns=("contact_id",), target="crm_contact", on_delete="set null"),
            SameAgency(name="crm_deal_company", columns=("company_id",), target="crm_company", on_delete="set null"),
            SameAgency(name="crm_deal_owner", columns=("owner_id",), target="accounts_member", on_delete="set null"),
            SameAgency(
                name="crm_deal_origin",
                columns=("origin_submission_id",),
                target="intake_submission",
                on_delete="set null",
            ),
            models.CheckConstraint(condition=models.Q(status__in=DEAL_STATUSES), name="crm_deal_status"),
            models.CheckConstraint(
                condition=models.Q(value_minor=None, currency="")
                | models.Q(value_minor__gte=0, currency__regex="^[A-Z]{3}$"),
                name="crm_deal_value",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="lost") | ~models.Q(lost_reason=""), name="crm_deal_lost_why"
            ),
            models.CheckConstraint(
                condition=models.Q(status="open", closed_at=None)
                | (~models.Q(status="open") & models.Q(closed_at__isnull=False)),
                name="crm_deal_closed",
            ),
        )
        indexes = (
            models.Index(fields=["agency", "status", "stage_id", "-stage_entered_at"], name="crm_deal_board"),
            models.Index(fields=["agency", "status", "-created_at", "-id"], name="crm_deal_list"),
            # Reports read it alone.
            models.Index(
                fields=["agency", "created_at"], name="crm_deal_figures", include=["id", "stage_id", "status"]
            ),
            models.Index(fields=["agency", "stage_id"], name="crm_deal_by_stage"),
            models.Index(fields=["agency", "contact_id"], name="crm_deal_by_contact"),
            models.Index(fields=["agency", "company_id"], name="crm_deal_by_company"),
            models.Index(fields=["agency", "owner_id"], name="crm_deal_by_owner"),
            models.Index(fields=["agency", "origin_submission_id"], name="crm_deal_by_origin"),
        )

    def __str__(self) -> str:
        return self.title
