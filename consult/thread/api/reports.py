"""What the dashboard shows, as figures."""

import datetime as dt
import zoneinfo
from typing import Annotated
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query
from pydantic import Field

from consult.accounts import queries as accounts
from consult.core import api, errors
from consult.crm import reports as crm
from consult.inbox import reports as inbox
from consult.intake import queries as intake
from consult.thread import rules

router = api.Router(tags=["Reports"])


class DayOfForm(api.Shape):
    """What came through a form on a day; days with nothing are left out."""

    day: dt.date
    form_id: Annotated[UUID | None, Field(description="Null: typed in without a form, or its form is gone.")]
    site_id: UUID | None
    count: int
    held: Annotated[int, Field(description="How many of them are held or spam now.")]


class FirstAnswers(api.Shape):
    """How soon the first answer came."""

    count: int
    median_seconds: Annotated[float, Field(description="Half of them were answered within.")]
    ninth_seconds: Annotated[float, Field(description="Nine of ten were answered within.")]


class OwedAnswers(api.Shape):
    """Open enquiries of one age, now."""

    up_to_days: Annotated[int | None, Field(description="Null: all that are older than the ages before.")]
    count: int
    days: Annotated[float, Field(description="Their ages together.")]


class FunnelStep(api.Shape):
    """A stage, and how many deals came at least so far."""

    stage_id: UUID
    name: str
    count: int


class DealFunnel(api.Shape):
    """How far the deals came that were opened during these days."""

    opened: int
    open: int
    won: int
    lost: int
    stages: list[FunnelStep]


class Figures(api.Shape):
    """All that the dashboard shows."""

    first_on: dt.date
    last_on: dt.date
    time_zone: Annotated[str, Field(description="Whose days these are: the agency's.")]
    enquiries: list[DayOfForm]
    first_answers: Annotated[FirstAnswers | None, Field(description="Null: nothing of these days was answered.")]
    answer_debt: list[OwedAnswers]
    deals: DealFunnel


class WantedDays(api.Input):
    first_on: Annotated[dt.date | None, Field(description="The first day; without it 30 days up to the last.")] = None
    last_on: Annotated[dt.date | None, Field(description="The last day; without it today.")] = None


@router.get("", response=Figures, summary="Show figures")
def show_figures(request: HttpRequest, wanted: Query[WantedDays]) -> HttpResponse:
    """What came, what is owed an answer, how soon answers came, how far deals got; a year of days at most."""
    here = accounts.permit(request, "records.read")
    now = dt.datetime.now(dt.UTC)
    today = now.astimezone(zoneinfo.ZoneInfo(here.time_zone)).date()
    try:
        days = rules.range_of(wanted.first_on, wanted.last_on, today)
    except rules.BadRange as error:
        raise errors.Refused("invalid", errors=[{"pointer": "/first_on", "code": "range", "detail": SAID}]) from error
    since, until = rules.bounds(days, here.time_zone)
    found = inbox.figures(here.agency_id, since=since, until=until, zone=here.time_zone)
    sites = {id: label.site_id for id, label in intake.form_labels(here.agency_id).items()}
    deals = crm.funnel(here.agency_id, since=since, until=until)
    first = found.answers
    shown = Figures(
        first_on=days.first,
        last_on=days.last,
        time_zone=here.time_zone,
        enquiries=[
            DayOfForm(**vars(row), site_id=sites.get(row.form_id) if row.form_id else None)
            for row in sorted(found.came, key=lambda row: (row.day, str(row.form_id)))
        ],
        first_answers=FirstAnswers(count=first.count, median_seconds=first.median, ninth_seconds=first.ninth)
        if first
        else None,
        answer_debt=[
            OwedAnswers(up_to_days=age, count=owed.count, days=round(owed.days, 1))
            for age, owed in zip((*inbox.AGES, None), inbox.answer_debt(here.agency_id, now), strict=True)
        ],
        deals=DealFunnel(
            opened=deals.opened,
            open=deals.open,
            won=deals.won,
            lost=deals.lost,
            stages=[FunnelStep(**vars(step)) for step in deals.steps],
        ),
    )
    return api.answer(request, shown)


SAID = "The first day comes after the last, or there is more than a year between them."
