"""Writes of the pipeline: its stages, their order, and where deals go when one is retired."""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from consult.accounts import services as accounts
from consult.core import live, tenancy
from consult.crm import models
from consult.crm.services.deals import NoSuchStage, ensure_stages

MOST = 20


class StageTaken(Exception):
    """There is a stage of this name already."""


class TooManyStages(Exception):
    """A board of so many columns helps nobody."""


class LastStage(Exception):
    """A pipeline has one stage at least."""


def create_stage(*, agency_id: int, name: str, by: UUID | None) -> UUID:
    """Add a stage behind the others; return its id. Raise StageTaken, TooManyStages, ValueError without a name."""
    name = _name(name)
    with tenancy.agency(agency_id):
        ensure_stages(agency_id=agency_id, by=by)
        there = _locked(agency_id)
        _expect_free(there, name)
        if len(there) >= MOST:
            raise TooManyStages
        stage = models.Stage.objects.create(agency_id=agency_id, name=name, position=there[-1].position + 1)
        _tell("crm.create_stage", agency_id, by, stage.id)
    return stage.id


def rename_stage(*, agency_id: int, stage_id: UUID, name: str, by: UUID | None) -> None:
    """Call a stage by another name. Raise NoSuchStage, StageTaken, ValueError without a name."""
    name = _name(name)
    with tenancy.agency(agency_id):
        there = _locked(agency_id)
        stage = _one(there, stage_id)
        if stage.name == name:
            return
        _expect_free([each for each in there if each.id != stage_id], name)
        changes = accounts.changes({"name": stage.name}, {"name": name})
        stage.name = name
        stage.save(update_fields=["name"])
        _tell("crm.rename_stage", agency_id, by, stage_id, **changes)


def reorder_stages(*, agency_id: int, stage_ids: Sequence[UUID], by: UUID | None) -> None:
    """Put all stages of the pipeline into this order. Raise NoSuchStage when these are not exactly its stages."""
    with tenancy.agency(agency_id):
        there = _locked(agency_id)
        if sorted(stage_ids) != sorted(stage.id for stage in there):
            raise NoSuchStage
        if list(stage_ids) == [stage.id for stage in there]:
            return
        _place(agency_id, stage_ids)
        _tell("crm.reorder_stages", agency_id, by, stage_ids[0])


def retire_stage(*, agency_id: int, stage_id: UUID, to_id: UUID | None, by: UUID | None, now: dt.datetime) -> int:
    """Take a stage out of the pipeline and put its open deals into another; return how many moved.

    Won and lost deals keep where they were. Raise NoSuchStage (also for the other one, which a stage without open deals
    needs not), LastStage.
    """
    with tenancy.agency(agency_id):
        there = _locked(agency_id)
        stage = _one(there, stage_id)
        if len(there) == 1:
            raise LastStage
        found = models.Deal.objects.select_for_update().filter(agency_id=agency_id, stage_id=stage_id, status="open")
        deals = list(found.order_by("id"))
        if deals:
            if to_id is None or to_id == stage_id:
                raise NoSuchStage(to_id)
            _move(deals, _one(there, to_id).id, by, now)
        stage.retired_at = now
        stage.save(update_fields=["retired_at"])
        _tell("crm.retire_stage", agency_id, by, stage_id, moved=len(deals))
    return len(deals)


def restore_stage(*, agency_id: int, stage_id: UUID, by: UUID | None) -> None:
    """Bring a retired stage back, behind the others; its deals stay where they are by now.

    Raise NoSuchStage, StageTaken, TooManyStages.
    """
    with tenancy.agency(agency_id):
        there = _locked(agency_id)
        stage = models.Stage.objects.select_for_update().filter(agency_id=agency_id, id=stage_id).first()
        if stage is None:
            raise NoSuchStage(stage_id)
        if stage.retired_at is None:
            return
        _expect_free(there, stage.name)
        if len(there) >= MOST:
            raise TooManyStages
        stage.retired_at, stage.position = None, there[-1].position + 1
        stage.save(update_fields=["retired_at", "position"])
        _tell("crm.restore_stage", agency_id, by, stage_id)


def _move(deals: list[models.Deal], to_id: UUID, by: UUID | None, now: dt.datetime) -> None:
    """As deals.move_deal does for one."""
    lines = []
    for deal in deals:
        seconds = max(0, round((now - deal.stage_entered_at).total_seconds()))
        data = {"from": str(deal.stage_id), "stage": str(to_id), "seconds": seconds}
        who = {"contact_id": deal.contact_id, "company_id": deal.company_id, "deal_id": deal.id}
        lines.append(models.Event(agency_id=deal.agency_id, kind="crm.move_deal", at=now, by_id=by, data=data, **who))
        deal.stage_id, deal.stage_entered_at = to_id, now
    models.Deal.objects.bulk_update(deals, ["stage_id", "stage_entered_at"], batch_size=500)
    models.Event.objects.bulk_create(lines, batch_size=500)


def _name(name: str) -> str:
    name = " ".join(name.split())
    if not 0 < len(name) <= 50:
        raise ValueError("a stage has a name of at most 50 characters")
    return name


def _locked(agency_id: int) -> list[models.Stage]:
    """Return the stages in use in their order; nobody else changes them, or puts a deal into one, meanwhile."""
    found = models.Stage.objects.select_for_update().filter(agency_id=agency_id, retired_at=None)
    # In one order, so that nobody waits for who waits for them.
    return sorted(found.order_by("id"), key=lambda stage: stage.position)


def _one(there: list[models.Stage], stage_id: UUID) -> models.Stage:
    stage = next((each for each in there if each.id == stage_id), None)
    if stage is None:
        raise NoSuchStage(stage_id)
    return stage


def _expect_free(there: list[models.Stage], name: str) -> None:
    if any(stage.name.casefold() == name.casefold() for stage in there):
        raise StageTaken(name)


def _place(agency_id: int, stage_ids: Sequence[UUID]) -> None:
    rows = models.Stage.objects.filter(agency_id=agency_id)
    # Past all others first: no two may be at one place in between.
    for start in (10_000, 1):
        for position, id in enumerate(stage_ids, start=start):
            rows.filter(id=id).update(position=position)


def _tell(action: str, agency_id: int, by: UUID | None, stage_id: UUID, **data: object) -> None:
    accounts.record(action, agency_id=agency_id, by=by, subject_id=stage_id, data=data)
    live.nudge(kind="stage", id=stage_id)
