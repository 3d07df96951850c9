"""The promise, counted: every receipt has exactly one submission, nothing is there twice, and the counts come out."""

import collections

from edge.tests import rows
from edge.tests.database import Database
from edge.tests.program import Program, until
from tests.faults.load import Visitors

# What the edge logs when it did not know what to do.
_LOST = ("failed", "spool_row_bad", "spool_corrupt", "limit_unreadable", "definition_unreadable")


def check(office: Database, key: str, visitors: Visitors, seconds: float = 40) -> None:
    """Waits until everything is drained, and fails when a receipt has no submission, a text two, or a count is off."""
    assert visitors.wrong == []
    assert len(visitors.receipts) + len(visitors.refused) == len(visitors.sent)
    until(lambda: set(visitors.receipts.values()) <= set(rows.kept(office, key)), seconds)
    until(lambda: _comes_out(office, key), seconds)
    stored = collections.Counter({row["message"]: 0 for row in office.submissions(key)})
    found = {row["message"]: row.receipt for row in office.submissions(key)}
    stored.update(row["message"] for row in office.submissions(key))
    assert {text: count for text, count in stored.items() if count != 1} == {}
    assert {text: found.get(text) for text in visitors.receipts} == visitors.receipts
    assert set(found) <= set(visitors.sent)


def _comes_out(office: Database, key: str) -> bool:
    """accepted = stored + spooled + set aside, on each day; and nothing waits any more."""
    days = rows.counts(office, key)
    return all(accepted == stored + aside and spooled == 0 for accepted, stored, spooled, aside in days)


def clean(program: Program) -> None:
    """Its log tells of nothing that was unforeseen."""
    assert "Traceback" not in "".join(program.raw)
    assert [line for line in program.lines if line["event"] in _LOST or line.get("status") == 500] == []
