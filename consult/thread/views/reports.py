"""The dashboard: what came, what is owed an answer, how soon answers come, how far deals get."""

import datetime as dt
import zoneinfo
from collections import defaultdict
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext
from django.views.decorators.http import require_GET

from consult.accounts import queries as accounts
from consult.crm import reports as crm
from consult.inbox import reports as inbox
from consult.intake import queries as intake
from consult.thread import rules

WRONG = {
    "unreadable": gettext_noop("One of the two days is no day. Shown are the last thirty days."),
    "backwards": gettext_noop("The first day comes after the last. Shown are the last thirty days."),
    "too long": gettext_noop("A report shows a year at most. Shown are the last thirty days."),
}
RANGES = (
    (7, gettext_noop("7 days")),
    (30, gettext_noop("30 days")),
    (90, gettext_noop("90 days")),
    (365, gettext_noop("A year")),
)
AGES = (
    gettext_noop("up to a day"),
    gettext_noop("1 to 3 days"),
    gettext_noop("3 to 7 days"),
    gettext_noop("7 to 30 days"),
    gettext_noop("over 30 days"),
)
# The drawings' own units; they grow with the page.
WIDTH, HEIGHT, SPARK = 720, 160, 32


@require_GET
def show_reports(request: HttpRequest) -> HttpResponse:
    here = accounts.permit(request, "records.read")
    now = dt.datetime.now(dt.UTC)
    today = now.astimezone(zoneinfo.ZoneInfo(here.time_zone)).date()
    wrong = ""
    try:
        days = rules.days(request.GET.get("from", ""), request.GET.get("to", ""), today)
    except rules.BadRange as error:
        wrong = _(WRONG[error.reason])
        days = rules.days("", "", today)
    since, until = rules.bounds(days, here.time_zone)
    found = inbox.figures(here.agency_id, since=since, until=until, zone=here.time_zone)
    context = {
        "days": days,
        "wrong": wrong,
        "ranges": _ranges(days, today),
        "enquiries": _enquiries(found.came, days),
        "sites": _sites(here.agency_id, found.came, days),
        "answers": _answers(found, days),
        "debt": _debt(inbox.answer_debt(here.agency_id, now)),
        "funnel": _funnel(crm.funnel(here.agency_id, since=since, until=until)),
        "time_zone": here.time_zone,
    }
    return render(request, "thread/reports.html", context)


def _ranges(days: rules.Days, today: dt.date) -> list[dict[str, Any]]:
    return [
        {
            "words": _(words),
            "first": today - dt.timedelta(days=count - 1),
            "last": today,
            "here": days.last == today and len(days) == count,
        }
        for count, words in RANGES
    ]


def _enquiries(came: list[inbox.Came], days: rules.Days) -> dict[str, Any]:
    """Return the picture of all that came, a bar for each day with what is held at its top, and its table."""
    by_day: dict[dt.date, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for each in came:
        count, held = by_day[each.day]
        by_day[each.day] = (count + each.count, held + each.held)
    values = [by_day[day] for day in days]
    total, held = sum(count for count, _held in values), sum(held for _count, held in values)
    top = rules.round_up(max(count for count, _held in values))
    return {
        "total": total,
        "total_said": f"{total:,}",
        "held": held,
        "share": _share(held, total),
        "top": top,
        "half": top // 2,
        "bars": rules.bars(values, width=WIDTH, height=HEIGHT, top=top),
        "rows": [(day, *value) for day, value in zip(days, values, strict=True)],
    }


def _share(part: int, whole: int) -> str:
    if not whole:
        return "–"
    percent = 100 * part / whole
    return f"{percent:.0f} %" if percent >= 10 or not part else f"{percent:.1f} %"


def _sites(agency_id: int, came: list[inbox.Came], days: rules.Days) -> list[dict[str, Any]]:
    """Return each site with what came through its forms, most first; sites with nothing come last."""
    labels = intake.form_labels(agency_id)
    names = {str(label.site_id): label.site_name for label in labels.values()}
    of_form = {id: str(label.site_id) for id, label in labels.items()}
    by_site: dict[str, dict[dt.date, tuple[int, int]]] = {id: {} for id in names}
    for each in came:
        site = of_form.get(each.form_id, "") if each.form_id else ""
        count, held = by_site.setdefault(site, {}).get(each.day, (0, 0))
        by_site[site][each.day] = (count + each.count, held + each.held)
    shown = []
    for site, by_day in by_site.items():
        values = [by_day.get(day, (0, 0)) for day in days]
        total, held = sum(count for count, _held in values), sum(held for _count, held in values)
        shown.append(
            {
                "id": site,
                "name": names.get(site, _("No site")),
                "total": total,
                "held": held,
                "share": _share(held, total),
                "most": max(count for count, _held in values),
                "bars": rules.bars(values, width=WIDTH, height=SPARK),
            }
        )
    return sorted(shown, key=lambda row: (-row["total"], row["name"].casefold()))


def _answers(found: inbox.Figures, days: rules.Days) -> dict[str, Any] | None:
    """Return how soon the first answer came, by day; None where nothing was answered."""
    if found.answers is None:
        return None
    values = [found.by_day.get(day) for day in days]
    hours = [round(each.median) if each else 0 for each in values]
    return {
        "median": _spoken(found.answers.median),
        "ninth": _spoken(found.answers.ninth),
        "count": found.answers.count,
        "most": _spoken(max(hours)),
        "bars": rules.bars([(value, 0) for value in hours], width=WIDTH, height=HEIGHT / 2),
        "rows": [
            (day, each.count, _spoken(each.median), _spoken(each.ninth))
            for day, each in zip(days, values, strict=True)
            if each
        ],
    }


def _spoken(seconds: float) -> str:
    number, unit = rules.duration(seconds)
    match unit:
        case "minutes":
            return ngettext("%(n)d minute", "%(n)d minutes", number) % {"n": number}
        case "hours":
            return ngettext("%(n)d hour", "%(n)d hours", number) % {"n": number}
    return ngettext("%(n)d day", "%(n)d days", number) % {"n": number}


def _debt(owed: list[inbox.Owed]) -> dict[str, Any]:
    """Return the open enquiries by age, as bars that lie."""
    most = max(each.count for each in owed)
    return {
        "total": (total := sum(each.count for each in owed)),
        "total_said": f"{total:,}",
        "days_said": f"{round(sum(each.days for each in owed)):,}",
        "rows": [
            {
                "age": _(words),
                "count": each.count,
                "days": round(each.days),
                "width": round(WIDTH / 2 * each.count / most) if most else 0,
            }
            for words, each in zip(AGES, owed, strict=True)
        ],
    }


def _funnel(found: crm.Funnel) -> dict[str, Any]:
    """Return the stages as bars around one middle, each as wide as what came so far."""
    steps = [*((step.name, step.count) for step in found.steps), (_("Won"), found.won)]
    rows = []
    before = found.opened
    for name, count in steps:
        width = round(WIDTH / 2 * count / found.opened) if found.opened else 0
        rows.append(
            {
                "name": name,
                "count": count,
                "x": (WIDTH // 2 - width) // 2,
                "width": width,
                "share": _share(count, before),
            }
        )
        before = count
    return {"opened": found.opened, "open": found.open, "won": found.won, "lost": found.lost, "rows": rows}
