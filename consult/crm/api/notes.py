"""What staff wrote down about a contact, a company or a deal."""

import datetime as dt
from typing import Annotated
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from ninja import Query
from pydantic import Field

from consult.accounts import queries as accounts
from consult.core import api
from consult.crm import queries, services
from consult.crm.queries.labels import Place

contacts = api.Router(tags=["Contacts"])
companies = api.Router(tags=["Companies"])
deals = api.Router(tags=["Deals"])

MISSING = (queries.NoSuchContact, queries.NoSuchCompany, queries.NoSuchDeal)


class CrmNote(api.Shape):
    """What staff wrote down."""

    id: UUID
    author_id: Annotated[UUID | None, Field(description="A member; null: the agency's own token.")]
    body: str
    created_at: dt.datetime


class CrmNoteInput(api.Input):
    body: Annotated[str, Field(min_length=1, max_length=50_000, examples=["Prefers to be called in the morning."])]


def _note(row: queries.Noted) -> CrmNote:
    return CrmNote(**vars(row))


def _list(request: HttpRequest, place: Place, id: UUID, paging: api.Paging) -> HttpResponse:
    here = accounts.permit(request, "records.read")
    after = api.cursor(request, paging, UUID)
    try:
        rows = queries.notes_after(here.agency_id, place, id, after[0] if after else None, paging.limit + 1)
    except MISSING:
        raise Http404 from None
    return api.listed(request, rows, paging, shape=_note, place=lambda row: (row.id,))


def _add(request: HttpRequest, place: Place, id: UUID, body: CrmNoteInput) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    try:
        with api.refusing({services.EmptyNote: ("invalid", "/body")}):
            note_id = services.add_note(agency_id=here.agency_id, place=place, id=id, body=body.body, by=here.member_id)
    except MISSING:
        raise Http404 from None
    row = queries.note(here.agency_id, note_id)
    if row is None:
        raise Http404
    return api.answer(request, _note(row), status=201)


@contacts.get("/{uuid:contact_id}/notes", response=api.Listed[CrmNote], summary="List a contact's notes")
def list_contact_notes(request: HttpRequest, contact_id: UUID, paging: Query[api.Paging]) -> HttpResponse:
    """The oldest first; with those of contacts that were merged into it."""
    return _list(request, "contact", contact_id, paging)


@contacts.post("/{uuid:contact_id}/notes", response={201: CrmNote}, summary="Add a note to a contact")
def add_contact_note(request: HttpRequest, contact_id: UUID, body: CrmNoteInput) -> HttpResponse:
    return _add(request, "contact", contact_id, body)


@companies.get("/{uuid:company_id}/notes", response=api.Listed[CrmNote], summary="List a company's notes")
def list_company_notes(request: HttpRequest, company_id: UUID, paging: Query[api.Paging]) -> HttpResponse:
    """The oldest first."""
    return _list(request, "company", company_id, paging)


@companies.post("/{uuid:company_id}/notes", response={201: CrmNote}, summary="Add a note to a company")
def add_company_note(request: HttpRequest, company_id: UUID, body: CrmNoteInput) -> HttpResponse:
    return _add(request, "company", company_id, body)


@deals.get("/{uuid:deal_id}/notes", response=api.Listed[CrmNote], summary="List a deal's notes")
def list_deal_notes(request: HttpRequest, deal_id: UUID, paging: Query[api.Paging]) -> HttpResponse:
    """The oldest first."""
    return _list(request, "deal", deal_id, paging)


@deals.post("/{uuid:deal_id}/notes", response={201: CrmNote}, summary="Add a note to a deal")
def add_deal_note(request: HttpRequest, deal_id: UUID, body: CrmNoteInput) -> HttpResponse:
    return _add(request, "deal", deal_id, body)
