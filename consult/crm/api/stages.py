"""Stages of the pipeline."""

import datetime as dt
from typing import Annotated
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query
from pydantic import Field

from consult.accounts import queries as accounts
from consult.core import api
from consult.core.errors import Refused
from consult.crm import queries, services
from consult.crm.api import values

router = api.Router(tags=["Deals"])

Name = Annotated[api.Line, Field(max_length=50, examples=["Proposal"])]


class Stage(api.Shape):
    """A step of the pipeline."""

    id: UUID
    name: str
    position: int


class StageInput(api.Input):
    name: Name


class StageOrder(api.Input):
    stage_ids: Annotated[
        list[UUID], Field(max_length=50, description="All stages, in the order that they are to have.")
    ]


class Retiring(api.Input):
    to_id: Annotated[
        UUID | None,
        Field(
            description="Where its open deals go; null where it has none.",
            examples=["0198b1a2-7c3e-7d4f-8a5b-6c7d8e9f0a1b"],
        ),
    ] = None


def _listed(request: HttpRequest, agency_id: int, paging: api.Paging) -> HttpResponse:
    after = api.cursor(request, paging, int)
    rows = [stage for stage in queries.stages(agency_id) if after is None or stage.position > after[0]]
    return api.listed(request, rows[: paging.limit + 1], paging, shape=_stage, place=lambda row: (row.position,))


def _stage(row: queries.Stage) -> Stage:
    return Stage(id=row.id, name=row.name, position=row.position)


def _shown(request: HttpRequest, agency_id: int, stage_id: UUID, *, status: int = 200) -> HttpResponse:
    row = next((each for each in queries.stages(agency_id) if each.id == stage_id), None)
    if row is None:
        raise Refused("not_found")
    return api.answer(request, _stage(row), status=status)


@router.get("", response=api.Listed[Stage], summary="List stages")
def list_stages(request: HttpRequest, paging: Query[api.Paging]) -> HttpResponse:
    """The pipeline's stages in their order; none before the first deal."""
    here = accounts.permit(request, "records.read")
    return _listed(request, here.agency_id, paging)


@router.post("", response={201: Stage}, summary="Add a stage")
def create_stage(request: HttpRequest, body: StageInput) -> HttpResponse:
    """Behind the others."""
    here = accounts.permit(request, "settings.manage")
    try:
        stage_id = services.create_stage(agency_id=here.agency_id, name=body.name, by=here.member_id)
    except (services.StageTaken, services.TooManyStages) as error:
        raise _taken(error) from None
    return _shown(request, here.agency_id, stage_id, status=201)


def _taken(error: Exception) -> Refused:
    taken = isinstance(error, services.StageTaken)
    return Refused("conflict", "There is a stage of this name." if taken else "There are 20 stages already.")


@router.patch("/{uuid:stage_id}", response=Stage, summary="Rename a stage")
def rename_stage(request: HttpRequest, stage_id: UUID, body: StageInput) -> HttpResponse:
    here = accounts.permit(request, "settings.manage")
    try:
        with api.refusing({services.NoSuchStage: ("not_found", "")}):
            services.rename_stage(agency_id=here.agency_id, stage_id=stage_id, name=body.name, by=here.member_id)
    except services.StageTaken as error:
        raise _taken(error) from None
    return _shown(request, here.agency_id, stage_id)


@router.post("/reorder", response=api.Listed[Stage], summary="Put the stages into another order")
def reorder_stages(request: HttpRequest, body: StageOrder) -> HttpResponse:
    here = accounts.permit(request, "settings.manage")
    with api.refusing({services.NoSuchStage: ("invalid", "/stage_ids")}):
        services.reorder_stages(agency_id=here.agency_id, stage_ids=body.stage_ids, by=here.member_id)
    return _listed(request, here.agency_id, api.Paging())


@router.post("/{uuid:stage_id}/retire", response={204: None}, summary="Retire a stage")
def retire_stage(request: HttpRequest, stage_id: UUID, body: Retiring) -> HttpResponse:
    """Its open deals go into another one; won and lost deals stay as they are."""
    here = accounts.permit(request, "settings.manage")
    if stage_id not in {stage.id for stage in queries.stages(here.agency_id)}:
        raise Refused("not_found")
    try:
        services.retire_stage(
            agency_id=here.agency_id,
            stage_id=stage_id,
            to_id=body.to_id,
            by=here.member_id,
            now=dt.datetime.now(dt.UTC),
        )
    except services.NoSuchStage:
        raise values.wrong("/to_id", "There is no such stage for its open deals.") from None
    except services.LastStage:
        raise Refused("conflict", "It is the only stage.") from None
    return HttpResponse(status=204)


@router.post("/{uuid:stage_id}/restore", response=Stage, summary="Bring a retired stage back")
def restore_stage(request: HttpRequest, stage_id: UUID) -> HttpResponse:
    """Behind the others; its deals stay where they are by now. One that is in use stays as it is."""
    here = accounts.permit(request, "settings.manage")
    try:
        with api.refusing({services.NoSuchStage: ("not_found", "")}):
            services.restore_stage(agency_id=here.agency_id, stage_id=stage_id, by=here.member_id)
    except (services.StageTaken, services.TooManyStages) as error:
        raise _taken(error) from None
    return _shown(request, here.agency_id, stage_id)
