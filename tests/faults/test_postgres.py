"""PostgreSQL dies, stands still, hangs up: visitors get receipts all the time, and each has exactly one submission."""

import time

from edge.tests.database import Database
from tests.faults import ledger
from tests.faults.cluster import Server
from tests.faults.conftest import Launch, Scale, Steady


def test_killed_and_started_again(
    server: Server, office: Database, key: str, launch: Launch, steady: Steady, scale: Scale
) -> None:
    edge = launch(server.edge_url)
    with steady(edge.url) as visitors:
        for _ in range(max(1, scale.rounds // 3)):
            visitors.more(201, scale.many)
            server.kill()
            visitors.more(202, scale.many)
            server.start()
            visitors.more(201, scale.many)
    assert not visitors.refused
    ledger.check(office, key, visitors)


def test_frozen_longer_than_the_deadline(
    server: Server, office: Database, key: str, launch: Launch, steady: Steady, scale: Scale
) -> None:
    edge = launch(server.edge_url)
    with steady(edge.url) as visitors:
        visitors.more(201, scale.many)
        server.freeze()
        thaw_at = time.monotonic() + scale.frozen_seconds
        try:
            visitors.more(202, scale.many)
            time.sleep(max(0.0, thaw_at - time.monotonic()))
        finally:
            server.thaw()
        visitors.more(201, scale.many)
    assert not visitors.refused
    # Two seconds for PostgreSQL, at most two for the spool; the rest is what a busy machine adds.
    assert visitors.slowest < 8
    ledger.check(office, key, visitors)


def test_connections_terminated_again_and_again(
    server: Server, office: Database, key: str, launch: Launch, steady: Steady, scale: Scale
) -> None:
    edge = launch(server.edge_url)
    ended = 0
    with steady(edge.url) as visitors:
        visitors.more(201, 10)  # a form that was never seen cannot be looked up in this
        for _ in range(5 * scale.rounds):
            ended += server.terminate_edges()
            visitors.more(201, 10)
    assert ended >= 5 * scale.rounds
    assert not visitors.refused
    ledger.check(office, key, visitors)
