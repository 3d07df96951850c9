"""JSON routes of accounts, and the door that every JSON route lies behind."""

from consult.accounts.api.agencies import router as agencies
from consult.accounts.api.audit import router as audit
from consult.accounts.api.door import enter
from consult.accounts.api.grants import router as grants
from consult.accounts.api.invitations import router as invitations
from consult.accounts.api.members import router as members
from consult.accounts.api.notifications import router as notifications
from consult.accounts.api.tokens import router as tokens

__all__ = ["agencies", "audit", "enter", "grants", "invitations", "members", "notifications", "tokens"]
