"""Invitations: what a link offers, and what is still open."""

import dataclasses
import datetime as dt
from uuid import UUID

from django.db.models import QuerySet

from consult.accounts import models
from consult.accounts.queries.doors import rows
from consult.accounts.queries.members import member_names
from consult.core import tenancy


@dataclasses.dataclass(frozen=True)
class Invitation:
    """A place that is offered, as the link to it shows it. `state`: open, accepted, revoked or expired."""

    agency_id: int
    id: UUID
    state: str
    slug: str
    agency: str
    logo: str
    email: str
    role: str
    inviter: str
    expires_at: dt.datetime


def invitation(*, token_hash: str, now: dt.datetime) -> Invitation | None:
    """Return what an invitation's link offers, through the door that knows no agency yet; None: nobody knows it."""
    found = rows("SELECT * FROM accounts_invitation_v1(%s, %s)", [token_hash, now])
    if not found:
        return None
    agency_id, id, state = found[0]
    with tenancy.agency(agency_id):
        row = models.Invitation.objects.select_related("agency").get(agency_id=agency_id, id=id)
        return Invitation(
            agency_id,
            id,
            state,
            row.agency.slug,
            row.agency.name,
            row.agency.logo,
            row.email,
            row.role,
            member_names(agency_id).get(row.invited_by_id, ""),
            row.expires_at,
        )


@dataclasses.dataclass(frozen=True)
class Offer:
    """An invitation that nobody has taken yet, for the people page."""

    id: UUID
    email: str
    role: str
    inviter: str
    sent_at: dt.datetime | None
    expires_at: dt.datetime
    expired: bool


def open_invitations(agency_id: int, now: dt.datetime) -> list[Offer]:
    """Return what is neither taken nor taken back, the latest first."""
    names = member_names(agency_id)
    found = models.Invitation.objects.filter(agency_id=agency_id, accepted_at=None, revoked_at=None)
    return [
        Offer(
            each.id,
            each.email,
            each.role,
            names.get(each.invited_by_id, ""),
            each.sent_at,
            each.expires_at,
            each.expires_at <= now,
        )
        for each in found.order_by("-created_at", "-id")
    ]


@dataclasses.dataclass(frozen=True)
class OpenInvitation:
    """An invitation that nobody has taken yet, as programs read it. Its link is known to the mail alone."""

    id: UUID
    email: str
    role: str
    invited_by_id: UUID
    # None: the mail with the present link waits in the queue.
    sent_at: dt.datetime | None
    expires_at: dt.datetime
    created_at: dt.datetime


_INVITATION = [field.name for field in dataclasses.fields(OpenInvitation)]


def _open_invitations(agency_id: int) -> QuerySet[models.Invitation]:
    return models.Invitation.objects.filter(agency_id=agency_id, accepted_at=None, revoked_at=None)


def open_invitations_after(agency_id: int, after: UUID | None, limit: int) -> list[OpenInvitation]:
    """Return what is neither taken nor taken back, from `after` on in the order of their ids."""
    found = _open_invitations(agency_id).order_by("id")
    rows = (found.filter(id__gt=after) if after else found).values_list(*_INVITATION)[:limit]
    return [OpenInvitation(*row) for row in rows]


def open_invitation(agency_id: int, invitation_id: UUID) -> OpenInvitation | None:
    row = _open_invitations(agency_id).filter(id=invitation_id).values_list(*_INVITATION).first()
    return OpenInvitation(*row) if row else None


def role_offered(agency_id: int, email: str) -> str:
    """Return the role that an open invitation offers to this address; empty when there is none."""
    found = _open_invitations(agency_id).filter(email=models.normalise_email(email))
    return found.values_list("role", flat=True).first() or ""
