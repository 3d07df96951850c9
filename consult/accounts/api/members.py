"""Who calls, and the agency's members."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from ninja import Query

from consult.accounts import queries as accounts
from consult.accounts.api.door import caller
from consult.core import api

router = api.Router(tags=["Members"])


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
    person = accounts.person(here.agency_id, member_id)
    if person is None:
        raise Http404
    return api.answer(request, _member(person))
