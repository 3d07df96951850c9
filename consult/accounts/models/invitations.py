"""Places in an agency that are offered and not yet taken."""

from typing import ClassVar

from django.db import models

from consult.accounts import rules
from consult.core.isolation import AgencyRecord, Isolated, SameAgency


class Invitation(AgencyRecord):
    """A place offered to an address. The link's secret is in the mail alone: here is its hash."""

    SECRETS: ClassVar[tuple[str, ...]] = ("token_hash",)

    # As models.normalise_email leaves it.
    email = models.CharField(max_length=254)
    role = models.CharField(max_length=10, choices=[(role, role) for role in rules.ROLES])
    token_hash = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    # When the mail with the present link went out; None: it waits in the queue.
    sent_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    invited_by_id = models.UUIDField()

    class Meta:
        constraints = (
            Isolated(name="accounts_invitation_isolated", app=("select", "insert", "update"), doors=("select",)),
            SameAgency(name="accounts_invitation_by", columns=("invited_by_id",), target="accounts_member"),
            models.CheckConstraint(condition=models.Q(role__in=rules.ROLES), name="accounts_invitation_role"),
            # Whoever is invited again gets a new link, not a second invitation.
            models.UniqueConstraint(
                fields=["agency", "email"],
                condition=models.Q(accepted_at=None, revoked_at=None),
                name="accounts_invitation_open",
            ),
        )
        indexes = (models.Index(fields=["agency", "invited_by_id"], name="accounts_invitation_by_member"),)

    def __str__(self) -> str:
        return f"{self.email} ({self.role})"
