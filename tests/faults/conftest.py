"""The real edge beside a real PostgreSQL that may break, and a steady stream of visitors.

`CONSULT_TEST_FAULTS=long` (`make faults`): more visitors, longer faults, more rounds.
"""

import contextlib
import dataclasses
import logging
import os
import pathlib
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from consult.machine import postgres_cluster
from edge.tests.database import Database
from edge.tests.program import Program
from tests.faults import cluster as own_cluster
from tests.faults import disk, ledger, load
from tests.faults import proxy as tcp


@dataclasses.dataclass(frozen=True)
class Scale:
    """How much of everything: `per_second` visitors, `many` of them between two faults, faults in `rounds`."""

    per_second: float
    many: int
    rounds: int
    frozen_seconds: float
    requests: int


# Without the right to mount a disk: `test_refusal.py` has PostgreSQL say that its disk is full, and
# `edge/tests/test_spool.py` fills the spool's.
collect_ignore = [] if disk.permitted() else ["test_disk.py"]
# A line for each of many thousand requests helps nobody.
logging.getLogger("httpx").setLevel(logging.WARNING)

SHORT = Scale(per_second=60, many=30, rounds=2, frozen_seconds=3.5, requests=1_500)
LONG = Scale(per_second=150, many=600, rounds=12, frozen_seconds=30, requests=60_000)


@pytest.fixture(scope="session")
def scale() -> Scale:
    return LONG if os.environ.get("CONSULT_TEST_FAULTS") == "long" else SHORT


@pytest.fixture(scope="session")
def server(cluster: postgres_cluster.Cluster, template: str) -> Iterator[own_cluster.Server]:
    """Not that of the other tests: this one is killed. Every test leaves it running."""
    with own_cluster.running(cluster, own_cluster.folder()) as started:
        yield started


@pytest.fixture
def office(server: own_cluster.Server) -> Database:
    return server.office


@pytest.fixture
def key(office: Database) -> str:
    """A form of its own for each test."""
    return office.add_form(fallback_contact="hello@grind.example")


@pytest.fixture
def proxy(server: own_cluster.Server) -> Iterator[tcp.Proxy]:
    """Between an edge that is launched with `proxy.url` and the server."""
    with tcp.before(server.edge_url) as standing:
        yield standing


type Launch = Callable[..., Program]


@pytest.fixture
def launch(tmp_path: pathlib.Path) -> Iterator[Launch]:
    """`launch(dsn, start, VARIABLE=value)` starts an edge as production does.

    All of a test share one data directory, as several processes of one machine do. At the end their logs are looked at.
    """
    started: list[Program] = []

    def start(dsn: str, start: str = "-m edge", **environ: str) -> Program:
        data = {"CONSULT_DATA_DIR": str(tmp_path), "CONSULT_AGENCY_LIMIT": "1000000/minute"}
        edge = Program({"EDGE_DATABASE_URL": dsn, **data, **environ}, start)
        started.append(edge)
        edge.launch()
        return edge.wait_ready(30)

    yield start
    for edge in started:
        if edge.process is not None and edge.process.poll() is None:
            edge.process.send_signal(signal.SIGCONT)
            with contextlib.suppress(Exception):
                edge.stop(signal.SIGKILL)
    for edge in started:
        sys.stdout.write("".join(line for line in edge.raw if '"event":"request"' not in line))
    for edge in started:
        ledger.clean(edge)


type Steady = Callable[..., AbstractContextManager[load.Visitors]]


@pytest.fixture
def steady(key: str, scale: Scale) -> Steady:
    """`with steady(edge.url, …) as visitors:` sends to the test's form."""

    def start(*urls: str) -> AbstractContextManager[load.Visitors]:
        return load.steady(*urls, key=key, per_second=scale.per_second)

    return start
