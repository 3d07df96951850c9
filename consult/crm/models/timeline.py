"""What happened with people, companies and deals, and what staff wrote down about it."""

from django.db import models
from django.db.models import Q

from consult.core.isolation import AgencyRecord, Isolated, SameAgency
from consult.crm.models.labels import ONE_BEARER


class Event(AgencyRecord):
    """One line of the timeline of a contact, a company or a deal, or of several of them. Lines are only added.

    It carries ids, numbers and names of things; what people wrote stands in tables of its own, where it can be erased.
    """

    kind = models.CharField(max_length=50)
    at = models.DateTimeField()
    by_id = models.UUIDField(null=True)
    contact_id = models.UUIDField(null=True)
    company_id = models.UUIDField(null=True)
    deal_id = models.UUIDField(null=True)
    # What the line is about: a note, an enquiry, a task. Of any table, and may be gone.
    subject_id = models.UUIDField(null=True)
    data = models.JSONField(default=dict)

    class Meta:
        constraints = (
            Isolated(name="crm_event_isolated", app=("select", "insert")),
            SameAgency(name="crm_event_by", columns=("by_id",), target="accounts_member", on_delete="set null"),
            SameAgency(name="crm_event_contact", columns=("contact_id",), target="crm_contact"),
            SameAgency(name="crm_event_company", columns=("company_id",), target="crm_company"),
            SameAgency(name="crm_event_deal", columns=("deal_id",), target="crm_deal"),
            models.CheckConstraint(
                condition=Q(contact_id__isnull=False) | Q(company_id__isnull=False) | Q(deal_id__isnull=False),
                name="crm_event_of_something",
            ),
        )
        indexes = (
            models.Index(fields=["agency", "contact_id", "-at", "-id"], name="crm_event_by_contact"),
            models.Index(fields=["agency", "company_id", "-at", "-id"], name="crm_event_by_company"),
            models.Index(fields=["agency", "deal_id", "-at", "-id"], name="crm_event_by_deal"),
            models.Index(fields=["agency", "by_id"], name="crm_event_by_member"),
        )

    def __str__(self) -> str:
        return self.kind


class Note(AgencyRecord):
    """What staff wrote down about a contact, a company or a deal."""

    contact_id = models.UUIDField(null=True)
    company_id = models.UUIDField(null=True)
    deal_id = models.UUIDField(null=True)
    author_id = models.UUIDField(null=True)
    body = models.TextField()

    class Meta:
        constraints = (
            Isolated(name="crm_note_isolated"),
            SameAgency(name="crm_note_contact", columns=("contact_id",), target="crm_contact"),
            SameAgency(name="crm_note_company", columns=("company_id",), target="crm_company"),
            SameAgency(name="crm_note_deal", columns=("deal_id",), target="crm_deal"),
            SameAgency(name="crm_note_author", columns=("author_id",), target="accounts_member", on_delete="set null"),
            models.CheckConstraint(condition=ONE_BEARER, name="crm_note_bearer"),
        )
        indexes = (
            models.Index(fields=["agency", "contact_id"], name="crm_note_by_contact"),
            models.Index(fields=["agency", "company_id"], name="crm_note_by_company"),
            models.Index(fields=["agency", "deal_id"], name="crm_note_by_deal"),
            models.Index(fields=["agency", "author_id"], name="crm_note_by_author"),
        )

    def __str__(self) -> str:
        return self.body[:60]
