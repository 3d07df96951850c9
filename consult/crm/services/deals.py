"""Writes of deals and of the pipeline that they pass."""

import datetime as dt
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from consult.accounts import queries as accounts_queries
from consult.accounts import services as accounts
from consult.core import live, tenancy
from consult.crm import models, queries, rules
from consult.crm.services import versions
from consult.crm.services.companies import company_for
from consult.crm.services.timeline import record_event


class NoSuchStage(Exception):
    """The agency's pipeline has no stage of this id."""


class DealClosed(Exception):
    """The deal is won or lost; it is opened again before it moves."""


class StageChanged(Exception):
    """Somebody else has moved the deal meanwhile; nothing was changed."""


class NoReason(Exception):
    """A deal is not lost without saying why."""


def ensure_stages(*, agency_id: int, by: UUID | None = None) -> list[queries.Stage]:
    """Return the agency's stages in their order; the usual ones are made at first use."""
    with tenancy.agency(agency_id):
        if not (found := queries.stages(agency_id)):
            made = [
                models.Stage(agency_id=agency_id, name=name, position=position)
                for position, name in enumerate(rules.DEFAULT_STAGES, start=1)
            ]
            # Of two who come first at once, one makes them; the other waits for it and then finds them.
            models.Stage.objects.bulk_create(made, ignore_conflicts=True)
            found = queries.stages(agency_id)
            accounts.record("crm.ensure_stages", agency_id=agency_id, by=by)
    return found


def create_deal(
    *,
    agency_id: int,
    title: str,
    by: UUID | None,
    contact_id: UUID | None = None,
    company_id: UUID | None = None,
    company_name: str = "",
    value_minor: int | None = None,
    currency: str = "",
    owner_id: UUID | None = None,
    stage_id: UUID | None = None,
    expected_on: dt.date | None = None,
    origin_submission_id: UUID | None = None,
    custom: dict[str, Any] | None = None,
    now: dt.datetime | None = None,
) -> UUID:
    """Add an open deal in a stage (the first, unless another is named); return its id.

    `value_minor` is in minor units of `currency` (ISO 4217; empty: the agency's own). Without a company it stands with
    its contact's. Raise NoSuchContact, NoSuchCompany, NoSuchStage, ValueError for no title or a bad value.
    """
    now = now or timezone.now()
    with tenancy.agency(agency_id):
        stages = {stage.id: stage for stage in ensure_stages(agency_id=agency_id, by=by)}
        stage_id = stage_id or next(iter(stages))
        if stage_id not in stages:
            raise NoSuchStage(stage_id)
        _hold_stage(agency_id, stage_id)
        if not company_id and company_name:
            company_id = company_for(agency_id=agency_id, name=company_name, by=by)
        if contact_id and not company_id:
            company_id = queries.contact(agency_id, contact_id).company_id
        values = _values(
            agency_id,
            title=title,
            contact_id=contact_id,
            company_id=company_id,
            value_minor=value_minor,
            currency=currency,
            owner_id=owner_id,
            expected_on=expected_on,
        )
        deal = models.Deal.objects.create(
            agency_id=agency_id,
            stage_id=stage_id,
            stage_entered_at=now,
            origin_submission_id=origin_submission_id,
            custom=custom or {},
            **values,
        )
        _tell("crm.create_deal", deal, by, now, stage=str(stage_id))
    return deal.id


def update_deal(
    *,
    agency_id: int,
    deal_id: UUID,
    by: UUID | None,
    title: str,
    contact_id: UUID | None = None,
    company_id: UUID | None = None,
    company_name: str | None = None,
    value_minor: int | None = None,
    currency: str = "",
    owner_id: UUID | None = None,
    expected_on: dt.date | None = None,
    custom: dict[str, Any] | None = None,
    version: int | None = None,
    now: dt.datetime | None = None,
) -> None:
    """Change a deal; its stage and end have actions of their own.

    `company_name`, instead of `company_id`: the company that it has if that is called so, else one of the name, made
    if there is none.
    Raise NoSuchDeal, ChangedMeanwhile, NoSuchContact, NoSuchCompany, ValueError.
    """
    with tenancy.agency(agency_id):
        deal = locked(agency_id, deal_id)
        versions.expect(deal.version, version)
        if company_name is not None:
            company_id = company_for(agency_id=agency_id, name=company_name, by=by, present=deal.company_id)
        values = _values(
            agency_id,
            title=title,
            contact_id=contact_id,
            company_id=company_id,
            value_minor=value_minor,
            currency=currency,
            owner_id=owner_id,
            expected_on=expected_on,
        )
        if custom is not None:
            values["custom"] = custom
        changed = [field for field, value in values.items() if getattr(deal, field) != value]
        if not changed:
            return
        for field in changed:
            setattr(deal, field, values[field])
        deal.version += 1
        deal.save(update_fields=[*changed, "version"])
        _tell("crm.update_deal", deal, by, now or timezone.now(), fields=changed)


def move_deal(
    *,
    agency_id: int,
    deal_id: UUID,
    stage_id: UUID,
    by: UUID | None,
    now: dt.datetime,
    from_stage_id: UUID | None = None,
) -> None:
    """Put an open deal into another stage. `from_stage_id`: only if it still is in that one.

    Raise NoSuchDeal, NoSuchStage, DealClosed, StageChanged.
    """
    with tenancy.agency(agency_id):
        deal = locked(agency_id, deal_id)
        if deal.status != "open":
            raise DealClosed(deal_id)
        _hold_stage(agency_id, stage_id)
        if deal.stage_id == stage_id:
            return
        if from_stage_id and deal.stage_id != from_stage_id:
            raise StageChanged(deal_id)
        left, waited = deal.stage_id, round((now - deal.stage_entered_at).total_seconds())
        deal.stage_id, deal.stage_entered_at = stage_id, now
        deal.save(update_fields=["stage_id", "stage_entered_at"])
        moved: dict[str, Any] = {"from": str(left), "stage": str(stage_id), "seconds": max(0, waited)}
        _tell("crm.move_deal", deal, by, now, **moved)


def win_deal(*, agency_id: int, deal_id: UUID, by: UUID | None, now: dt.datetime) -> None:
    """Close an open deal as won; a won one stays as it is. Raise NoSuchDeal, DealClosed for a lost one."""
    with tenancy.agency(agency_id):
        deal = locked(agency_id, deal_id)
        if _close(deal, "won", now):
            _tell("crm.win_deal", deal, by, now)


def lose_deal(*, agency_id: int, deal_id: UUID, reason: str, by: UUID | None, now: dt.datetime) -> None:
    """Close an open deal as lost, with the reason; one that is lost already stays as it is.

    Raise NoReason, NoSuchDeal, DealClosed for a won one.
    """
    if not reason.strip():
        raise NoReason
    with tenancy.agency(agency_id):
        deal = locked(agency_id, deal_id)
        deal.lost_reason = reason.strip()[:500]
        if _close(deal, "lost", now):
            _tell("crm.lose_deal", deal, by, now)


def _close(deal: models.Deal, status: str, now: dt.datetime) -> bool:
    if deal.status == status:
        return False
    if deal.status != "open":
        raise DealClosed(deal.id)
    deal.status, deal.closed_at = status, now
    deal.save(update_fields=["status", "closed_at", "lost_reason"])
    return True


def reopen_deal(*, agency_id: int, deal_id: UUID, by: UUID | None, now: dt.datetime) -> None:
    """Open a won or lost deal again, in the stage that it was in; an open one stays as it is. Raise NoSuchDeal.

    Where that stage is retired by now, it is in the first one.
    """
    with tenancy.agency(agency_id):
        deal = locked(agency_id, deal_id)
        if deal.status == "open":
            return
        was = deal.status
        try:
            _hold_stage(agency_id, deal.stage_id)
        except NoSuchStage:
            deal.stage_id, deal.stage_entered_at = queries.stages(agency_id)[0].id, now
        deal.status, deal.closed_at, deal.lost_reason = "open", None, ""
        deal.save(update_fields=["status", "closed_at", "lost_reason", "stage_id", "stage_entered_at"])
        _tell("crm.reopen_deal", deal, by, now, was=was)


def _hold_stage(agency_id: int, stage_id: UUID) -> None:
    """Let nobody retire a stage until this transaction ends; others may hold it too. Raise NoSuchStage."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM crm_stage WHERE agency_id = %s AND id = %s AND retired_at IS NULL FOR SHARE",
            [agency_id, stage_id],
        )
        if cursor.fetchone() is None:
            raise NoSuchStage(stage_id)


def lock_deal(*, agency_id: int, deal_id: UUID) -> None:
    """Let nobody else change a deal until this transaction ends. Raise NoSuchDeal."""
    with tenancy.agency(agency_id):
        locked(agency_id, deal_id)


def locked(agency_id: int, deal_id: UUID) -> models.Deal:
    """Return a deal, locked. Raise NoSuchDeal."""
    deal = models.Deal.objects.select_for_update().filter(agency_id=agency_id, id=deal_id).first()
    if deal is None:
        raise queries.NoSuchDeal(deal_id)
    return deal


def _values(
    agency_id: int,
    *,
    title: str,
    contact_id: UUID | None,
    company_id: UUID | None,
    value_minor: int | None,
    currency: str,
    owner_id: UUID | None,
    expected_on: dt.date | None,
) -> dict[str, Any]:
    if not title.strip():
        raise ValueError("a deal needs a title")
    if value_minor is not None and not 0 <= value_minor <= rules.MOST_MINOR:
        raise ValueError("a deal is worth nothing at least")
    if contact_id:
        queries.contact(agency_id, contact_id)
    if company_id:
        queries.company(agency_id, company_id)
    if value_minor is None:
        currency = ""
    elif not currency:
        currency = accounts_queries.agency_currency(agency_id)
    return {
        "title": title.strip(),
        "contact_id": contact_id,
        "company_id": company_id,
        "value_minor": value_minor,
        "currency": currency.upper(),
        "owner_id": owner_id,
        "expected_on": expected_on,
    }


def _tell(action: str, deal: models.Deal, by: UUID | None, now: dt.datetime, **data: Any) -> None:
    accounts.record(action, agency_id=deal.agency_id, by=by, subject_id=deal.id, data=data)
    record_event(
        agency_id=deal.agency_id,
        kind=action,
        at=now,
        by=by,
        contact_id=deal.contact_id,
        company_id=deal.company_id,
        deal_id=deal.id,
        data=data,
    )
    live.nudge(kind="deal", id=deal.id)
