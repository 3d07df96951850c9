"""Reads of deals and of the pipeline that they pass."""

import dataclasses
import datetime as dt
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, Sum

from consult.accounts import queries as accounts
from consult.crm import models, rules
from consult.crm.queries import pages
from consult.crm.queries.companies import company_names
from consult.crm.queries.contacts import alias_ids, contact_names
from consult.crm.queries.labels import labels_of

# What a column of the board holds at most; more are in the list.
COLUMN = 100


class NoSuchDeal(Exception):
    """The agency has no deal of this id."""


@dataclasses.dataclass(frozen=True)
class Stage:
    id: UUID
    name: str
    position: int
    is_retired: bool = False


@dataclasses.dataclass(frozen=True)
class Total:
    """Money in one currency, in minor units."""

    minor: int
    currency: str

    def __str__(self) -> str:
        return f"{self.currency} {rules.money(self.minor, self.currency)}"


def plain_money(total: Total | None) -> str:
    """Return an amount as a program reads it: 4800.00; empty for none."""
    return rules.money(total.minor, total.currency, grouped=False) if total else ""


@dataclasses.dataclass(frozen=True)
class DealRow:
    """A deal as board and list show it; `value` is None while nobody has named one."""

    id: UUID
    title: str
    status: str
    stage_id: UUID
    stage_name: str
    stage_entered_at: dt.datetime
    value: Total | None
    contact_id: UUID | None
    contact_name: str
    company_id: UUID | None
    company_name: str
    owner_id: UUID | None
    owner_name: str
    expected_on: dt.date | None
    closed_at: dt.datetime | None
    created_at: dt.datetime


@dataclasses.dataclass(frozen=True)
class Deal(DealRow):
    """A deal as its page shows it; the contact's name is the one that it goes by now."""

    lost_reason: str
    origin_submission_id: UUID | None
    labels: list[str]
    custom: dict[str, Any]
    version: int

    @property
    def value_minor(self) -> int | None:
        return self.value.minor if self.value else None

    @property
    def currency(self) -> str:
        return self.value.currency if self.value else ""


@dataclasses.dataclass(frozen=True)
class Column:
    """A stage of the board: how many deals it holds, what they are worth by currency, and the first hundred."""

    stage: Stage
    count: int
    totals: list[Total]
    deals: list[DealRow]


@dataclasses.dataclass(frozen=True)
class DealPage:
    """One page of deals; `next_cursor` is empty on the last."""

    deals: list[DealRow]
    next_cursor: str


def stages(agency_id: int, *, retired: bool = False) -> list[Stage]:
    """Return the agency's stages in their order; none before the first deal. `retired`: those out of use as well."""
    found = models.Stage.objects.filter(agency_id=agency_id)
    found = found if retired else found.filter(retired_at=None)
    return [
        Stage(row.id, row.name, row.position, row.retired_at is not None) for row in found.order_by("position", "id")
    ]


def open_deals_by_stage(agency_id: int) -> dict[UUID, int]:
    """Return how many open deals there are in each stage that has some."""
    found = models.Deal.objects.filter(agency_id=agency_id, status="open").order_by().values_list("stage_id")
    return dict(found.annotate(deals=Count("id")))


def deal(agency_id: int, id: UUID) -> Deal:
    """Return a deal. Raise NoSuchDeal."""
    row = models.Deal.objects.filter(agency_id=agency_id, id=id).first()
    if row is None:
        raise NoSuchDeal(id)
    [found] = whole(agency_id, [row])
    return found


def whole(agency_id: int, rows: list[models.Deal]) -> list[Deal]:
    """Return deals as their pages show them, in the same order."""
    labels = labels_of(agency_id, "deal", [row.id for row in rows]) if rows else {}
    return [
        Deal(
            # Not asdict, which would take the value apart.
            **{field.name: getattr(shown, field.name) for field in dataclasses.fields(shown)},
            lost_reason=row.lost_reason,
            origin_submission_id=row.origin_submission_id,
            labels=labels.get(row.id, []),
            custom=row.custom,
            version=row.version,
        )
        for row, shown in zip(rows, _rows(agency_id, rows), strict=True)
    ]


def board(agency_id: int, *, owner_id: UUID | None = None) -> list[Column]:
    """Return the open deals by stage, those that came last first; `owner_id` narrows them to one member's."""
    found = models.Deal.objects.filter(agency_id=agency_id, status="open")
    if owner_id:
        found = found.filter(owner_id=owner_id)
    every = stages(agency_id)
    counts: dict[UUID, int] = {}
    totals: dict[UUID, list[Total]] = {}
    sums = found.values("stage_id", "currency").annotate(deals=Count("id"), minor=Sum("value_minor"))
    for row in sums.order_by("currency"):
        counts[row["stage_id"]] = counts.get(row["stage_id"], 0) + row["deals"]
        if row["currency"]:
            # A sum of bigint is numeric in PostgreSQL.
            totals.setdefault(row["stage_id"], []).append(Total(int(row["minor"]), row["currency"]))
    rows: list[models.Deal] = []
    for stage in every:
        if counts.get(stage.id):
            rows += found.filter(stage_id=stage.id).order_by("-stage_entered_at", "-id")[:COLUMN]
    shown: dict[UUID, list[DealRow]] = {}
    for deal_row in _rows(agency_id, rows, every):
        shown.setdefault(deal_row.stage_id, []).append(deal_row)
    return [
        Column(stage, counts.get(stage.id, 0), totals.get(stage.id, []), shown.get(stage.id, [])) for stage in every
    ]


def deals(agency_id: int, *, status: str = "open", owner_id: UUID | None = None, after: str = "") -> DealPage:
    """Return up to 50 deals of a status, the newest first. An unreadable cursor means the first page."""
    found = models.Deal.objects.filter(agency_id=agency_id, status=status)
    if owner_id:
        found = found.filter(owner_id=owner_id)
    if place := pages.place(after):
        made, id = pages.moment(place[0]), place[1]
        if made:
            found = found.filter(created_at__lte=made).filter(Q(created_at__lt=made) | Q(id__lt=id))
    rows = list(found.order_by("-created_at", "-id")[: pages.PAGE + 1])
    more, rows = len(rows) > pages.PAGE, rows[: pages.PAGE]
    ends = pages.cursor(rows[-1].created_at.isoformat(), rows[-1].id) if more else ""
    return DealPage(_rows(agency_id, rows), ends)


def totals(agency_id: int) -> dict[str, tuple[int, list[Total]]]:
    """Return, by status, how many deals there are and what they are worth by currency."""
    found = models.Deal.objects.filter(agency_id=agency_id).values("status", "currency")
    summed: dict[str, tuple[int, list[Total]]] = {}
    for row in found.annotate(deals=Count("id"), minor=Sum("value_minor")).order_by("status", "currency"):
        count, money = summed.get(row["status"], (0, []))
        more = [Total(int(row["minor"]), row["currency"])] if row["currency"] else []
        summed[row["status"]] = (count + row["deals"], [*money, *more])
    return summed


def deals_of(
    agency_id: int, *, contact_id: UUID | None = None, company_id: UUID | None = None, limit: int = 20
) -> list[DealRow]:
    """Return the deals of a contact (and of what was merged into it) or of a company, the newest first."""
    found = models.Deal.objects.filter(agency_id=agency_id)
    if contact_id:
        found = found.filter(contact_id__in=alias_ids(agency_id, contact_id))
    if company_id:
        found = found.filter(company_id=company_id)
    return _rows(agency_id, list(found.order_by("-created_at", "-id")[:limit]))


def deal_titles(agency_id: int, ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """Return the titles of these deals by id."""
    wanted = {id for id in ids if id}
    if not wanted:
        return {}
    return dict(models.Deal.objects.filter(agency_id=agency_id, id__in=wanted).values_list("id", "title"))


def _rows(agency_id: int, rows: Iterable[models.Deal], every: list[Stage] | None = None) -> list[DealRow]:
    rows = list(rows)
    if not rows:
        return []
    names = {stage.id: stage.name for stage in (every or stages(agency_id, retired=True))}
    people = contact_names(agency_id, [row.contact_id for row in rows])
    firms = company_names(agency_id, [row.company_id for row in rows])
    members = accounts.member_names(agency_id) if any(row.owner_id for row in rows) else {}
    return [
        DealRow(
            id=row.id,
            title=row.title,
            status=row.status,
            stage_id=row.stage_id,
            stage_name=names.get(row.stage_id, ""),
            stage_entered_at=row.stage_entered_at,
            value=Total(row.value_minor, row.currency) if row.value_minor is not None else None,
            contact_id=row.contact_id,
            contact_name=people.get(row.contact_id, "") if row.contact_id else "",
            company_id=row.company_id,
            company_name=firms.get(row.company_id, "") if row.company_id else "",
            owner_id=row.owner_id,
            owner_name=members.get(row.owner_id, "") if row.owner_id else "",
            expected_on=row.expected_on,
            closed_at=row.closed_at,
            created_at=row.created_at,
        )
        for row in rows
    ]
