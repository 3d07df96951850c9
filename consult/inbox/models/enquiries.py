from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower

from consult.core.isolation import AgencyRecord, Isolated, SameAgency

# Waiting: answered, the next word is the sender's. Snoozed: put away until a moment.
# Held: it looks like spam, nobody was told of it. Spam: somebody has confirmed that.
STATUSES = ("open", "waiting", "snoozed", "closed", "held", "spam")
CLOSE_REASONS = ("", "answered", "no_answer_needed", "no_answer_came", "duplicate", "not_for_us")
# What became of an enquiry on its way to people; each line is written with what it tells.
DELIVERIES = (
    "stored",
    "scored",
    "held",
    "notified",
    "replied",
    "failed",
    "retried",
    "opened",
    "restored",
    "confirmed_spam",
    # What staff and the sender write to each other.
    "sent",
    "bounced",
    "received",
)


class Enquiry(AgencyRecord):
    """What staff work on. `number` counts up within its agency and is never reused.

    Not in the model: `search`, a tsvector that the database keeps of `words` and the agency; see sql/search_v1.sql.
    """

    number = models.PositiveBigIntegerField()
    submission_id = models.UUIDField(null=True)
    form_id = models.UUIDField(null=True)
    status = models.CharField(max_length=10, default="open", choices=[(status, status) for status in STATUSES])
    assignee_id = models.UUIDField(null=True)
    sender_name = models.CharField(max_length=200)
    sender_email = models.CharField(max_length=320)
    # By which a sender's other enquiries are found.
    sender_key = models.GeneratedField(
        expression=Lower("sender_email"), output_field=models.CharField(max_length=320), db_persist=True
    )
    subject = models.CharField(max_length=200)
    excerpt = models.CharField(max_length=280)
    # Every word that it is found by (rules.words): of the sender, of what was sent, of notes.
    words = ArrayField(models.TextField(), default=list, db_default=[])
    signals = models.JSONField(default=list)
    # How much it looks like spam, and why: [{"code": "honeypot", "points": 60}, …].
    score = models.PositiveIntegerField(db_default=0)
    reasons = models.JSONField(default=list, db_default=[])
    received_at = models.DateTimeField()
    # What it became.
    contact_id = models.UUIDField(null=True)
    company_id = models.UUIDField(null=True)
    deal_id = models.UUIDField(null=True)
    closed_at = models.DateTimeField(null=True)
    close_reason = models.CharField(max_length=20, blank=True, default="", db_default="")
    # Since when the next word is the sender's.
    waiting_since = models.DateTimeField(null=True)
    snoozed_until = models.DateTimeField(null=True)
    # When somebody first said that the sender had an answer.
    first_answer_at = models.DateTimeField(null=True)
    # Counts the changes to status and assignee; who saw an older one is told of what happened since.
    version = models.PositiveIntegerField(default=1, db_default=1)
    # When its e-mails went into the queue: once, however often it is held, restored and opened again.
    delivered_at = models.DateTimeField(null=True)
    # Whom an automatic reply was promised to, in the form that counts (rules.reply_key); empty: nobody.
    reply_key = models.CharField(max_length=320, blank=True, default="", db_default="")
    # When the sender and what they wrote were blanked: number, form, times and what it became stay.
    erased_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "enquiries"
        constraints = (
            # Read by the search and by what finds agencies with something to wake.
            Isolated(name="inbox_enquiry_isolated", doors=("select",)),
            models.UniqueConstraint(fields=["agency", "number"], name="inbox_enquiry_number"),
            # A job that runs twice opens one enquiry.
            models.UniqueConstraint(fields=["agency", "submission_id"], name="inbox_enquiry_submission"),
            models.CheckConstraint(condition=models.Q(status__in=STATUSES), name="inbox_enquiry_status"),
            models.CheckConstraint(condition=models.Q(close_reason__in=CLOSE_REASONS), name="inbox_enquiry_reason"),
            models.CheckConstraint(
                condition=models.Q(status="snoozed", snoozed_until__isnull=False)
                | (~models.Q(status="snoozed") & models.Q(snoozed_until__isnull=True)),
                name="inbox_enquiry_snoozed",
            ),
            models.CheckConstraint(
                condition=models.Q(status="waiting", waiting_since__isnull=False)
                | (~models.Q(status="waiting") & models.Q(waiting_since__isnull=True)),
                name="inbox_enquiry_waiting",
            ),
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
            SameAgency(
                name="inbox_enquiry_contact", columns=("contact_id",), target="crm_contact", on_delete="set null"
            ),
            SameAgency(
                name="inbox_enquiry_company", columns=("company_id",), target="crm_company", on_delete="set null"
            ),
            SameAgency(name="inbox_enquiry_deal", columns=("deal_id",), target="crm_deal", on_delete="set null"),
        )
        indexes = (
            models.Index(fields=["agency", "contact_id"], name="inbox_enquiry_by_contact"),
            models.Index(fields=["agency", "company_id"], name="inbox_enquiry_by_company"),
            models.Index(fields=["agency", "deal_id"], name="inbox_enquiry_by_deal"),
            models.Index(fields=["agency", "status", "-received_at", "-number"], name="inbox_enquiry_by_status"),
            models.Index(fields=["agency", "-received_at", "-number"], name="inbox_enquiry_by_time"),
            # Reports read it alone.
            models.Index(
                fields=["agency", "received_at"],
                name="inbox_enquiry_figures",
                include=["form_id", "status", "first_answer_at"],
            ),
            models.Index(
                fields=["agency", "assignee_id", "status", "-received_at", "-number"], name="inbox_enquiry_by_person"
            ),
            models.Index(fields=["agency", "form_id", "status", "-received_at"], name="inbox_enquiry_of_form"),
            models.Index(fields=["agency", "sender_key", "-received_at"], name="inbox_enquiry_by_sender"),
            models.Index(
                fields=["agency", "snoozed_until"], name="inbox_enquiry_due", condition=models.Q(status="snoozed")
            ),
            models.Index(
                fields=["agency", "reply_key", "delivered_at"],
                name="inbox_enquiry_replies",
                condition=~models.Q(reply_key=""),
            ),
        )

    def __str__(self) -> str:
        return f"#{self.number}"


class Labelling(AgencyRecord):
    """That an enquiry bears one of the agency's labels, which are the CRM's."""

    enquiry = models.ForeignKey(
        Enquiry, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    label_id = models.UUIDField()

    class Meta:
        constraints = (
            Isolated(name="inbox_labelling_isolated"),
            SameAgency(name="inbox_labelling_enquiry", columns=("enquiry_id",), target="inbox_enquiry"),
            SameAgency(name="inbox_labelling_label", columns=("label_id",), target="crm_label"),
            models.UniqueConstraint(fields=["agency", "enquiry", "label_id"], name="inbox_labelling_once"),
        )
        indexes = (models.Index(fields=["agency", "label_id", "enquiry"], name="inbox_labelling_by_label"),)

    def __str__(self) -> str:
        return str(self.label_id)


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


class Delivery(AgencyRecord):
    """One line of an enquiry's delivery ledger: what happened on its way to people. Lines are added, never changed."""

    enquiry = models.ForeignKey(
        Enquiry, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    kind = models.CharField(max_length=20, choices=[(kind, kind) for kind in DELIVERIES])
    # Whom it was about, where it was about somebody.
    address = models.CharField(max_length=320, blank=True, default="")
    # Ids, numbers and kinds of errors; never what somebody wrote.
    detail = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = (
            # Of lines only the addresses are ever changed, by one door: inbox_erase_deliveries_v1.
            Isolated(name="inbox_delivery_isolated", app=("select", "insert"), doors=("select", "update")),
            SameAgency(name="inbox_delivery_enquiry", columns=("enquiry_id",), target="inbox_enquiry"),
            models.CheckConstraint(condition=models.Q(kind__in=DELIVERIES), name="inbox_delivery_kind"),
            # A job that runs twice tells it once; only the first who opens it counts.
            models.UniqueConstraint(
                fields=["agency", "enquiry", "kind", "address"],
                condition=models.Q(kind__in=("stored", "scored", "notified", "replied", "opened")),
                name="inbox_delivery_once",
            ),
        )
        indexes = (models.Index(fields=["agency", "enquiry", "at"], name="inbox_delivery_by_enquiry"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.address}".strip()


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


class Word(AgencyRecord):
    """A word of the agency's enquiries: what somebody mistyped is looked for among these."""

    word = models.CharField(max_length=60, db_collation="C")

    class Meta:
        constraints = (
            Isolated(name="inbox_word_isolated", app=("select", "insert"), doors=("select", "delete")),
            models.UniqueConstraint(fields=["agency", "word"], name="inbox_word_once"),
        )

    def __str__(self) -> str:
        return self.word


class SavedView(AgencyRecord):
    """Filters under a name: a member's own, or everybody's."""

    name = models.CharField(max_length=60)
    # What stands behind the ? of the list's address (rules.Filters).
    query = models.CharField(max_length=600)
    member_id = models.UUIDField()
    shared = models.BooleanField()

    class Meta:
        constraints = (
            Isolated(name="inbox_savedview_isolated"),
            SameAgency(name="inbox_savedview_member", columns=("member_id",), target="accounts_member"),
            models.UniqueConstraint(fields=["agency", "member_id", "name"], name="inbox_savedview_name"),
        )
        indexes = (models.Index(fields=["agency"], name="inbox_savedview_shared", condition=models.Q(shared=True)),)

    def __str__(self) -> str:
        return self.name
