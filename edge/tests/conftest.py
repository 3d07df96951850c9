"""One PostgreSQL, one edge, a fresh form for each test."""

from collections.abc import Iterator

import httpx
import pytest

from edge.tests import cluster, database, live_token, program


@pytest.fixture(scope="session")
def edge_database() -> Iterator[tuple[str, str]]:
    """(the edge's address, an address that may do everything): the one place where tests get a database."""
    with cluster.running() as dsn:
        edge_dsn, inside = database.Database(dsn).create_standin("edge_tests")
        yield edge_dsn, inside.dsn


@pytest.fixture(scope="session")
def office(edge_database: tuple[str, str]) -> database.Database:
    return database.Database(edge_database[1])


@pytest.fixture(scope="session")
def edge(edge_database: tuple[str, str]) -> Iterator[program.Program]:
    with program.running(edge_database[0], CONSULT_TRUSTED_PROXIES="127.0.0.1/32") as running:
        yield running


@pytest.fixture
def http(edge: program.Program) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=edge.url, timeout=10) as client:
        yield client


@pytest.fixture
def key(office: database.Database) -> str:
    """A form of agency 1."""
    return office.add_form()


@pytest.fixture
def gate(edge_database: tuple[str, str]) -> Iterator[program.Gate]:
    found = program.Gate(edge_database[0])
    found.open()
    yield found
    found.shut()


@pytest.fixture(scope="session")
def signer(office: database.Database) -> live_token.Signer:
    """The office's current key."""
    found = live_token.Signer()
    office.add_key(found.kid, found.pem)
    return found
