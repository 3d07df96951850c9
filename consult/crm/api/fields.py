"""The agency's own fields of contacts, companies and deals."""

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from ninja import Query
from pydantic import Field

from consult.accounts import queries as accounts
from consult.core import api
from consult.core.errors import Refused
from consult.crm import queries, services
from consult.crm.api import values

router = api.Router(tags=["Fields"])

type Place = Literal["contact", "company", "deal"]
type FieldKind = Literal["text", "number", "date", "choice"]
Option = Annotated[api.Line, Field(max_length=100, examples=["Gold"])]


class OwnField(api.Shape):
    """One of the agency's own fields, with its choices if it is one."""

    id: UUID
    place: Place
    name: str
    kind: FieldKind
    options: list[str]


class OwnFieldInput(api.Input):
    place: Place
    name: Annotated[api.Line, Field(max_length=100, examples=["Customer number"])]
    kind: FieldKind
    options: Annotated[list[Option], Field(max_length=100, description="Of a choice, and of nothing else.")] = []


class Wanted(api.Paging):
    place: Place | None = None


def _field(row: queries.Field) -> OwnField:
    return OwnField.model_validate(vars(row))


def _found(agency_id: int, field_id: UUID) -> OwnField:
    row = next((each for each in queries.fields(agency_id) if each.id == field_id), None)
    if row is None:
        raise Http404
    return _field(row)


@router.get("", response=api.Listed[OwnField], summary="List own fields")
def list_fields(request: HttpRequest, wanted: Query[Wanted]) -> HttpResponse:
    """The fields in use, in the order in which they were made."""
    here = accounts.permit(request, "records.read")
    after = api.cursor(request, wanted, UUID)
    found = sorted(queries.fields(here.agency_id, wanted.place), key=lambda field: field.id)
    rows = [field for field in found if after is None or field.id > after[0]][: wanted.limit + 1]
    return api.listed(request, rows, wanted, shape=_field, place=lambda row: (row.id,))


@router.get("/{uuid:field_id}", response=OwnField, summary="Show an own field")
def show_field(request: HttpRequest, field_id: UUID) -> HttpResponse:
    here = accounts.permit(request, "records.read")
    return api.answer(request, _found(here.agency_id, field_id))


@router.post("", response={201: OwnField}, summary="Add an own field")
def create_field(request: HttpRequest, body: OwnFieldInput) -> HttpResponse:
    here = accounts.permit(request, "settings.manage")
    options = list(dict.fromkeys(body.options))
    if bool(options) != (body.kind == "choice"):
        raise values.wrong("/options", "A choice has options, and nothing else has.")
    try:
        with api.refusing({services.FieldTaken: ("name_taken", "")}):
            field_id = services.create_field(
                agency_id=here.agency_id,
                place=body.place,
                name=body.name,
                kind=body.kind,
                options=options,
                by=here.member_id,
            )
    except services.TooManyFields:
        raise Refused("conflict", "There are 30 fields already. Retire one that nobody fills in.") from None
    made = _found(here.agency_id, field_id)
    return api.answer(request, made, status=201, location=f"/api/v1/fields/{field_id}")


@router.delete("/{uuid:field_id}", response={204: None}, summary="Retire an own field")
def retire_field(request: HttpRequest, field_id: UUID) -> HttpResponse:
    """It stands in no form any more; what was filled in stays stored."""
    here = accounts.permit(request, "settings.manage")
    api.expect(request, _found(here.agency_id, field_id))
    with api.refusing({services.NoSuchField: ("not_found", "")}):
        services.retire_field(
            agency_id=here.agency_id, field_id=field_id, by=here.member_id, now=dt.datetime.now(dt.UTC)
        )
    return HttpResponse(status=204)
