"""Figures of deals: how far those that were opened during some days have come."""

import dataclasses
import datetime as dt
from uuid import UUID

from django.db import connection

# A deal has reached the stage that it is in and all before it, and those that its timeline says it was in.
FUNNEL = """
WITH opened AS MATERIALIZED (
    SELECT id, stage_id, status FROM crm_deal
     WHERE agency_id = %(agency)s AND created_at >= %(since)s AND created_at < %(until)s),
stages AS (SELECT id, id::text AS name, position FROM crm_stage WHERE agency_id = %(agency)s),
reached AS (
    SELECT opened.id, status,
           greatest((SELECT position FROM stages WHERE stages.id = opened.stage_id),
                    (SELECT max(stages.position) FROM crm_event JOIN stages ON stages.name = crm_event.data ->> 'stage'
                      WHERE crm_event.agency_id = %(agency)s AND crm_event.deal_id = opened.id
                        AND kind = 'crm.move_deal')) AS position
      FROM opened)
SELECT position, status, count(*) FROM reached GROUP BY 1, 2
"""


@dataclasses.dataclass(frozen=True)
class Step:
    """A stage of the pipeline and how many of the deals came at least so far."""

    stage_id: UUID
    name: str
    count: int


@dataclasses.dataclass(frozen=True)
class Funnel:
    """How far deals came: all, by stage, and what became of them."""

    opened: int
    steps: list[Step]
    open: int
    won: int
    lost: int


def funnel(agency_id: int, *, since: dt.datetime, until: dt.datetime) -> Funnel:
    """Return how far the deals opened from `since` on and before `until` have come. A won one came all the way."""
    with connection.cursor() as cursor:
        cursor.execute(FUNNEL, {"agency": agency_id, "since": since, "until": until})
        found = cursor.fetchall()
        cursor.execute("SELECT id, name, position FROM crm_stage WHERE agency_id = %s ORDER BY position", [agency_id])
        stages = cursor.fetchall()
    ended = {status: sum(count for _position, of, count in found if of == status) for status in ("open", "won", "lost")}
    steps = [
        Step(id, name, sum(count for reached, status, count in found if status == "won" or (reached or 0) >= position))
        for id, name, position in stages
    ]
    return Funnel(sum(ended.values()), steps, ended["open"], ended["won"], ended["lost"])
