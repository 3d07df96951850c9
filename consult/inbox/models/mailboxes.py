from typing import ClassVar

from django.db import models

from consult.core.isolation import AgencyRecord, Isolated

SECURITY = ("tls", "starttls", "plain")


class Mailbox(AgencyRecord):
    """The mailbox elsewhere from which an agency's mail is fetched, and how far that has come."""

    SECRETS: ClassVar[tuple[str, ...]] = ("password_sealed",)

    # Where mail to it goes. `plus`: what is for name+anything@ as well.
    address = models.CharField(max_length=320)
    plus = models.BooleanField(default=True)
    host = models.CharField(max_length=253)
    port = models.PositiveIntegerField()
    security = models.CharField(max_length=8, choices=[(each, each) for each in SECURITY])
    # USER is a word of SQL's own.
    user = models.CharField(max_length=320, db_column="user_name")
    password_sealed = models.TextField()
    folder = models.CharField(max_length=200, default="INBOX")
    # How far it was read: of each numbering (UIDVALIDITY) the highest number (UID). None: never opened yet.
    uid_validity = models.BigIntegerField(null=True)
    last_uid = models.BigIntegerField(default=0)
    # Numbers below that which the server did not hand out.
    left_uids = models.JSONField(default=list)
    # The numbering changed: until all of it is read, only mails of this day and later are ours.
    since_date = models.DateField(null=True)
    connected_at = models.DateTimeField()
    # When it was last read without a fault, and since when it cannot be; `error` is a word of services.MAILBOX_ERRORS.
    checked_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=20, blank=True, default="")
    fails = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField()
    # A run is under way, at most until then.
    busy_until = models.DateTimeField(null=True)
    fetched = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = (
            Isolated(name="inbox_mailbox_isolated", doors=("select",)),
            models.CheckConstraint(condition=models.Q(security__in=SECURITY), name="inbox_mailbox_security"),
            models.UniqueConstraint(fields=["agency"], name="inbox_mailbox_one"),
        )

    def __str__(self) -> str:
        return self.address
