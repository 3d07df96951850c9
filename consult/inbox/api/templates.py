"""Reply templates."""

from typing import Annotated
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from ninja import Query
from pydantic import Field

from consult.accounts import queries as accounts
from consult.core import api
from consult.core.errors import Refused
from consult.inbox import queries, services

templates = api.Router(tags=["Templates"])

REFUSALS = {
    services.NoSuchTemplate: ("not_found", ""),
    services.TemplateTaken: ("name_taken", ""),
    services.TooManyTemplates: ("conflict", ""),
    ValueError: ("invalid", "/body"),
}


class Template(api.Shape):
    """A reply that is written often, with placeholders such as {{ name }}."""

    id: UUID
    name: str
    body: str


class TemplateInput(api.Input):
    name: Annotated[api.Line, Field(max_length=60, examples=["Thank you"])]
    body: Annotated[str, Field(min_length=1, max_length=20_000, examples=["Dear {{ name }},\nthank you."])]


def _shape(row: queries.Template) -> Template:
    return Template.model_validate(vars(row))


def _found(agency_id: int, template_id: UUID) -> Template:
    row = next((each for each in queries.templates(agency_id) if each.id == template_id), None)
    if row is None:
        raise Http404
    return _shape(row)


def _unknown(unknown: services.UnknownPlaceholder) -> Refused:
    detail = f"These stand for nothing: {', '.join(each[:40] for each in unknown.names[:5])}."
    return Refused("invalid", errors=[{"pointer": "/body", "code": "invalid", "detail": detail}])


@templates.get("", response=api.Listed[Template], summary="List reply templates")
def list_templates(request: HttpRequest, paging: Query[api.Paging]) -> HttpResponse:
    """In the order in which they were made."""
    here = accounts.permit(request, "records.read")
    after = api.cursor(request, paging, UUID)
    found = sorted(queries.templates(here.agency_id), key=lambda row: row.id)
    rows = [row for row in found if after is None or row.id > after[0]][: paging.limit + 1]
    return api.listed(request, rows, paging, shape=_shape, place=lambda row: (row.id,))


@templates.post("", response={201: Template}, summary="Add a reply template")
def create_template(request: HttpRequest, body: TemplateInput) -> HttpResponse:
    """A placeholder that stands for nothing is refused."""
    here = accounts.permit(request, "records.write")
    try:
        with api.refusing(REFUSALS):
            id = services.create_template(
                agency_id=here.agency_id, name=body.name, body=body.body.replace("\0", "�"), by=here.member_id
            )
    except services.UnknownPlaceholder as unknown:
        raise _unknown(unknown) from unknown
    return api.answer(request, _found(here.agency_id, id), status=201)


@templates.put("/{uuid:template_id}", response=Template, summary="Change a reply template")
def change_template(request: HttpRequest, template_id: UUID, body: TemplateInput) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    api.expect(request, _found(here.agency_id, template_id))
    try:
        with api.refusing(REFUSALS):
            services.change_template(
                agency_id=here.agency_id,
                template_id=template_id,
                name=body.name,
                body=body.body.replace("\0", "�"),
                by=here.member_id,
            )
    except services.UnknownPlaceholder as unknown:
        raise _unknown(unknown) from unknown
    return api.answer(request, _found(here.agency_id, template_id))


@templates.delete("/{uuid:template_id}", response={204: None}, summary="Delete a reply template")
def delete_template(request: HttpRequest, template_id: UUID) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    api.expect(request, _found(here.agency_id, template_id))
    with api.refusing(REFUSALS):
        services.delete_template(agency_id=here.agency_id, template_id=template_id, by=here.member_id)
    return HttpResponse(status=204)
