"""Several edges side by side on one spool directory: one is killed, and another one brings what it had accepted."""

import signal

from edge.tests.database import Database
from edge.tests.program import until, with_bounds
from tests.faults import ledger
from tests.faults.cluster import Server
from tests.faults.conftest import Launch, Scale, Steady


def test_one_of_three_is_killed_during_an_outage(
    server: Server, office: Database, key: str, launch: Launch, steady: Steady, scale: Scale
) -> None:
    # What takes a minute in production: until the files of others are looked at.
    start = with_bounds("adopt_seconds=0.5, report_seconds=0.5")
    first, second, third = edges = [launch(server.edge_url, start) for _ in range(3)]
    with steady(*(edge.url for edge in edges)) as visitors:
        visitors.more(201, 2 * scale.many)
        server.kill()
        try:
            visitors.more(202, 2 * scale.many)
            # Whoever was with the second goes on to the third, and the row may lie in both of their spools.
            second.stop(signal.SIGKILL)
            visitors.more(202, 2 * scale.many)
        finally:
            server.start()
        until(lambda: _drained(first.lines + third.lines) == {"spool-1.db", "spool-2.db", "spool-3.db"}, 60)
        visitors.more(201, scale.many)
    assert not visitors.refused
    ledger.check(office, key, visitors)


def _drained(lines: list[dict[str, str]]) -> set[str]:
    return {line["file"] for line in lines if line["event"] == "spool_drained"}
