"""Stages of the pipeline."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query

from consult.accounts import queries as accounts
from consult.core import api
from consult.crm import queries

router = api.Router(tags=["Deals"])


class Stage(api.Shape):
    """A step of the pipeline."""

    id: UUID
    name: str
    position: int


@router.get("", response=api.Listed[Stage], summary="List stages")
def list_stages(request: HttpRequest, paging: Query[api.Paging]) -> HttpResponse:
    """The pipeline's stages in their order; none before the first deal."""
    here = accounts.permit(request, "records.read")
    after = api.cursor(request, paging, int)
    rows = [stage for stage in queries.stages(here.agency_id) if after is None or stage.position > after[0]]
    return api.listed(
        request,
        rows[: paging.limit + 1],
        paging,
        shape=lambda row: Stage(**vars(row)),
        place=lambda row: (row.position,),
    )
