"""What programs sign in with."""

from typing import ClassVar

from django.db import models

from consult.accounts import rules
from consult.accounts.models.agencies import Member
from consult.core.isolation import AgencyRecord, Isolated, SameAgency


class ApiToken(AgencyRecord):
    """A secret that a program calls the API with: a member's own, or the agency's with a role of its own.

    Only its hash is stored. What it may is what its role may, within its scopes.
    """

    SECRETS: ClassVar[tuple[str, ...]] = ("token_hash",)

    name = models.CharField(max_length=100)
    # Whose it is; None: the agency's, which outlives whoever made it.
    member = models.ForeignKey(
        Member, null=True, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    # Of an agency's token. A member's token has the member's own role.
    role = models.CharField(max_length=10, blank=True, default="")
    scopes = models.JSONField(default=list)
    token_hash = models.CharField(max_length=64, unique=True)
    # Its last characters, to tell one from another.
    hint = models.CharField(max_length=8)
    made_by_id = models.UUIDField(null=True)
    expires_at = models.DateTimeField(null=True)
    # Written at most every five minutes.
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            Isolated(name="accounts_apitoken_isolated", app=("select", "insert", "update"), doors=("select",)),
            SameAgency(name="accounts_apitoken_member", columns=("member_id",), target="accounts_member"),
            SameAgency(name="accounts_apitoken_made_by", columns=("made_by_id",), target="accounts_member"),
            # Whoever's it is, one of the two says what it may.
            models.CheckConstraint(
                condition=models.Q(member__isnull=False, role="") | models.Q(role__in=rules.TOKEN_ROLES),
                name="accounts_apitoken_role",
            ),
        )
        indexes = (
            models.Index(fields=["agency", "member"], name="accounts_apitoken_by_member"),
            models.Index(fields=["agency", "made_by_id"], name="accounts_apitoken_maker"),
        )

    def __str__(self) -> str:
        return f"{self.name} (…{self.hint})"
