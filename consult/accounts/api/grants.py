"""Programs that members have signed in, such as the browser extension."""

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from ninja import Query
from pydantic import Field

from consult.accounts import queries as accounts
from consult.accounts import rules, services
from consult.accounts.api.door import caller, covers
from consult.core import api

router = api.Router(tags=["Programs"])


class Grant(api.Shape):
    """One sign-in of a program."""

    id: UUID
    client_id: str
    member_id: UUID
    scopes: list[Literal["read", "write"]]
    device: Annotated[str, Field(description="What it runs on, as it says itself.")]
    address: Annotated[str, Field(description="The network, not the device: it is cut short.")]
    created_at: dt.datetime
    last_used_at: dt.datetime
    ends_at: Annotated[dt.datetime, Field(description="However often it is used, it ends here.")]


def _grant(row: accounts.Grant) -> Grant:
    return Grant(**{name: getattr(row, name) for name in Grant.model_fields})


def _found(request: HttpRequest, grant_id: UUID) -> accounts.Grant:
    """Return the sign-in, if the caller may know of it: their own, or any for who manages tokens."""
    here = caller(request).here
    row = accounts.grant(here.agency_id, grant_id, now=dt.datetime.now(dt.UTC))
    if row is None or not (row.member_id == here.member_id or covers(request, "tokens.manage")):
        raise Http404
    return row


@router.get("", response=api.Listed[Grant], summary="List programs signed in")
def list_grants(request: HttpRequest, paging: Query[api.Paging]) -> HttpResponse:
    """One's own sign-ins of programs; for who manages the agency's tokens, all of them. Not those that have ended."""
    here = accounts.permit(request, "records.read")
    found = api.cursor(request, paging, UUID)
    after, now = found[0] if found else None, dt.datetime.now(dt.UTC)
    rows: list[accounts.Grant] = []
    if covers(request, "tokens.manage"):
        rows = accounts.grants_after(here.agency_id, after, paging.limit + 1, now=now)
    elif here.member_id:
        rows = accounts.grants_after(here.agency_id, after, paging.limit + 1, now=now, member_id=here.member_id)
    return api.listed(request, rows, paging, shape=_grant, place=lambda row: (row.id,))


@router.get("/{uuid:grant_id}", response=Grant, summary="Show a program signed in")
def show_grant(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    accounts.permit(request, "records.read")
    return api.answer(request, _grant(_found(request, grant_id)))


@router.delete("/{uuid:grant_id}", response={204: None}, summary="Sign a program out")
def revoke_grant(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    """Its tokens open nothing from this moment on. A program may always sign itself out, others need `manage`."""
    me = caller(request)
    services.lock_grant(agency_id=me.here.agency_id, grant_id=grant_id)
    row = _found(request, grant_id)
    if row.id != me.token_id and not rules.within(me.scopes, "tokens.manage"):
        raise PermissionDenied("This token's scopes do not cover it.")
    api.expect(request, _grant(row))
    services.revoke_grant(
        agency_id=me.here.agency_id, grant_id=grant_id, by=me.here.member_id, now=dt.datetime.now(dt.UTC)
    )
    return HttpResponse(status=204)
