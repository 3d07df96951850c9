"""Figures of enquiries over days: how many came through which form, how many were held, how soon they were answered."""

import dataclasses
import datetime as dt
from uuid import UUID

from django.db import connection

# One look through the index inbox_enquiry_figures, which holds all that is asked here.
FIGURES = """
WITH came AS MATERIALIZED (
    SELECT (received_at AT TIME ZONE %(zone)s)::date AS day, form_id, status IN ('held', 'spam') AS is_held,
           extract(epoch FROM first_answer_at - received_at) AS seconds
      FROM inbox_enquiry
     WHERE agency_id = %(agency)s AND received_at >= %(since)s AND received_at < %(until)s)
SELECT day, form_id, count(*), count(*) FILTER (WHERE is_held), NULL::float8, NULL::float8
  FROM came GROUP BY day, form_id
UNION ALL
SELECT day, NULL, NULL, count(seconds), percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds),
       percentile_cont(0.9) WITHIN GROUP (ORDER BY seconds)
  FROM came WHERE seconds >= 0 GROUP BY GROUPING SETS ((day), ())
"""
DEBT = """
SELECT CASE WHEN age < interval '1 day' THEN 0 WHEN age < interval '3 days' THEN 1 WHEN age < interval '7 days' THEN 2
            WHEN age < interval '30 days' THEN 3 ELSE 4 END, count(*), sum(extract(epoch FROM age))::float8
  FROM (SELECT %(now)s - received_at AS age FROM inbox_enquiry WHERE agency_id = %(agency)s AND status = 'open') owed
 GROUP BY 1
"""
# Of the last day, and of the four weeks before it.
HELD = """
SELECT form_id, count(*) FILTER (WHERE is_fresh AND is_held), count(*) FILTER (WHERE is_fresh),
       count(*) FILTER (WHERE NOT is_fresh AND is_held), count(*) FILTER (WHERE NOT is_fresh)
  FROM (SELECT form_id, received_at >= %(now)s - interval '1 day' AS is_fresh, status IN ('held', 'spam') AS is_held
          FROM inbox_enquiry
         WHERE agency_id = %(agency)s AND received_at >= %(now)s - interval '29 days' AND form_id IS NOT NULL) came
 GROUP BY form_id
"""
# Where each of the ages below ends, in days; the last has no end.
AGES = (1, 3, 7, 30)


@dataclasses.dataclass(frozen=True)
class Came:
    """How many enquiries came through a form (None: it is gone) on a day, and how many of them are held or spam."""

    day: dt.date
    form_id: UUID | None
    count: int
    held: int


@dataclasses.dataclass(frozen=True)
class Answers:
    """How soon the first answer came, in seconds: half of them within `median`, nine of ten within `ninth`."""

    count: int
    median: float
    ninth: float


@dataclasses.dataclass(frozen=True)
class Figures:
    """What came during some days; `answers` is None where nothing was answered, `by_day` has only days with answers."""

    came: list[Came]
    answers: Answers | None
    by_day: dict[dt.date, Answers]


@dataclasses.dataclass(frozen=True)
class Owed:
    """Open enquiries of one age: how many, and their ages together in days."""

    count: int
    days: float


def figures(agency_id: int, *, since: dt.datetime, until: dt.datetime, zone: str) -> Figures:
    """Return what came from `since` on and before `until`, by the days of that time zone (a name that Python knows)."""
    with connection.cursor() as cursor:
        cursor.execute(FIGURES, {"agency": agency_id, "since": since, "until": until, "zone": zone})
        rows = cursor.fetchall()
    came = [Came(day, form_id, count, held) for day, form_id, count, held, _median, _ninth in rows if count is not None]
    answers = {
        day: Answers(answered, median, ninth)
        for day, _form, count, answered, median, ninth in rows
        if count is None and answered
    }
    whole = answers.pop(None, None)
    return Figures(came, whole, answers)


def answer_debt(agency_id: int, now: dt.datetime) -> list[Owed]:
    """Return the open enquiries by their age: up to a day, three, seven, thirty, and older."""
    with connection.cursor() as cursor:
        cursor.execute(DEBT, {"agency": agency_id, "now": now})
        found = {age: Owed(count, seconds / 86_400) for age, count, seconds in cursor.fetchall()}
    return [found.get(age, Owed(0, 0.0)) for age in range(len(AGES) + 1)]


def held_by_form(agency_id: int, now: dt.datetime) -> dict[UUID, tuple[tuple[int, int], tuple[int, int]]]:
    """Return, of each form, (held, all) of the last day and of the four weeks before it."""
    with connection.cursor() as cursor:
        cursor.execute(HELD, {"agency": agency_id, "now": now})
        return {id: ((held, count), (before, all)) for id, held, count, before, all in cursor.fetchall()}
