"""A slow network, a silent one, connections that are half-open: deadlines hold, and it goes on by itself."""

from edge.tests.database import Database
from edge.tests.program import until
from tests.faults import ledger
from tests.faults.conftest import Launch, Scale, Steady
from tests.faults.proxy import Proxy


def test_latency(proxy: Proxy, office: Database, key: str, launch: Launch, steady: Steady, scale: Scale) -> None:
    edge = launch(proxy.url)
    with steady(edge.url) as visitors:
        visitors.more(201, scale.many)
        proxy.latency = 0.05  # a tenth of a second there and back; a new connection needs a dozen of them
        visitors.more(201, 2 * scale.many)
        assert visitors.statuses[202] == 0
        proxy.latency = 1.2  # beyond the deadline
        visitors.more(202, scale.many)
        proxy.latency = 0
        visitors.more(201, scale.many)
    assert not visitors.refused
    assert visitors.slowest < 8
    ledger.check(office, key, visitors)


def test_nothing_passes_and_nothing_is_closed(
    proxy: Proxy, office: Database, key: str, launch: Launch, steady: Steady, scale: Scale
) -> None:
    edge = launch(proxy.url)
    with steady(edge.url) as visitors:
        for _ in range(max(1, scale.rounds // 3)):
            visitors.more(201, scale.many)
            proxy.silent = True
            visitors.more(202, scale.many)
            proxy.silent = False
            visitors.more(201, scale.many)
    assert not visitors.refused
    assert visitors.slowest < 8
    ledger.check(office, key, visitors)


def test_half_open(proxy: Proxy, office: Database, key: str, launch: Launch, steady: Steady, scale: Scale) -> None:
    edge = launch(proxy.url)
    with steady(edge.url) as visitors:
        for _ in range(max(1, scale.rounds // 3)):
            visitors.more(201, scale.many)
            proxy.forget()
            # Of what was on its way nothing is heard: it goes to the spool at the deadline, and new connections work.
            told = len(edge.lines)
            until(lambda told=told: "connection_lost" in [line["event"] for line in edge.lines[told:]], 20)  # type: ignore[misc]
            visitors.more(201, scale.many)
    assert not visitors.refused
    assert visitors.slowest < 8
    ledger.check(office, key, visitors)


def test_cut_again_and_again(
    proxy: Proxy, office: Database, key: str, launch: Launch, steady: Steady, scale: Scale
) -> None:
    edge = launch(proxy.url)
    with steady(edge.url) as visitors:
        visitors.more(201, 10)
        for _ in range(3 * scale.rounds):
            proxy.shut()
            visitors.more(202, 5)
            proxy.open()
            visitors.more(201, 5)
    assert not visitors.refused
    ledger.check(office, key, visitors)
