"""Whom the agency works for, and the companies it knows."""

from django.db import models

from consult.core.isolation import AgencyRecord, Isolated, SameAgency


class Client(AgencyRecord):
    """A company that the agency works for."""

    name = models.CharField(max_length=200)

    class Meta:
        constraints = (
            Isolated(name="crm_client_isolated"),
            models.UniqueConstraint(fields=["agency", "name"], name="crm_client_name"),
        )

    def __str__(self) -> str:
        return self.name


class Company(AgencyRecord):
    """A company that the agency knows. Two may have the same name: there is more than one Café Rosa."""

    name = models.CharField(max_length=200)
    # rules.folded and rules.company_key of the name, rules.domain of the website: for sorting and looking up.
    normal_name = models.CharField(max_length=400)
    name_key = models.CharField(max_length=400)
    website = models.CharField(max_length=500, blank=True, default="")
    domain = models.CharField(max_length=255, blank=True, default="")
    phone = models.CharField(max_length=50, blank=True, default="")
    address = models.TextField(blank=True, default="")
    # The client that it is to the agency, where it is one.
    client_id = models.UUIDField(null=True)
    origin_submission_id = models.UUIDField(null=True)
    # Values of the agency's own fields, by the field's id.
    custom = models.JSONField(default=dict)
    # Counts changes, so that nobody overwrites what another has just saved.
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name_plural = "companies"
        constraints = (
            Isolated(name="crm_company_isolated"),
            SameAgency(name="crm_company_client", columns=("client_id",), target="crm_client", on_delete="set null"),
            SameAgency(
                name="crm_company_origin",
                columns=("origin_submission_id",),
                target="intake_submission",
                on_delete="set null",
            ),
        )
        indexes = (
            models.Index(fields=["agency", "normal_name", "id"], name="crm_company_by_name"),
            models.Index(fields=["agency", "name_key"], name="crm_company_by_key"),
            models.Index(fields=["agency", "domain"], name="crm_company_by_domain", condition=~models.Q(domain="")),
            models.Index(fields=["agency", "client_id"], name="crm_company_by_client"),
            models.Index(fields=["agency", "origin_submission_id"], name="crm_company_by_origin"),
        )

    def __str__(self) -> str:
        return self.name
