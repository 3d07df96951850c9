"""Whatever the bytes are, the edge answers without a 5xx, goes on, and has nothing unforeseen in its log."""

import concurrent.futures
import re
import select
import socket
from collections.abc import Iterable, Iterator

import httpx
import pytest

from edge.tests.database import Database
from edge.tests.program import Program
from tests.faults import corpus, ledger, load
from tests.faults.cluster import Server
from tests.faults.conftest import Launch, Scale

# A status line, and not one that stands in a text that came back.
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) [^\r\n]*\r\n")
SENDERS = 24
MORE_SECONDS = 0.1


def _said(port: int, sent: bytes) -> bytes:
    """All that the edge says to these bytes, when nothing follows them."""
    said = b""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.sendall(sent)
            # Not at once: to who has gone before the answer nothing is said. Then it waits for more, and there is none.
            select.select([connection], [], [], MORE_SECONDS)
            connection.shutdown(socket.SHUT_WR)
            while chunk := connection.recv(65_536):
                said += chunk
    except TimeoutError:
        raise
    except OSError:  # it had heard enough
        pass
    return said


def _statuses(edge: Program, requests: Iterable[bytes]) -> Iterator[tuple[bytes, list[int]]]:
    def ask(sent: bytes) -> tuple[bytes, list[int]]:
        return sent, [int(status) for status in _STATUS.findall(_said(edge.port, sent))]

    with concurrent.futures.ThreadPoolExecutor(SENDERS) as senders:
        yield from senders.map(ask, requests)


def _check(edge: Program, requests: Iterable[bytes]) -> set[int]:
    seen: set[int] = set()
    for sent, statuses in _statuses(edge, requests):
        seen.update(statuses)
        assert all(status < 500 for status in statuses), f"{statuses}: {sent[:2000]!r}"
        assert edge.process
        assert edge.process.poll() is None, sent
    ledger.clean(edge)
    # Also where nobody was there any more to hear the answer.
    assert [line for line in edge.lines if line["level"] in ("warning", "error") or line.get("status", 0) >= 500] == []
    return seen


@pytest.fixture
def edge(server: Server, launch: Launch) -> Program:
    return launch(server.edge_url)


def test_no_request_of_the_corpus_is_our_fault(edge: Program, office: Database) -> None:
    key = office.add_form()
    with_files = office.add_form(proof_of_work=True, files={"count": 2, "bytes": 50_000, "total": 80_000})
    seen = _check(edge, [*corpus.requests(key), *corpus.bodies(with_files)])
    # They do reach all of it.
    assert {200, 201, 204, 303, 400, 404, 405, 411, 413, 415, 422} <= seen
    answer = httpx.post(f"{edge.url}/f/{key}", json=load.fields("and a person"), timeout=10)
    assert answer.status_code == 201
    assert all("\x00" not in value for row in office.submissions(key) for _name, value in row.fields)


def test_no_changed_request_is_our_fault(edge: Program, office: Database, key: str, scale: Scale) -> None:
    known = [sent for sent in corpus.requests(key) if len(sent) < 50_000]
    _check(edge, (corpus.mutated(seed, known) for seed in range(scale.requests)))
    assert httpx.post(f"{edge.url}/f/{key}", json=load.fields("and a person"), timeout=10).status_code == 201
