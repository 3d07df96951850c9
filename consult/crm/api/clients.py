"""Clients: companies that the agency works for."""

import datetime as dt
from typing import Annotated
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from ninja import Query
from pydantic import Field

from consult.accounts import queries as accounts
from consult.core import api
from consult.crm import queries, services

router = api.Router(tags=["Clients"])

REFUSALS = {services.NoSuchClient: ("not_found", ""), services.NameTaken: ("name_taken", "")}


class Client(api.Shape):
    """A company that the agency works for."""

    id: UUID
    name: str
    created_at: dt.datetime


class ClientInput(api.Input):
    name: Annotated[api.Line, Field(max_length=200, examples=["The Daily Grind"])]


class ClientChange(api.Input):
    name: Annotated[api.Line, Field(max_length=200, default_factory=api.kept, examples=["The Daily Grind"])]


class Wanted(api.Paging):
    q: Annotated[str, Field(max_length=200, description="Part of the name.")] = ""


def _client(row: queries.Client) -> Client:
    return Client(id=row.id, name=row.name, created_at=row.created_at)


def _found(agency_id: int, client_id: UUID) -> Client:
    row = queries.client(agency_id, client_id)
    if row is None:
        raise Http404
    return _client(row)


@router.get("", response=api.Listed[Client], summary="List clients")
def list_clients(request: HttpRequest, wanted: Query[Wanted]) -> HttpResponse:
    """The agency's clients in the order in which they were added."""
    here = accounts.permit(request, "records.read")
    after = api.cursor(request, wanted, UUID)
    rows = queries.clients_after(here.agency_id, after[0] if after else None, wanted.limit + 1, search=wanted.q)
    return api.listed(request, rows, wanted, shape=_client, place=lambda row: (row.id,))


@router.get("/{uuid:client_id}", response=Client, summary="Show a client")
def show_client(request: HttpRequest, client_id: UUID) -> HttpResponse:
    here = accounts.permit(request, "records.read")
    return api.answer(request, _found(here.agency_id, client_id))


@router.post("", response={201: Client}, summary="Add a client")
def create_client(request: HttpRequest, body: ClientInput) -> HttpResponse:
    here = accounts.permit(request, "sites.manage")
    with api.refusing(REFUSALS):
        client_id = services.create_client(agency_id=here.agency_id, name=body.name, by=here.member_id)
    location = f"/api/v1/clients/{client_id}"
    return api.answer(request, _found(here.agency_id, client_id), status=201, location=location)


@router.patch("/{uuid:client_id}", response=Client, summary="Change a client")
def update_client(request: HttpRequest, client_id: UUID, body: ClientChange) -> HttpResponse:
    """Names that the body does not hold stay as they are."""
    here = accounts.permit(request, "sites.manage")
    with api.refusing(REFUSALS):
        services.lock_client(agency_id=here.agency_id, client_id=client_id)
        now = _found(here.agency_id, client_id)
        api.expect(request, now)
        services.update_client(
            agency_id=here.agency_id, client_id=client_id, name=body.name or now.name, by=here.member_id
        )
    return api.answer(request, _found(here.agency_id, client_id))
