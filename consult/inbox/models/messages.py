from typing import ClassVar

from django.db import models

from consult.core.isolation import AgencyRecord, Isolated, SameAgency
from consult.inbox.models.enquiries import Enquiry

DIRECTIONS = ("out", "in")
# Undone: taken back before it went out, the draft of the next reply. Sending: the mail server is being asked.
STATES = ("queued", "sending", "sent", "failed", "undone", "bounced", "received")
# What an incoming one is: a person's answer, a program's, or word that ours did not arrive.
KINDS = ("answer", "auto", "bounce")
MAIL_STATES = ("waiting", "done", "aside", "dropped")


class Message(AgencyRecord):
    """An e-mail of an enquiry: what staff wrote to its sender, or what came back."""

    enquiry = models.ForeignKey(
        Enquiry, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    direction = models.CharField(max_length=3, choices=[(each, each) for each in DIRECTIONS])
    state = models.CharField(max_length=8, choices=[(each, each) for each in STATES])
    kind = models.CharField(max_length=6, default="answer", choices=[(each, each) for each in KINDS])
    # Who wrote it; none for what comes in, and for the agency's own token.
    member_id = models.UUIDField(null=True)
    subject = models.CharField(max_length=200, blank=True, default="")
    text = models.TextField(blank=True, default="")
    # Of what came in: as it came, never shown as it is.
    html = models.TextField(blank=True, default="")
    # Whether text or HTML was too long to be kept here; the mail as it came has them.
    shortened = models.BooleanField(default=False)
    # Of e-mail's own headers, with angle brackets.
    message_id = models.CharField(max_length=250)
    in_reply_to = models.CharField(max_length=250, blank=True, default="")
    thread = models.TextField(blank=True, default="")
    from_name = models.CharField(max_length=200, blank=True, default="")
    from_address = models.CharField(max_length=320, blank=True, default="")
    to_address = models.CharField(max_length=320, blank=True, default="")
    # The version of the enquiry that queueing this one led to, by which it is taken back.
    version = models.PositiveIntegerField(null=True)
    # When it goes out; a job for another moment is not this one's.
    due_at = models.DateTimeField(null=True)
    tries = models.PositiveIntegerField(default=0)
    # Why it failed or bounced: kinds and codes, never what a server said.
    detail = models.JSONField(default=dict)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            Isolated(name="inbox_message_isolated"),
            SameAgency(name="inbox_message_enquiry", columns=("enquiry_id",), target="inbox_enquiry"),
            SameAgency(
                name="inbox_message_member", columns=("member_id",), target="accounts_member", on_delete="set null"
            ),
            models.CheckConstraint(condition=models.Q(direction__in=DIRECTIONS), name="inbox_message_direction"),
            models.CheckConstraint(condition=models.Q(kind__in=KINDS), name="inbox_message_kind"),
            models.CheckConstraint(
                condition=models.Q(direction="in", state="received")
                | (models.Q(direction="out", state__in=STATES) & ~models.Q(state="received")),
                name="inbox_message_state",
            ),
            # The same mail that comes twice is one.
            models.UniqueConstraint(fields=["agency", "direction", "message_id"], name="inbox_message_once"),
        )
        indexes = (
            models.Index(fields=["agency", "enquiry", "created_at"], name="inbox_message_by_enquiry"),
            models.Index(fields=["agency", "member_id"], name="inbox_message_by_member"),
        )

    def __str__(self) -> str:
        return f"{self.direction} {self.subject}".strip()


class Attachment(AgencyRecord):
    """A file of a message; its bytes lie at CONSULT_FILES_URL under `location`."""

    FILES: ClassVar[tuple[str, ...]] = ("location",)

    message = models.ForeignKey(
        Message, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    name = models.CharField(max_length=200)
    media_type = models.CharField(max_length=120)
    size = models.PositiveBigIntegerField()
    location = models.CharField(max_length=200)
    # By which the HTML of its mail names it.
    content_id = models.CharField(max_length=250, blank=True, default="")

    class Meta:
        constraints = (
            Isolated(name="inbox_attachment_isolated"),
            SameAgency(name="inbox_attachment_message", columns=("message_id",), target="inbox_message"),
        )
        indexes = (models.Index(fields=["agency", "message", "id"], name="inbox_attachment_by_message"),)

    def __str__(self) -> str:
        return self.name


class Mail(AgencyRecord):
    """A mail as it came in, stored before anybody is told so; a job makes a message of it, or sets it aside."""

    FILES: ClassVar[tuple[str, ...]] = ("location",)

    state = models.CharField(max_length=7, default="waiting", choices=[(each, each) for each in MAIL_STATES])
    # Why it is set aside or dropped: a word of services.REASONS.
    reason = models.CharField(max_length=20, blank=True, default="")
    # SHA-256 of its bytes, in hexadecimal: the same sent twice is one.
    digest = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    location = models.CharField(max_length=200)
    from_address = models.CharField(max_length=320, blank=True, default="")
    subject = models.CharField(max_length=200, blank=True, default="")
    # What became of it.
    message_id = models.UUIDField(null=True)
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            Isolated(name="inbox_mail_isolated"),
            SameAgency(
                name="inbox_mail_message", columns=("message_id",), target="inbox_message", on_delete="set null"
            ),
            models.CheckConstraint(condition=models.Q(state__in=MAIL_STATES), name="inbox_mail_state"),
            models.UniqueConstraint(fields=["agency", "digest"], name="inbox_mail_once"),
        )
        indexes = (
            models.Index(fields=["agency", "message_id"], name="inbox_mail_by_message"),
            models.Index(
                fields=["agency", "-id"],
                name="inbox_mail_aside",
                condition=models.Q(state="aside", resolved_at__isnull=True),
            ),
        )

    def __str__(self) -> str:
        return self.subject or self.digest[:12]


class Template(AgencyRecord):
    """A reply that is written often, with placeholders such as {{ name }}."""

    name = models.CharField(max_length=60)
    body = models.TextField()

    class Meta:
        constraints = (
            Isolated(name="inbox_template_isolated"),
            models.UniqueConstraint(fields=["agency", "name"], name="inbox_template_name"),
        )

    def __str__(self) -> str:
        return self.name
