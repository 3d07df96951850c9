"""Submissions as the edge makes them, for the tests of store, spool and drainer; and how they are counted."""

import datetime
import json
import os
import pathlib

from edge import bounds, identity, log, receipts, spool
from edge.submission import Submission
from edge.tests.database import Database

_CONSERVATION = """
    SELECT form.key, day, sum(accepted)::int AS accepted, sum(stored)::int AS stored, sum(spooled)::int AS spooled,
           sum(aside)::int AS aside
      FROM (
        SELECT form_id, day, accepted, 0 AS stored, spooled, 0 AS aside FROM intake_tally
        UNION ALL
        SELECT form_id, (received_at AT TIME ZONE 'UTC')::date, 0, 1, 0, 0 FROM intake_submission
        UNION ALL
        SELECT form_id, (received_at AT TIME ZONE 'UTC')::date, 0, 0, 0, 1 FROM intake_setaside
      ) AS counts
      JOIN intake_form form ON form.id = form_id
     WHERE form.key = $1
     GROUP BY form.key, day ORDER BY day
"""


def row(
    form: str = "frm_none", text: str = "Hello", *, id: bytes | None = None, days_ago: int = 0, agency_id: int = 1
) -> Submission:
    """One of agency 1's; without an id it gets one that nobody has."""
    fields = json.dumps([["name", "Ann"], ["message", text]])
    id = id or os.urandom(16)
    digest = identity.digest(fields.encode())
    return Submission(
        id=id,
        earlier=None,
        form_key=form,
        form_version=3,
        agency_id=agency_id,
        receipt=receipts.of(id, digest),
        received_at=datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=days_ago),
        digest=digest,
        fields=fields,
        page_url="",
        referrer="",
        origin="",
        address="198.51.100.7",
        user_agent="",
        content_type="application/json",
        signals="[]",
        request_id="request-1",
    )


async def opened(folder: pathlib.Path, limits: bounds.Bounds = bounds.DEFAULT) -> spool.Spool:
    return await spool.Spool.open(folder, limits, log.Log())


def counts(office: Database, form: str) -> list[tuple[int, int, int, int]]:
    """(accepted, stored, spooled, set aside) of each day, the oldest first."""
    found = office.fetch(_CONSERVATION, form)
    return [(day["accepted"], day["stored"], day["spooled"], day["aside"]) for day in found]


def kept(office: Database, form: str) -> list[str]:
    """The receipts of all that is stored or set aside, with repetitions if there were any."""
    found = office.fetch(
        "SELECT receipt, received_at FROM intake_submission WHERE form_id = (SELECT id FROM intake_form WHERE key = $1)"
        " UNION ALL SELECT receipt, received_at FROM intake_setaside WHERE form_key = $1 ORDER BY received_at",
        form,
    )
    return [record["receipt"] for record in found]
