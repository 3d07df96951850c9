"""People that the agency knows, how to reach them, and which of them turned out to be one."""

from django.db import models

from consult.core.isolation import AgencyRecord, Isolated, SameAgency


class Contact(AgencyRecord):
    """A person. Once merged into another it stays behind as an alias: whatever names it leads to the other."""

    name = models.CharField(max_length=200)
    # rules.folded of the name: for sorting and looking up.
    normal_name = models.CharField(max_length=400)
    # Folded name, addresses and digits of the numbers, one after the other: what a search looks at.
    search = models.TextField(default="")
    job_title = models.CharField(max_length=200, blank=True, default="")
    company_id = models.UUIDField(null=True)
    # For whose customer they are, where they came through a client's site.
    client_id = models.UUIDField(null=True)
    merged_into_id = models.UUIDField(null=True)
    origin_submission_id = models.UUIDField(null=True)
    # Values of the agency's own fields, by the field's id.
    custom = models.JSONField(default=dict)
    # Counts changes, so that nobody overwrites what another has just saved.
    version = models.PositiveIntegerField(default=1)
    # When the person was erased: the row stays, so that deals, enquiries and hours stay somebody's.
    erased_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            Isolated(name="crm_contact_isolated"),
            SameAgency(name="crm_contact_company", columns=("company_id",), target="crm_company", on_delete="set null"),
            SameAgency(name="crm_contact_client", columns=("client_id",), target="crm_client", on_delete="set null"),
            SameAgency(name="crm_contact_merged", columns=("merged_into_id",), target="crm_contact"),
            SameAgency(
                name="crm_contact_origin",
                columns=("origin_submission_id",),
                target="intake_submission",
                on_delete="set null",
            ),
            models.CheckConstraint(
                condition=models.Q(merged_into_id=None) | ~models.Q(merged_into_id=models.F("id")),
                name="crm_contact_not_itself",
            ),
        )
        indexes = (
            models.Index(
                fields=["agency", "normal_name", "id"],
                name="crm_contact_by_name",
                condition=models.Q(merged_into_id=None),
            ),
            models.Index(fields=["agency", "company_id"], name="crm_contact_by_company"),
            models.Index(fields=["agency", "client_id"], name="crm_contact_by_client"),
            models.Index(
                fields=["agency", "merged_into_id"],
                name="crm_contact_aliases",
                condition=~models.Q(merged_into_id=None),
            ),
            models.Index(fields=["agency", "origin_submission_id"], name="crm_contact_by_origin"),
        )

    def __str__(self) -> str:
        return self.name


class Email(AgencyRecord):
    """An address of a contact. Two contacts may share one (info@…): then a duplicate is suggested, no more."""

    contact_id = models.UUIDField()
    # As rules.email_address returns it.
    address = models.CharField(max_length=320)
    # rules.email_key of the address: what is compared.
    normal = models.CharField(max_length=320)
    is_primary = models.BooleanField(default=False)

    class Meta:
        constraints = (
            Isolated(name="crm_email_isolated"),
            SameAgency(name="crm_email_contact", columns=("contact_id",), target="crm_contact"),
            models.UniqueConstraint(fields=["agency", "contact_id", "address"], name="crm_email_once"),
            models.UniqueConstraint(
                fields=["agency", "contact_id"], condition=models.Q(is_primary=True), name="crm_email_primary"
            ),
        )
        indexes = (models.Index(fields=["agency", "normal", "contact_id"], name="crm_email_by_address"),)

    def __str__(self) -> str:
        return self.address


class Phone(AgencyRecord):
    """A number of a contact, as it was written and in the form that is compared."""

    contact_id = models.UUIDField()
    number = models.CharField(max_length=50)
    # rules.phone_key of the number: E.164 (+442079460000), or bare digits where its country is not known.
    normal = models.CharField(max_length=50)
    is_primary = models.BooleanField(default=False)

    class Meta:
        constraints = (
            Isolated(name="crm_phone_isolated"),
            SameAgency(name="crm_phone_contact", columns=("contact_id",), target="crm_contact"),
            models.UniqueConstraint(fields=["agency", "contact_id", "number"], name="crm_phone_once"),
            models.UniqueConstraint(
                fields=["agency", "contact_id"], condition=models.Q(is_primary=True), name="crm_phone_primary"
            ),
        )
        indexes = (models.Index(fields=["agency", "normal", "contact_id"], name="crm_phone_by_number"),)

    def __str__(self) -> str:
        return self.number


class Merge(AgencyRecord):
    """That one contact was merged into another, with what is needed to take it back."""

    kept_id = models.UUIDField()
    alias_id = models.UUIDField()
    by_id = models.UUIDField(null=True)
    # What changed on the kept contact, as services/merges.py writes and reads it.
    changes = models.JSONField(default=dict)
    merged_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            Isolated(name="crm_merge_isolated"),
            SameAgency(name="crm_merge_kept", columns=("kept_id",), target="crm_contact"),
            SameAgency(name="crm_merge_alias", columns=("alias_id",), target="crm_contact"),
            SameAgency(name="crm_merge_by", columns=("by_id",), target="accounts_member", on_delete="set null"),
            # Merged into one contact at a time.
            models.UniqueConstraint(
                fields=["agency", "alias_id"], condition=models.Q(undone_at=None), name="crm_merge_once"
            ),
        )
        indexes = (
            models.Index(fields=["agency", "kept_id", "-merged_at"], name="crm_merge_by_kept"),
            models.Index(fields=["agency", "by_id"], name="crm_merge_by_member"),
        )

    def __str__(self) -> str:
        return f"{self.alias_id} into {self.kept_id}"


class Distinct(AgencyRecord):
    """That somebody has looked at two contacts and found them to be two people; `one_id` is the smaller id."""

    one_id = models.UUIDField()
    other_id = models.UUIDField()
    by_id = models.UUIDField(null=True)

    class Meta:
        constraints = (
            Isolated(name="crm_distinct_isolated"),
            SameAgency(name="crm_distinct_one", columns=("one_id",), target="crm_contact"),
            SameAgency(name="crm_distinct_other", columns=("other_id",), target="crm_contact"),
            SameAgency(name="crm_distinct_by", columns=("by_id",), target="accounts_member", on_delete="set null"),
            models.UniqueConstraint(fields=["agency", "one_id", "other_id"], name="crm_distinct_once"),
        )
        indexes = (
            models.Index(fields=["agency", "other_id"], name="crm_distinct_by_other"),
            models.Index(fields=["agency", "by_id"], name="crm_distinct_by_member"),
        )

    def __str__(self) -> str:
        return f"{self.one_id} is not {self.other_id}"
