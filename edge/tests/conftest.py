"""One PostgreSQL, one edge, a fresh form for each test."""

from collections.abc import Iterator

import httpx
import pytest

from edge.tests import database, live_token, program


@pytest.fixture(scope="session")
def office(edge_database: tuple[str, str]) -> database.Database:
    """The office's side. `edge_database` is a copy of the real schema, made by the project's own conftest."""
    found = database.Database(edge_database[1])
    found.allow_no_poison()
    return found


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
