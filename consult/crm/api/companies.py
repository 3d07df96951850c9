"""Companies that the agency knows."""

import datetime as dt
from typing import Annotated, Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from ninja import Query
from pydantic import AfterValidator, Field

from consult.accounts import queries as accounts
from consult.core import api
from consult.crm import queries, rules, services
from consult.crm.api import values

router = api.Router(tags=["Companies"])

REFUSALS = {queries.NoSuchCompany: ("not_found", ""), ValueError: ("invalid", "")}


def _website(text: str) -> str:
    if not text:
        return ""
    if not text.lower().startswith(("https://", "http://")) or " " in text or not rules.domain(text):
        raise ValueError("This is no address of a website, such as https://example.com.")
    return text


Name = Annotated[api.Line, Field(max_length=200, examples=["Rosa GmbH"])]
Website = Annotated[api.Words, Field(max_length=500, examples=["https://rosa.example"]), AfterValidator(_website)]
Phone = Annotated[api.Words, Field(max_length=50)]
Address = Annotated[str, Field(max_length=2000)]


class Company(api.Shape):
    """A company. `client_id`: the client that it is to the agency, where it is one."""

    id: UUID
    name: str
    website: str
    phone: str
    address: str
    client_id: UUID | None
    labels: list[str]
    custom: list[values.Own]
    origin_submission_id: UUID | None
    created_at: dt.datetime


class CompanyInput(api.Input):
    name: Name
    website: Website = ""
    phone: Phone = ""
    address: Address = ""
    client_id: UUID | None = None
    labels: values.Labels = []
    custom: values.Owns = []


class CompanyChange(api.Input):
    name: Annotated[Name, Field(default_factory=api.kept)]
    website: Annotated[Website, Field(default_factory=api.kept)]
    phone: Annotated[Phone, Field(default_factory=api.kept)]
    address: Annotated[Address, Field(default_factory=api.kept)]
    client_id: Annotated[UUID | None, Field(default_factory=api.kept)]
    labels: Annotated[values.Labels, Field(default_factory=api.kept)]
    custom: Annotated[values.Owns, Field(default_factory=api.kept)]


class Wanted(api.Paging):
    q: Annotated[str, Field(max_length=200, description="Part of the name or the website's host.")] = ""
    label_id: UUID | None = None
    client_id: UUID | None = None


def _company(row: queries.Company) -> Company:
    named = {name: getattr(row, name) for name in Company.model_fields if name != "custom"}
    return Company(**named, custom=values.owns(row.custom))


def _row(agency_id: int, company_id: UUID) -> queries.Company:
    try:
        return queries.company(agency_id, company_id)
    except queries.NoSuchCompany:
        raise Http404 from None


@router.get("", response=api.Listed[Company], summary="List companies")
def list_companies(request: HttpRequest, wanted: Query[Wanted]) -> HttpResponse:
    """The agency's companies in the order in which they were added."""
    here = accounts.permit(request, "records.read")
    after = api.cursor(request, wanted, UUID)
    rows = queries.companies_after(
        here.agency_id,
        after[0] if after else None,
        wanted.limit + 1,
        search=wanted.q,
        label_id=wanted.label_id,
        client_id=wanted.client_id,
    )
    return api.listed(request, rows, wanted, shape=_company, place=lambda row: (row.id,))


@router.get("/{uuid:company_id}", response=Company, summary="Show a company")
def show_company(request: HttpRequest, company_id: UUID) -> HttpResponse:
    here = accounts.permit(request, "records.read")
    return api.answer(request, _company(_row(here.agency_id, company_id)))


@router.post("", response={201: Company}, summary="Add a company")
def create_company(request: HttpRequest, body: CompanyInput) -> HttpResponse:
    """Also beside one of the same name: there is more than one Café Rosa."""
    here = accounts.permit(request, "records.write")
    values.expect_client(here.agency_id, body.client_id)
    named = {name: each for name, each in dict(body).items() if name not in ("labels", "custom")}
    custom = values.custom(here.agency_id, "company", body.custom, {})
    with api.refusing(REFUSALS):
        company_id = services.create_company(agency_id=here.agency_id, by=here.member_id, custom=custom, **named)
        if body.labels:
            values.label(here.agency_id, "company", company_id, body.labels, here.member_id)
    location = f"/api/v1/companies/{company_id}"
    return api.answer(request, _company(_row(here.agency_id, company_id)), status=201, location=location)


@router.patch("/{uuid:company_id}", response=Company, summary="Change a company")
def update_company(request: HttpRequest, company_id: UUID, body: CompanyChange) -> HttpResponse:
    """Names that the body does not hold stay as they are."""
    here = accounts.permit(request, "records.write")
    given = body.given()
    values.expect_client(here.agency_id, given.get("client_id"))
    with api.refusing(REFUSALS):
        services.lock_company(agency_id=here.agency_id, company_id=company_id)
        row = _row(here.agency_id, company_id)
        api.expect(request, _company(row))
        kept: dict[str, Any] = {
            name: given.get(name, getattr(row, name)) for name in ("name", "website", "phone", "address", "client_id")
        }
        custom = values.custom(here.agency_id, "company", given.get("custom", ()), row.custom)
        services.update_company(
            agency_id=here.agency_id, company_id=company_id, by=here.member_id, custom=custom, **kept
        )
        if "labels" in given:
            values.label(here.agency_id, "company", company_id, given["labels"], here.member_id)
    return api.answer(request, _company(_row(here.agency_id, company_id)))
