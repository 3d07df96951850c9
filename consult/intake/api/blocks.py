"""Blocked senders."""

import datetime as dt
from typing import Annotated
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from ninja import Query
from pydantic import Field

from consult.accounts import queries as accounts
from consult.core import api
from consult.intake import queries, services

router = api.Router(tags=["Blocked senders"])

REFUSALS = {
    services.NoSuchBlock: ("not_found", ""),
    services.NotBlockable: ("invalid", "/sender"),
    services.FreeMail: ("invalid", "/sender"),
    services.TooManyBlocks: ("conflict", ""),
}


class BlockedSender(api.Shape):
    """Whose messages are held: nothing of them is lost, and nobody is told of it."""

    id: UUID
    sender: Annotated[str, Field(description="An address, or @ and a domain, which stands for all below it as well.")]
    reason: str
    by_id: UUID | None
    created_at: dt.datetime


class BlockInput(api.Input):
    sender: Annotated[api.Line, Field(max_length=320, examples=["spam@example.com"])]
    reason: Annotated[api.Words, Field(max_length=200)] = ""


def _shape(row: queries.Block) -> BlockedSender:
    return BlockedSender(**vars(row))


def _found(agency_id: int, block_id: UUID) -> BlockedSender:
    row = queries.block(agency_id, block_id)
    if row is None:
        raise Http404
    return _shape(row)


@router.get("", response=api.Listed[BlockedSender], summary="List blocked senders")
def list_blocked_senders(request: HttpRequest, paging: Query[api.Paging]) -> HttpResponse:
    """In the order in which they were blocked."""
    here = accounts.permit(request, "records.read")
    after = api.cursor(request, paging, UUID)
    rows = queries.blocks_after(here.agency_id, after[0] if after else None, paging.limit + 1)
    return api.listed(request, rows, paging, shape=_shape, place=lambda row: (row.id,))


@router.post("", response={201: BlockedSender}, summary="Block a sender")
def block_sender(request: HttpRequest, body: BlockInput) -> HttpResponse:
    """An address, or a domain (`@example.com`). Free providers' domains are refused. Twice is the same as once."""
    here = accounts.permit(request, "records.write")
    with api.refusing(REFUSALS):
        id = services.block_sender(agency_id=here.agency_id, sender=body.sender, reason=body.reason, by=here.member_id)
    return api.answer(request, _found(here.agency_id, id), status=201)


@router.delete("/{uuid:block_id}", response={204: None}, summary="Unblock a sender")
def unblock_sender(request: HttpRequest, block_id: UUID) -> HttpResponse:
    """What was held meanwhile stays held."""
    here = accounts.permit(request, "records.write")
    api.expect(request, _found(here.agency_id, block_id))
    with api.refusing(REFUSALS):
        services.unblock_sender(agency_id=here.agency_id, block_id=block_id, by=here.member_id)
    return HttpResponse(status=204)
