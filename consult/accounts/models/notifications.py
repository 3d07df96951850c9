"""What members are told of, each in their own list."""

from django.db import models

from consult.accounts import rules
from consult.core.isolation import AgencyRecord, Isolated, SameAgency


class Notification(AgencyRecord):
    """That something happened that a member wants to hear of; the same once more makes it new again.

    It names people and things by id only: what they are called is asked for when it is shown.
    """

    member_id = models.UUIDField()
    kind = models.CharField(max_length=20, choices=[(kind, kind) for kind in rules.NOTIFICATION_KINDS])
    # Whose subject it is: the label of an app, which says what it is called and where its page is.
    feature = models.CharField(max_length=20)
    subject_id = models.UUIDField()
    by_id = models.UUIDField(null=True)
    at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    mail = models.CharField(max_length=10, blank=True, default="", choices=[(each, each) for each in rules.MAIL_STATES])
    # When the state of its e-mail changed last.
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            # Read by what counts one's unread ones, and by what finds agencies with something to send.
            Isolated(name="accounts_notification_isolated", doors=("select",)),
            SameAgency(name="accounts_notification_member", columns=("member_id",), target="accounts_member"),
            SameAgency(
                name="accounts_notification_by", columns=("by_id",), target="accounts_member", on_delete="set null"
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=rules.NOTIFICATION_KINDS), name="accounts_notification_kind"
            ),
            models.CheckConstraint(condition=models.Q(mail__in=rules.MAIL_STATES), name="accounts_notification_mail"),
            models.UniqueConstraint(
                fields=["agency", "member_id", "kind", "subject_id"], name="accounts_notification_once"
            ),
        )
        indexes = (
            models.Index(fields=["agency", "member_id", "-at"], name="accounts_notification_latest"),
            models.Index(
                fields=["agency", "member_id", "subject_id"],
                name="accounts_notification_unread",
                condition=models.Q(read_at=None),
            ),
            models.Index(
                fields=["agency", "mail"],
                name="accounts_notification_due",
                condition=models.Q(mail__in=("due", "daily", "sending")),
            ),
            models.Index(fields=["agency", "by_id"], name="accounts_notification_of"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_id}"
