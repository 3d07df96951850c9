"""Users and keys are global (grants.GLOBAL_TABLES); everything else here belongs to one agency."""

from consult.accounts.models.agencies import Agency, Member
from consult.accounts.models.audit import Audit
from consult.accounts.models.exports import Export
from consult.accounts.models.grants import AuthorizationCode, Grant, RefreshToken
from consult.accounts.models.invitations import Invitation
from consult.accounts.models.keys import SigningKey
from consult.accounts.models.notifications import Notification
from consult.accounts.models.people import SignInLink, User, normalise_email
from consult.accounts.models.repeats import IdempotencyKey
from consult.accounts.models.tokens import ApiToken

__all__ = [
    "Agency",
    "ApiToken",
    "Audit",
    "AuthorizationCode",
    "Export",
    "Grant",
    "IdempotencyKey",
    "Invitation",
    "Member",
    "Notification",
    "RefreshToken",
    "SignInLink",
    "SigningKey",
    "User",
    "normalise_email",
]
