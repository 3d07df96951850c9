"""Invitations: places that are offered by e-mail. Their links are in the mails alone."""

import datetime as dt
from collections.abc import Callable
from typing import Annotated, Literal
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from ninja import Query
from pydantic import Field, StrictInt

from consult.accounts import queries as accounts
from consult.accounts import services
from consult.core import api
from consult.core.errors import Refused

router = api.Router(tags=["Invitations"])

REFUSALS = {
    services.NoSuchInvitation: ("not_found", ""),
    services.BadInvitation: ("invalid", "/email"),
    services.NotYours: ("not_allowed", ""),
}


class Invitation(api.Shape):
    """A place that nobody has taken yet. Its link is told to nobody but the address."""

    id: UUID
    email: str
    role: str
    invited_by_id: UUID
    sent_at: Annotated[dt.datetime | None, Field(description="When the present link went out; null: it waits.")]
    expires_at: dt.datetime
    created_at: dt.datetime


class InvitationInput(api.Input):
    email: Annotated[api.Line, Field(max_length=254, examples=["ann@agency.example"])]
    # No owner: nobody becomes one by a token.
    role: Literal["admin", "member", "viewer"] = "member"
    days: Annotated[
        StrictInt, Field(ge=1, le=services.MOST_INVITATION_DAYS, description="For so long the link works.")
    ] = services.INVITATION_DAYS


def _found(agency_id: int, invitation_id: UUID) -> Invitation:
    row = accounts.open_invitation(agency_id, invitation_id)
    if row is None:
        raise Http404
    return Invitation(**vars(row))


@router.get("", response=api.Listed[Invitation], summary="List invitations")
def list_invitations(request: HttpRequest, paging: Query[api.Paging]) -> HttpResponse:
    """Those that are neither taken nor taken back, also expired ones, in the order in which they were made."""
    here = accounts.permit(request, "records.read")
    after = api.cursor(request, paging, UUID)
    rows = accounts.open_invitations_after(here.agency_id, after[0] if after else None, paging.limit + 1)
    return api.listed(request, rows, paging, shape=lambda row: Invitation(**vars(row)), place=lambda row: (row.id,))


@router.get("/{uuid:invitation_id}", response=Invitation, summary="Show an invitation")
def show_invitation(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    here = accounts.permit(request, "records.read")
    return api.answer(request, _found(here.agency_id, invitation_id))


@router.post("", response={201: Invitation}, summary="Invite somebody")
def invite_member(request: HttpRequest, body: InvitationInput) -> HttpResponse:
    """Sends a link in the name of the token's member. Who has an open invitation gets a new link in its place.

    409: somebody of this address is in the agency, or it has sent as many invitations as it may in a day.
    """
    here = accounts.permit(request, "members.manage")
    by = _inviter(here)
    now = dt.datetime.now(dt.UTC)
    services.lock_agency(agency_id=here.agency_id)
    _refuse_owners(accounts.role_offered(here.agency_id, body.email))
    with api.refusing(REFUSALS):
        invitation_id = _sent(
            lambda: services.invite_member(
                agency_id=here.agency_id, email=body.email, role=body.role, by=by, now=now, days=body.days
            )
        )
    location = f"/api/v1/invitations/{invitation_id}"
    return api.answer(request, _found(here.agency_id, invitation_id), status=201, location=location)


@router.post("/{uuid:invitation_id}/resend", response=Invitation, summary="Send an invitation again")
def resend_invitation(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """Sends a new link, in the name of the token's member; the one before does not work any more."""
    here = _manage(request, invitation_id)
    by, now = _inviter(here), dt.datetime.now(dt.UTC)
    with api.refusing(REFUSALS):
        _sent(lambda: services.resend_invitation(agency_id=here.agency_id, invitation_id=invitation_id, by=by, now=now))
    return api.answer(request, _found(here.agency_id, invitation_id))


@router.delete("/{uuid:invitation_id}", response={204: None}, summary="Take an invitation back")
def revoke_invitation(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """Its link does not work any more."""
    here = _manage(request, invitation_id)
    now = dt.datetime.now(dt.UTC)
    with api.refusing(REFUSALS):
        services.revoke_invitation(
            agency_id=here.agency_id, invitation_id=invitation_id, by=here.member_id, by_role=here.role, now=now
        )
    return HttpResponse(status=204)


def _manage(request: HttpRequest, invitation_id: UUID) -> accounts.Membership:
    """Let in who manages invitations, if this one is open, as the caller knows it, and makes nobody an owner."""
    here = accounts.permit(request, "members.manage")
    with api.refusing(REFUSALS):
        services.lock_invitation(agency_id=here.agency_id, invitation_id=invitation_id)
    found = _found(here.agency_id, invitation_id)
    _refuse_owners(found.role)
    api.expect(request, found)
    return here


def _refuse_owners(role: str) -> None:
    if role == "owner":
        raise PermissionDenied("An invitation for an owner is the owners' own: they change it on the page of people.")


def _inviter(here: accounts.Membership) -> UUID:
    if here.member_id is None:
        raise PermissionDenied("Somebody invites, by name. This token belongs to the agency and is nobody.")
    return here.member_id


def _sent[Result](send: Callable[[], Result]) -> Result:
    """Say what stands against a mail to this address."""
    try:
        return send()
    except services.AlreadyMember:
        raise Refused("conflict", "Somebody with this address is in the agency already.") from None
    except services.TooManyInvitations:
        raise Refused("conflict", "That is as many invitations as an agency may send in a day.") from None
