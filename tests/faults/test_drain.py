"""kill -9 of the edge while it drains: a second replay changes nothing."""

import signal

import pytest

from edge.tests import rows
from edge.tests.database import Database
from edge.tests.program import until, with_bounds
from tests.faults import ledger
from tests.faults.conftest import Launch, Scale, Steady
from tests.faults.proxy import Part, Proxy


def _stored(office: Database, key: str) -> int:
    return len(rows.kept(office, key))


@pytest.mark.parametrize("part", ["statement", "answer"])
def test_killed_before_and_after_the_commit(
    proxy: Proxy, office: Database, key: str, launch: Launch, steady: Steady, scale: Scale, part: Part
) -> None:
    """Before it nothing may be forgotten yet; after it nothing may be stored again."""
    # Small batches, so that it can be killed in the midst of them; time enough that nothing but the kill ends the wait.
    edge = launch(proxy.url, with_bounds("spool_batch_rows=20, store_seconds=60"))
    with steady(edge.url) as visitors:
        for _ in range(scale.rounds):
            visitors.more(201, 10)
            proxy.shut()
            visitors.more(202, 10)
            # One of the rows that came first in the outage: others go with it, and many wait behind.
            last = next(text for text in reversed(visitors.sent) if text in visitors.receipts)
            visitors.more(202, scale.many)
            proxy.hold(part, last.encode())
            proxy.open()
            until(lambda: proxy.holds, 30)
            if part == "answer":
                until(lambda last=last: last in [row["message"] for row in office.submissions(key)], 30)  # type: ignore[misc]
            edge.stop(signal.SIGKILL)
            proxy.let_go()
            edge.launch().wait_ready()
    assert not visitors.refused
    ledger.check(office, key, visitors)


def test_killed_at_any_moment(
    proxy: Proxy, office: Database, key: str, launch: Launch, steady: Steady, scale: Scale
) -> None:
    edge = launch(proxy.url, with_bounds("spool_batch_rows=20"))
    with steady(edge.url) as visitors:
        visitors.more(201, 10)  # now it knows the form, and its spool does
        for number in range(scale.rounds):
            proxy.shut()
            visitors.more(202, scale.many)
            before = _stored(office, key)
            proxy.open()
            until(lambda before=before, number=number: _stored(office, key) > before + 10 * number, 30)  # type: ignore[misc]
            edge.stop(signal.SIGKILL)
            edge.launch().wait_ready()
    assert not visitors.refused
    ledger.check(office, key, visitors)
