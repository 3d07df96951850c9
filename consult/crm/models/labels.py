"""Words that an agency sorts its people, companies and deals by."""

from django.db import models
from django.db.models import Q

from consult.core.isolation import AgencyRecord, Isolated, SameAgency

# Exactly one of the three.
ONE_BEARER = (
    Q(contact_id__isnull=False, company_id=None, deal_id=None)
    | Q(contact_id=None, company_id__isnull=False, deal_id=None)
    | Q(contact_id=None, company_id=None, deal_id__isnull=False)
)


class Label(AgencyRecord):
    name = models.CharField(max_length=50)
    # rules.folded of the name.
    normal_name = models.CharField(max_length=100)

    class Meta:
        constraints = (
            Isolated(name="crm_label_isolated"),
            models.UniqueConstraint(fields=["agency", "normal_name"], name="crm_label_name"),
        )

    def __str__(self) -> str:
        return self.name


class Labelling(AgencyRecord):
    """That a contact, a company or a deal bears a label."""

    label_id = models.UUIDField()
    contact_id = models.UUIDField(null=True)
    company_id = models.UUIDField(null=True)
    deal_id = models.UUIDField(null=True)

    class Meta:
        constraints = (
            Isolated(name="crm_labelling_isolated"),
            SameAgency(name="crm_labelling_label", columns=("label_id",), target="crm_label"),
            SameAgency(name="crm_labelling_contact", columns=("contact_id",), target="crm_contact"),
            SameAgency(name="crm_labelling_company", columns=("company_id",), target="crm_company"),
            SameAgency(name="crm_labelling_deal", columns=("deal_id",), target="crm_deal"),
            models.CheckConstraint(condition=ONE_BEARER, name="crm_labelling_bearer"),
            models.UniqueConstraint(
                fields=["agency", "contact_id", "label_id"],
                condition=Q(contact_id__isnull=False),
                name="crm_labelling_contact_once",
            ),
            models.UniqueConstraint(
                fields=["agency", "company_id", "label_id"],
                condition=Q(company_id__isnull=False),
                name="crm_labelling_company_once",
            ),
            models.UniqueConstraint(
                fields=["agency", "deal_id", "label_id"],
                condition=Q(deal_id__isnull=False),
                name="crm_labelling_deal_once",
            ),
        )
        indexes = (models.Index(fields=["agency", "label_id"], name="crm_labelling_by_label"),)

    def __str__(self) -> str:
        return str(self.label_id)
