"""Who calls, and the agency's members."""

import datetime as dt
from typing import Literal
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from ninja import Query

from consult.accounts import queries as accounts
from consult.accounts import services
from consult.accounts.api.door import caller
from consult.core import api

router = api.Router(tags=["Members"])


# Whoever calls may have lost their role, or their place, since they were let in.
REFUSALS = {
    services.NoSuchMember: ("not_found", ""),
    services.NotYours: ("not_allowed", ""),
    services.LastOwner: ("conflict", ""),
}


class Agency(api.Shape):
    slug: str
    name: str
    time_zone: str
    currency: str
    week_start: int


class Member(api.Shape):
    id: UUID
    name: str
    email: str
    role: str
    has_left: bool


class MemberChange(api.Input):
    # No owner: nobody becomes one by a token.
    role: Literal["admin", "member", "viewer"]


class Me(api.Shape):
    """Whom the token speaks for. `member` is null for a token of the agency itself."""

    agency: Agency
    member: Member | None
    role: str
    scopes: list[str]
    token_id: UUID


def _member(person: accounts.Person) -> Member:
    return Member(id=person.id, name=person.name, email=person.email, role=person.role, has_left=person.has_left)


@router.get("/me", response=Me, summary="Show who calls")
def show_me(request: HttpRequest) -> HttpResponse:
    """Whose the token is, in which agency, with which role and scopes. Any token may ask."""
    found = caller(request)
    here = found.here
    person = accounts.person(here.agency_id, here.member_id) if here.member_id else None
    me = Me(
        agency=Agency(
            slug=here.slug,
            name=here.name,
            time_zone=here.time_zone,
            currency=here.currency,
            week_start=here.week_start,
        ),
        member=_member(person) if person else None,
        role=here.role,
        scopes=sorted(found.scopes),
        token_id=found.token_id,
    )
    return api.answer(request, me)


@router.get("/members", response=api.Listed[Member], summary="List members")
def list_members(request: HttpRequest, paging: Query[api.Paging]) -> HttpResponse:
    """The agency's members, in the order in which they came; also those who have left, since what they did stays."""
    here = accounts.permit(request, "records.read")
    after = api.cursor(request, paging, UUID)
    rows = accounts.people_after(here.agency_id, after[0] if after else None, paging.limit + 1)
    return api.listed(request, rows, paging, shape=_member, place=lambda row: (row.id,))


@router.get("/members/{uuid:member_id}", response=Member, summary="Show a member")
def show_member(request: HttpRequest, member_id: UUID) -> HttpResponse:
    here = accounts.permit(request, "records.read")
    return api.answer(request, _found(here.agency_id, member_id))


def _found(agency_id: int, member_id: UUID) -> Member:
    person = accounts.person(agency_id, member_id)
    if person is None:
        raise Http404
    return _member(person)


def _manage(request: HttpRequest, member_id: UUID) -> accounts.Membership:
    """Let in who manages members, if this one is here, as the caller knows them, and no owner; nobody else changes it.

    An owner's own token does not reach owners either: who has it must not get the agency.
    """
    here = accounts.permit(request, "members.manage")
    services.lock_agency(agency_id=here.agency_id)
    member = _found(here.agency_id, member_id)
    if member.has_left:
        raise Http404
    if member.role == "owner":
        raise PermissionDenied("No token changes or removes an owner: owners do that on the page of people.")
    api.expect(request, member)
    return here


@router.patch("/members/{uuid:member_id}", response=Member, summary="Change a member's role")
def change_role(request: HttpRequest, member_id: UUID, body: MemberChange) -> HttpResponse:
    """It holds from their next request on. No token makes an owner of somebody, or changes one."""
    here = _manage(request, member_id)
    with api.refusing(REFUSALS):
        services.change_role(
            agency_id=here.agency_id,
            member_id=member_id,
            role=body.role,
            by=here.member_id,
            by_role=here.role,
            now=dt.datetime.now(dt.UTC),
        )
    return api.answer(request, _found(here.agency_id, member_id))


@router.delete("/members/{uuid:member_id}", response={204: None}, summary="Remove a member")
def remove_member(request: HttpRequest, member_id: UUID) -> HttpResponse:
    """They are out at once, with their tokens and programs; what they did stays theirs. No token removes an owner."""
    here = _manage(request, member_id)
    now = dt.datetime.now(dt.UTC)
    with api.refusing(REFUSALS):
        services.remove_member(
            agency_id=here.agency_id, member_id=member_id, by=here.member_id, by_role=here.role, now=now
        )
    return HttpResponse(status=204)
