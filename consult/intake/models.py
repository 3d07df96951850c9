from django.db import models

from consult.core.isolation import AgencyRecord, Isolated, SameAgency
from consult.intake import rules


class Site(AgencyRecord):
    """A website of a client, or of the agency itself (no client)."""

    name = models.CharField(max_length=200)
    url = models.URLField(max_length=500)
    client_id = models.UUIDField(null=True)

    class Meta:
        constraints = (
            Isolated(name="intake_site_isolated", doors=("select",)),
            SameAgency(name="intake_site_client", columns=("client_id",), target="crm_client", on_delete="set null"),
        )
        indexes = (models.Index(fields=["agency", "client_id"], name="intake_site_by_client"),)

    def __str__(self) -> str:
        return self.name


class Form(AgencyRecord):
    """A form on a site: its public key and its present rules."""

    site = models.ForeignKey(Site, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False)
    name = models.CharField(max_length=200)
    # Unique over all agencies: it is all that a visitor's browser sends. Random, so it tells nothing.
    key = models.CharField(max_length=40, unique=True, default=rules.new_key)
    version = models.PositiveIntegerField(default=1)
    allowed_origins = models.JSONField(default=list)
    redirect_targets = models.JSONField(default=list)
    notify_addresses = models.JSONField(default=list)

    class Meta:
        constraints = (
            Isolated(name="intake_form_isolated", doors=("select",)),
            SameAgency(name="intake_form_site", columns=("site_id",), target="intake_site"),
        )
        indexes = (models.Index(fields=["agency", "site"], name="intake_form_by_site"),)

    def __str__(self) -> str:
        return self.name


class FormVersion(AgencyRecord):
    """What a form asked for at one time. Never changed: submissions point to it as their snapshot of the form."""

    form = models.ForeignKey(Form, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False)
    version = models.PositiveIntegerField()
    name = models.CharField(max_length=200)
    fields = models.JSONField()
    honeypot = models.CharField(max_length=63)

    class Meta:
        constraints = (
            Isolated(name="intake_formversion_isolated", app=("select", "insert"), doors=("select",)),
            models.UniqueConstraint(fields=["agency", "form", "version"], name="intake_formversion_once"),
            SameAgency(name="intake_formversion_form", columns=("form_id",), target="intake_form"),
        )

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"


class Submission(AgencyRecord):
    """What arrived, as it arrived; written by the edge's door alone and never changed."""

    form = models.ForeignKey(Form, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False)
    form_version = models.PositiveIntegerField()
    receipt = models.CharField(max_length=12)
    received_at = models.DateTimeField()
    fields = models.JSONField()
    page_url = models.TextField()
    referrer = models.TextField()
    origin = models.TextField()
    remote_addr = models.TextField()
    user_agent = models.TextField()
    content_type = models.TextField()
    signals = models.JSONField()

    class Meta:
        constraints = (
            Isolated(name="intake_submission_isolated", app=("select",), doors=("select", "insert")),
            models.UniqueConstraint(fields=["agency", "receipt"], name="intake_submission_receipt"),
            SameAgency(
                name="intake_submission_form",
                columns=("form_id", "form_version"),
                target="intake_formversion",
                target_columns=("form_id", "version"),
            ),
        )
        indexes = (models.Index(fields=["agency", "form", "-received_at"], name="intake_submission_by_form"),)

    def __str__(self) -> str:
        return rules.pretty_receipt(self.receipt)
