"""Reads of deals and of the pipeline that they pass."""

import dataclasses
import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, Q, QuerySet, Sum

from consult.accounts import queries as accounts
from consult.crm import models, rules
from consult.crm.queries import pages
from consult.crm.queries.companies import company_names
from consult.crm.queries.contacts import alias_ids, contact_names
from consult.crm.queries.labels import labels_of

# What a column of the board shows at first, and how many more each time that somebody comes to its end.
COLUMN = 25
MORE = 50
# Deals of a status are counted so far and no further.
MOST_COUNTED = 1_000


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
    """A stage of the board: how many deals it holds, what they are worth by currency, and the first of them.

    `next_cursor` is where the others begin; empty when these are all.
    """

    stage: Stage
    count: int
    totals: list[Total]
    deals: list[DealRow]
    next_cursor: str = ""


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


def board(
    agency_id: int,
    *,
    owner_id: UUID | None = None,
    more: Mapping[UUID, int] | None = None,
    only: Collection[UUID] | None = None,
    cards: bool = True,
) -> list[Column]:
    """Return the open deals by stage, those that came last first; `owner_id` narrows them to one member's.

    `more` says of a stage how often somebody has come to its end. `only`: these stages; without `cards` no deals.
    """
    found = _on_board(agency_id, owner_id)
    every = stages(agency_id)
    wanted = [stage for stage in every if only is None or stage.id in only]
    if only is not None:
        found = found.filter(stage_id__in=only)
    counts: dict[UUID, int] = {}
    totals: dict[UUID, list[Total]] = {}
    sums = found.values_list("stage_id", "currency").annotate(deals=Count("id"), minor=Sum("value_minor"))
    for stage_id, currency, count, minor in sums.order_by("currency"):
        counts[stage_id] = counts.get(stage_id, 0) + count
        if currency:
            # A sum of bigint is numeric in PostgreSQL.
            totals.setdefault(stage_id, []).append(Total(int(minor), currency))
    sizes = {stage.id: COLUMN + MORE * (more or {}).get(stage.id, 0) for stage in wanted}
    columns = [
        found.filter(stage_id=stage.id).order_by("-stage_entered_at", "-id")[: sizes[stage.id]]
        for stage in wanted
        if cards and counts.get(stage.id)
    ]
    rows = list(columns[0].union(*columns[1:], all=True)) if len(columns) > 1 else [*columns[0]] if columns else []
    shown: dict[UUID, list[DealRow]] = {}
    # A union has no order.
    for deal_row in sorted(_rows(agency_id, rows, every), key=lambda row: (row.stage_entered_at, row.id), reverse=True):
        shown.setdefault(deal_row.stage_id, []).append(deal_row)
    return [
        Column(
            stage,
            counts.get(stage.id, 0),
            totals.get(stage.id, []),
            on := shown.get(stage.id, []),
            _place(on[-1]) if on and counts[stage.id] > len(on) else "",
        )
        for stage in wanted
    ]


def board_below(agency_id: int, stage_id: UUID, *, owner_id: UUID | None = None, after: str) -> DealPage:
    """Return what stands in a column of the board below this place; nothing below an unreadable one."""
    place = pages.place(after)
    at = pages.moment(place[0]) if place else None
    if not place or not at:
        return DealPage([], "")
    found = _on_board(agency_id, owner_id).filter(stage_id=stage_id, stage_entered_at__lte=at)
    found = found.filter(Q(stage_entered_at__lt=at) | Q(id__lt=place[1])).order_by("-stage_entered_at", "-id")
    rows = _rows(agency_id, found[: MORE + 1])
    return DealPage(rows[:MORE], _place(rows[MORE - 1]) if len(rows) > MORE else "")


def board_card(agency_id: int, deal_id: UUID) -> list[DealRow]:
    """Return an open deal as the board shows it; none when it is not open."""
    return _rows(agency_id, _on_board(agency_id, None).filter(id=deal_id))


def _on_board(agency_id: int, owner_id: UUID | None) -> QuerySet[models.Deal]:
    found = models.Deal.objects.filter(agency_id=agency_id, status="open")
    return found.filter(owner_id=owner_id) if owner_id else found


def _place(row: DealRow) -> str:
    return pages.cursor(row.stage_entered_at.isoformat(), row.id)


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


COUNTS = """
SELECT status, (SELECT count(*) FROM (SELECT FROM crm_deal WHERE agency_id = %(agency)s AND status = asked.status
                                       LIMIT %(most)s) counted)
  FROM unnest(ARRAY['open', 'won', 'lost']) AS asked (status)
"""


def counts(agency_id: int) -> dict[str, int]:
    """Return how many deals are open, won and lost; MOST_COUNTED + 1 means more than MOST_COUNTED."""
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, {"agency": agency_id, "most": MOST_COUNTED + 1})
        return dict(cursor.fetchall())


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
