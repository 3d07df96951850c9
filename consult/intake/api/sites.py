"""Sites: websites of clients, or of the agency itself."""

import datetime as dt
from typing import Annotated
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from ninja import Query
from pydantic import Field

from consult.accounts import queries as accounts
from consult.core import api
from consult.intake import queries, services
from consult.intake.api.texts import Name, Url

router = api.Router(tags=["Sites"])

REFUSALS = {services.NoSuchSite: ("not_found", ""), services.NoSuchClient: ("invalid", "/client_id")}


class Site(api.Shape):
    """A website of a client; of the agency itself when `client_id` is null."""

    id: UUID
    name: str
    url: str
    client_id: UUID | None
    fallback_contact: Annotated[
        str, Field(description="How else to reach them: shown to a visitor whose message cannot be stored.")
    ]
    created_at: dt.datetime


class SiteInput(api.Input):
    name: Annotated[Name, Field(examples=["The Daily Grind"])]
    url: Url
    client_id: UUID | None = None
    fallback_contact: Annotated[api.Words, Field(max_length=320)] = ""


class SiteChange(api.Input):
    name: Annotated[Name, Field(default_factory=api.kept)]
    url: Annotated[Url, Field(default_factory=api.kept)]
    client_id: Annotated[UUID | None, Field(default_factory=api.kept)]
    fallback_contact: Annotated[api.Words, Field(max_length=320, default_factory=api.kept)]


class WantedSites(api.Paging):
    client_id: UUID | None = None


def _site(row: queries.Site) -> Site:
    return Site(**vars(row))


def _found_site(agency_id: int, site_id: UUID) -> Site:
    row = queries.site_row(agency_id, site_id)
    if row is None:
        raise Http404
    return _site(row)


@router.get("", response=api.Listed[Site], summary="List sites")
def list_sites(request: HttpRequest, wanted: Query[WantedSites]) -> HttpResponse:
    """The agency's sites in the order in which they were added."""
    here = accounts.permit(request, "records.read")
    after = api.cursor(request, wanted, UUID)
    start = after[0] if after else None
    rows = queries.sites_after(here.agency_id, start, wanted.limit + 1, client_id=wanted.client_id)
    return api.listed(request, rows, wanted, shape=_site, place=lambda row: (row.id,))


@router.get("/{uuid:site_id}", response=Site, summary="Show a site")
def show_site(request: HttpRequest, site_id: UUID) -> HttpResponse:
    here = accounts.permit(request, "records.read")
    return api.answer(request, _found_site(here.agency_id, site_id))


@router.post("", response={201: Site}, summary="Add a site")
def create_site(request: HttpRequest, body: SiteInput) -> HttpResponse:
    here = accounts.permit(request, "sites.manage")
    with api.refusing(REFUSALS):
        site_id = services.create_site(agency_id=here.agency_id, by=here.member_id, **dict(body))
    location = f"/api/v1/sites/{site_id}"
    return api.answer(request, _found_site(here.agency_id, site_id), status=201, location=location)


@router.patch("/{uuid:site_id}", response=Site, summary="Change a site")
def update_site(request: HttpRequest, site_id: UUID, body: SiteChange) -> HttpResponse:
    """Names that the body does not hold stay as they are; `client_id: null` makes it the agency's own."""
    here = accounts.permit(request, "sites.manage")
    with api.refusing(REFUSALS):
        services.lock_site(agency_id=here.agency_id, site_id=site_id)
        now = _found_site(here.agency_id, site_id)
        api.expect(request, now)
        kept = {name: getattr(now, name) for name in SiteChange.model_fields}
        services.update_site(agency_id=here.agency_id, site_id=site_id, by=here.member_id, **{**kept, **body.given()})
    return api.answer(request, _found_site(here.agency_id, site_id))
