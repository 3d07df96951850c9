from typing import ClassVar

from django.db import models

from consult.core.isolation import AgencyRecord, Isolated, SameAgency
from consult.intake import rules


class Site(AgencyRecord):
    """A website of a client, or of the agency itself (no client)."""

    name = models.CharField(max_length=200)
    url = models.URLField(max_length=500)
    client_id = models.UUIDField(null=True)
    # How else to reach them: shown to a visitor whose message cannot be stored at this moment. Free text.
    fallback_contact = models.CharField(max_length=320, blank=True, default="")

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

    SECRETS: ClassVar[tuple[str, ...]] = ("secret",)

    site = models.ForeignKey(Site, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False)
    name = models.CharField(max_length=200)
    # Unique over all agencies: it is all that a visitor's browser sends. Random, so it tells nothing.
    key = models.CharField(max_length=40, unique=True, default=rules.new_key)
    version = models.PositiveIntegerField(default=1)
    allowed_origins = models.JSONField(default=list)
    redirect_targets = models.JSONField(default=list)
    notify_addresses = models.JSONField(default=list)
    # The language of the edge's pages and of the automatic reply: a file in edge/words/.
    language = models.CharField(max_length=10, default="en")
    # A submission that scores this much is held.
    hold_score = models.PositiveSmallIntegerField(default=50)
    # Limits in the words of the `limits` library, such as 20/minute; beyond them: held, or 429.
    address_limit = models.CharField(max_length=30, default="20/minute")
    form_limit = models.CharField(max_length=30, default="600/minute")
    over_limit = models.CharField(max_length=6, default="hold", choices=[("hold", "hold"), ("refuse", "refuse")])
    # Beyond it 429, whatever over_limit says.
    daily_cap = models.PositiveIntegerField(default=10_000)
    proof_of_work = models.BooleanField(default=False)
    # Signs the proof-of-work challenges; known to the edge alone.
    secret = models.CharField(max_length=43, default=rules.new_secret)
    auto_reply = models.BooleanField(default=False)
    auto_reply_text = models.TextField(blank=True, default="")
    # Senders' addresses are cut short after so many days.
    keep_address_days = models.PositiveSmallIntegerField(default=30)
    # Submissions are erased after so many days, held ones and spam perhaps sooner; None: never by themselves.
    keep_days = models.PositiveSmallIntegerField(null=True)
    keep_held_days = models.PositiveSmallIntegerField(null=True)

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
    # What files it takes: {"count": …, "bytes": of one, "total": of all, "types": ["image/*", …]}; empty: none.
    files = models.JSONField(default=dict)

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
    # Of its fields: two with the same id and another digest are not the same submission.
    digest = models.BinaryField(max_length=16, db_default=b"")
    # Whether it waited in an edge's spool before it came here.
    spooled = models.BooleanField(db_default=False)
    # When its content was blanked: the row stays, for the count and whatever came of it.
    erased_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            # Updated by two doors alone: intake_forget_addresses_v1 and intake_erase_submissions_v1.
            Isolated(name="intake_submission_isolated", app=("select",), doors=("select", "insert", "update")),
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


class File(AgencyRecord):
    """A file that came with a submission; its bytes lie at CONSULT_FILES_URL under `location`."""

    FILES: ClassVar[tuple[str, ...]] = ("location",)

    submission = models.ForeignKey(
        Submission, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    field = models.TextField()
    name = models.TextField()
    media_type = models.CharField(max_length=255)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    location = models.CharField(max_length=200)

    class Meta:
        constraints = (
            Isolated(name="intake_file_isolated", app=("select",), doors=("select", "insert", "update")),
            SameAgency(name="intake_file_submission", columns=("submission_id",), target="intake_submission"),
        )
        indexes = (models.Index(fields=["agency", "submission"], name="intake_file_by_submission"),)

    def __str__(self) -> str:
        return self.name


class SetAside(AgencyRecord):
    """A submission that was accepted but that the tables do not take: its bytes, until somebody has looked."""

    form_id = models.UUIDField(null=True)
    form_key = models.CharField(max_length=40)
    receipt = models.CharField(max_length=12)
    received_at = models.DateTimeField()
    reason = models.TextField()
    content = models.BinaryField()
    spooled = models.BooleanField(db_default=False)
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            Isolated(name="intake_setaside_isolated", app=("select", "update"), doors=("select", "insert")),
            SameAgency(name="intake_setaside_form", columns=("form_id",), target="intake_form", on_delete="set null"),
        )
        indexes = (
            models.Index(fields=["agency", "form_id", "received_at"], name="intake_setaside_by_form"),
            models.Index(
                fields=["agency", "received_at"],
                condition=models.Q(resolved_at__isnull=True),
                name="intake_setaside_unresolved",
            ),
        )

    def __str__(self) -> str:
        return rules.pretty_receipt(self.receipt)


class Tally(AgencyRecord):
    """How many submissions of a form and UTC day one source (an edge's writer, or its spool) has accepted.

    accepted = stored + spooled + set aside, over all sources: anything else is an alarm (ADR 030).
    """

    form = models.ForeignKey(Form, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False)
    day = models.DateField()
    source = models.CharField(max_length=80)
    accepted = models.BigIntegerField()
    spooled = models.BigIntegerField(db_default=0)

    class Meta:
        verbose_name_plural = "tallies"
        constraints = (
            Isolated(name="intake_tally_isolated", app=("select",), doors=("select", "insert", "update")),
            models.UniqueConstraint(fields=["agency", "form", "day", "source"], name="intake_tally_once"),
            SameAgency(name="intake_tally_form", columns=("form_id",), target="intake_form"),
        )

    def __str__(self) -> str:
        return f"{self.day}: {self.accepted}"


class Alarm(AgencyRecord):
    """What the last checks found wrong with the count and with forms, and when the agency was told. At most one row."""

    checked_at = models.DateTimeField()
    # [[form id, day, difference], …] of this check; what the one before found as well is confirmed.
    differences = models.JSONField(default=list)
    confirmed = models.PositiveIntegerField(default=0)
    # Submissions that wait in a spool for longer than they should.
    waiting = models.PositiveBigIntegerField(default=0)
    told_at = models.DateTimeField(null=True)
    # Forms that behave otherwise than they did: [[form id, "silent" or "held", since when, by how much], …]: days of
    # silence, or what part is held in per cent. Each was told of when it came here.
    forms = models.JSONField(default=list, db_default=[])

    class Meta:
        constraints = (
            Isolated(name="intake_alarm_isolated"),
            models.UniqueConstraint(fields=["agency"], name="intake_alarm_once"),
        )

    def __str__(self) -> str:
        return f"{self.checked_at:%Y-%m-%d %H:%M}"


class Edge(models.Model):
    """An edge's spool and when it last told of itself."""

    source = models.CharField(max_length=80, primary_key=True)
    host = models.TextField()
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    spooled = models.BigIntegerField()
    oldest_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.source


class Block(AgencyRecord):
    """Somebody whose messages are held from now on: an address, or @ and a domain (rules.blockable)."""

    sender = models.CharField(max_length=320)
    reason = models.CharField(max_length=200, blank=True, default="")
    by_id = models.UUIDField(null=True)

    class Meta:
        constraints = (
            Isolated(name="intake_block_isolated"),
            SameAgency(name="intake_block_by", columns=("by_id",), target="accounts_member", on_delete="set null"),
            models.UniqueConstraint(fields=["agency", "sender"], name="intake_block_once"),
        )
        indexes = (models.Index(fields=["agency", "by_id"], name="intake_block_by_member"),)

    def __str__(self) -> str:
        return self.sender
