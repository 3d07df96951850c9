"""Programs that a member has signed in (OAuth 2.0): each sign-in is a grant, with the secrets that belong to it."""

from typing import ClassVar

from django.db import models

from consult.accounts.models.agencies import Member
from consult.core.isolation import AgencyRecord, Isolated, SameAgency


class Grant(AgencyRecord):
    """One sign-in of a program, from consent until it is revoked or `ends_at`. Its id is the access tokens' `sid`."""

    member = models.ForeignKey(
        Member, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    client_id = models.CharField(max_length=100)
    scopes = models.JSONField(default=list)
    # When it last got a new access token.
    last_used_at = models.DateTimeField()
    # However often it is used, it ends here.
    ends_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    user_agent = models.CharField(max_length=300, blank=True, default="")
    # Cut short: a network, not a device.
    address = models.CharField(max_length=45, blank=True, default="")

    class Meta:
        constraints = (
            Isolated(name="accounts_grant_isolated", doors=("select",)),
            SameAgency(name="accounts_grant_member", columns=("member_id",), target="accounts_member"),
        )
        indexes = (models.Index(fields=["agency", "member"], name="accounts_grant_by_member"),)

    def __str__(self) -> str:
        return f"{self.client_id} {self.pk}"


class AuthorizationCode(AgencyRecord):
    """What the browser carries from the consent to the program, once and within a minute. Only its hash is stored."""

    SECRETS: ClassVar[tuple[str, ...]] = ("code_hash",)

    member = models.ForeignKey(
        Member, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    code_hash = models.CharField(max_length=64, unique=True)
    client_id = models.CharField(max_length=100)
    redirect_uri = models.CharField(max_length=300)
    # PKCE, S256.
    challenge = models.CharField(max_length=43)
    scopes = models.JSONField(default=list)
    expires_at = models.DateTimeField()
    # What its first use gave; a second use takes that back.
    grant = models.ForeignKey(
        Grant, null=True, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )

    class Meta:
        constraints = (
            Isolated(name="accounts_authorizationcode_isolated", doors=("select",)),
            SameAgency(name="accounts_authorizationcode_member", columns=("member_id",), target="accounts_member"),
            SameAgency(name="accounts_authorizationcode_grant", columns=("grant_id",), target="accounts_grant"),
        )
        indexes = (
            models.Index(fields=["agency", "member"], name="accounts_code_by_member"),
            models.Index(fields=["agency", "grant"], name="accounts_code_by_grant"),
        )

    def __str__(self) -> str:
        return f"code {self.pk}"


class RefreshToken(AgencyRecord):
    """A secret that a grant gets its next access token with, once. Only its hash is stored."""

    SECRETS: ClassVar[tuple[str, ...]] = ("token_hash",)

    grant = models.ForeignKey(Grant, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False)
    token_hash = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    # When its successor was given out.
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            Isolated(name="accounts_refreshtoken_isolated", doors=("select",)),
            SameAgency(name="accounts_refreshtoken_grant", columns=("grant_id",), target="accounts_grant"),
        )
        indexes = (
            models.Index(fields=["agency", "grant"], name="accounts_refresh_by_grant"),
            models.Index(fields=["agency", "expires_at"], name="accounts_refresh_expiry"),
        )

    def __str__(self) -> str:
        return f"refresh token {self.pk}"
