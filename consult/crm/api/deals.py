"""Deals: work that may be won."""

import datetime as dt
from collections.abc import Callable
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from ninja import Query
from pydantic import Field, StrictInt

from consult.accounts import queries as accounts
from consult.core import api
from consult.core.errors import Refused
from consult.crm import queries, rules, services
from consult.crm.api import values

router = api.Router(tags=["Deals"])

REFUSALS = {
    queries.NoSuchDeal: ("not_found", ""),
    queries.NoSuchContact: ("invalid", "/contact_id"),
    queries.NoSuchCompany: ("invalid", "/company_id"),
    services.NoSuchStage: ("invalid", "/stage_id"),
    services.NoReason: ("invalid", "/reason"),
    ValueError: ("invalid", ""),
}
type DealStatus = Literal["open", "won", "lost"]
Title = Annotated[api.Line, Field(max_length=200, examples=["New shop"])]
Value = Annotated[
    StrictInt, Field(ge=0, le=rules.MOST_MINOR, description="In minor units of the currency.", examples=[480_000])
]
Currency = Annotated[
    str, Field(pattern="^[A-Z]{3}$", description="ISO 4217; unless named, the agency's own.", examples=["EUR"])
]


class Deal(api.Shape):
    """Work that may be won. `currency` is empty while it has no value."""

    id: UUID
    title: str
    status: DealStatus
    stage_id: UUID
    stage_entered_at: dt.datetime
    value_minor: int | None
    currency: str
    contact_id: UUID | None
    company_id: UUID | None
    owner_id: UUID | None
    expected_on: dt.date | None
    lost_reason: str
    closed_at: dt.datetime | None
    labels: list[str]
    custom: list[values.Own]
    origin_submission_id: UUID | None
    created_at: dt.datetime


class DealInput(api.Input):
    title: Title
    value_minor: Value | None = None
    currency: Currency | None = None
    contact_id: UUID | None = None
    company_id: Annotated[UUID | None, Field(description="Null: the contact's.")] = None
    stage_id: Annotated[UUID | None, Field(description="Null: the first one.")] = None
    owner_id: UUID | None = None
    expected_on: values.Day | None = None
    labels: values.Labels = []
    custom: values.Owns = []


class DealChange(api.Input):
    """Its stage and its end have actions of their own."""

    title: Annotated[Title, Field(default_factory=api.kept)]
    value_minor: Annotated[Value | None, Field(default_factory=api.kept)]
    currency: Annotated[Currency, Field(default_factory=api.kept)]
    contact_id: Annotated[UUID | None, Field(default_factory=api.kept)]
    company_id: Annotated[UUID | None, Field(default_factory=api.kept)]
    owner_id: Annotated[UUID | None, Field(default_factory=api.kept)]
    expected_on: Annotated[values.Day | None, Field(default_factory=api.kept)]
    labels: Annotated[values.Labels, Field(default_factory=api.kept)]
    custom: Annotated[values.Owns, Field(default_factory=api.kept)]


class Move(api.Input):
    stage_id: UUID


class Loss(api.Input):
    reason: Annotated[api.Line, Field(max_length=500, examples=["Too dear for them."])]


class Wanted(api.Paging):
    status: DealStatus | None = None
    stage_id: UUID | None = None
    owner_id: UUID | None = None
    contact_id: UUID | None = None
    company_id: UUID | None = None


def _deal(row: queries.Deal) -> Deal:
    named = {name: getattr(row, name) for name in Deal.model_fields if name != "custom"}
    return Deal(**named, custom=values.owns(row.custom))


def _row(agency_id: int, deal_id: UUID) -> queries.Deal:
    try:
        return queries.deal(agency_id, deal_id)
    except queries.NoSuchDeal:
        raise Http404 from None


def _expect(here: accounts.Membership, owner_id: UUID | None, currency: str | None) -> None:
    """Raise Refused when the agency has no such member, or nobody pays in such a currency."""
    if owner_id and owner_id not in {each.id for each in accounts.members(here.agency_id)}:
        raise values.wrong("/owner_id", "There is no such member.")
    if currency and currency not in {*rules.CURRENCIES, *rules.MINOR_DIGITS, here.currency}:
        raise values.wrong("/currency", "This currency is not known here.")


@router.get("", response=api.Listed[Deal], summary="List deals")
def list_deals(request: HttpRequest, wanted: Query[Wanted]) -> HttpResponse:
    """The agency's deals in the order in which they were opened."""
    here = accounts.permit(request, "records.read")
    after = api.cursor(request, wanted, UUID)
    rows = queries.deals_after(
        here.agency_id,
        after[0] if after else None,
        wanted.limit + 1,
        status=wanted.status,
        stage_id=wanted.stage_id,
        owner_id=wanted.owner_id,
        contact_id=wanted.contact_id,
        company_id=wanted.company_id,
    )
    return api.listed(request, rows, wanted, shape=_deal, place=lambda row: (row.id,))


@router.get("/{uuid:deal_id}", response=Deal, summary="Show a deal")
def show_deal(request: HttpRequest, deal_id: UUID) -> HttpResponse:
    here = accounts.permit(request, "records.read")
    return api.answer(request, _deal(_row(here.agency_id, deal_id)))


@router.post("", response={201: Deal}, summary="Open a deal")
def create_deal(request: HttpRequest, body: DealInput) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    _expect(here, body.owner_id, body.currency)
    named = {name: each for name, each in dict(body).items() if name not in ("labels", "custom", "currency")}
    custom = values.custom(here.agency_id, "deal", body.custom, {})
    with api.refusing(REFUSALS):
        deal_id = services.create_deal(
            agency_id=here.agency_id, by=here.member_id, custom=custom, currency=body.currency or "", **named
        )
        if body.labels:
            values.label(here.agency_id, "deal", deal_id, body.labels, here.member_id)
    location = f"/api/v1/deals/{deal_id}"
    return api.answer(request, _deal(_row(here.agency_id, deal_id)), status=201, location=location)


@router.patch("/{uuid:deal_id}", response=Deal, summary="Change a deal")
def update_deal(request: HttpRequest, deal_id: UUID, body: DealChange) -> HttpResponse:
    """Names that the body does not hold stay as they are."""
    here = accounts.permit(request, "records.write")
    given = body.given()
    _expect(here, given.get("owner_id"), given.get("currency"))
    with api.refusing(REFUSALS):
        services.lock_deal(agency_id=here.agency_id, deal_id=deal_id)
        row = _row(here.agency_id, deal_id)
        api.expect(request, _deal(row))
        kept: dict[str, Any] = {
            name: given.get(name, getattr(row, name))
            for name in ("title", "value_minor", "currency", "contact_id", "company_id", "owner_id", "expected_on")
        }
        custom = values.custom(here.agency_id, "deal", given.get("custom", ()), row.custom)
        services.update_deal(agency_id=here.agency_id, deal_id=deal_id, by=here.member_id, custom=custom, **kept)
        if "labels" in given:
            values.label(here.agency_id, "deal", deal_id, given["labels"], here.member_id)
    return api.answer(request, _deal(_row(here.agency_id, deal_id)))


def _change(request: HttpRequest, deal_id: UUID, change: Callable[..., None], **more: Any) -> HttpResponse:
    """Let somebody who may write make a change, and answer with the deal as it is then."""
    here = accounts.permit(request, "records.write")
    with api.refusing(REFUSALS):
        services.lock_deal(agency_id=here.agency_id, deal_id=deal_id)
        api.expect(request, _deal(_row(here.agency_id, deal_id)))
        try:
            change(agency_id=here.agency_id, deal_id=deal_id, by=here.member_id, now=dt.datetime.now(dt.UTC), **more)
        except services.DealClosed:
            raise Refused("conflict", "The deal is won or lost already. Open it again first.") from None
    return api.answer(request, _deal(_row(here.agency_id, deal_id)))


@router.post("/{uuid:deal_id}/move", response=Deal, summary="Move a deal to a stage")
def move_deal(request: HttpRequest, deal_id: UUID, body: Move) -> HttpResponse:
    """Only an open one moves; 409 for any other."""
    return _change(request, deal_id, services.move_deal, stage_id=body.stage_id)


@router.post("/{uuid:deal_id}/win", response=Deal, summary="Win a deal")
def win_deal(request: HttpRequest, deal_id: UUID) -> HttpResponse:
    """A won one stays as it is; 409 for a lost one."""
    return _change(request, deal_id, services.win_deal)


@router.post("/{uuid:deal_id}/lose", response=Deal, summary="Lose a deal")
def lose_deal(request: HttpRequest, deal_id: UUID, body: Loss) -> HttpResponse:
    """A lost one stays as it is; 409 for a won one."""
    return _change(request, deal_id, services.lose_deal, reason=body.reason)


@router.post("/{uuid:deal_id}/reopen", response=Deal, summary="Open a deal again")
def reopen_deal(request: HttpRequest, deal_id: UUID) -> HttpResponse:
    """In the stage that it was in; an open one stays as it is."""
    return _change(request, deal_id, services.reopen_deal)
