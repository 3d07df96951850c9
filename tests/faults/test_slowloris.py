"""Many who send so slowly that they never finish, beside people who want to write: people come first."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import psutil
import pytest

from edge.tests.database import Database
from edge.tests.program import Program, until, with_bounds
from tests.faults import ledger
from tests.faults.cluster import Server
from tests.faults.conftest import Launch, Scale, Steady

LAZY = 200


class Lazy:
    """`count` connections, each of which sends its first part and then one byte after another, so long as it may.

    `answers` are what those that were ended heard before it.
    """

    def __init__(self, edge: Program, first: bytes, count: int) -> None:
        self.answers: list[bytes] = []
        self._connections = [socket.create_connection(("127.0.0.1", edge.port), timeout=10) for _ in range(count)]
        for connection in self._connections:
            connection.sendall(first)
            connection.setblocking(False)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._drip, daemon=True)
        self._thread.start()

    @property
    def open(self) -> int:
        return len(self._connections)

    def end(self) -> None:
        self._stop.set()
        self._thread.join(10)
        for connection in self._connections:
            connection.close()

    def _drip(self) -> None:
        while not self._stop.wait(0.2):
            self._connections = [connection for connection in self._connections if self._goes_on(connection)]

    def _goes_on(self, connection: socket.socket) -> bool:
        try:
            self.answers.append(connection.recv(65_536))
        except BlockingIOError:  # nothing was said yet
            with contextlib.suppress(OSError):
                connection.sendall(b"x")
            return True
        except ConnectionError:
            self.answers.append(b"")
        connection.close()
        return False


@contextlib.contextmanager
def lazy(edge: Program, first: bytes, count: int = LAZY) -> Iterator[Lazy]:
    slow = Lazy(edge, first, count)
    try:
        yield slow
    finally:
        slow.end()


def _half(key: str, part: str) -> bytes:
    head = f"POST /f/{key} HTTP/1.1\r\nhost: x\r\naccept: application/json\r\n"
    if part == "header":
        return f"{head}x-slow: ".encode()
    return f"{head}content-type: application/x-www-form-urlencoded\r\ncontent-length: 5000\r\n\r\nname=".encode()


@pytest.mark.parametrize("part", ["header", "body"])
def test_people_are_served_meanwhile(
    server: Server, office: Database, key: str, launch: Launch, steady: Steady, scale: Scale, part: str
) -> None:
    # As in production, only sooner.
    edge = launch(server.edge_url, with_bounds("header_seconds=1, body_seconds=1"))
    with steady(edge.url) as visitors:
        visitors.more(201, scale.many)
        with lazy(edge, _half(key, part)) as slow:
            visitors.more(201, scale.many)
            until(lambda: slow.open == 0, 20)
        visitors.more(201, scale.many)
    assert set(visitors.statuses) == {201}
    assert visitors.slowest < 3
    if part == "body":
        assert {answer.split()[1] for answer in slow.answers} == {b"408"}
        assert all(b'"code":"too_slow"' in answer for answer in slow.answers)
    ledger.check(office, key, visitors)


def test_they_are_no_more_than_the_bound(server: Server, office: Database, key: str, launch: Launch) -> None:
    edge = launch(server.edge_url, with_bounds("header_seconds=1, body_seconds=1, connections=50"))
    assert edge.process
    process = psutil.Process(edge.process.pid)

    def taken() -> int:
        return sum(found.laddr.port == edge.port and bool(found.raddr) for found in process.net_connections("tcp"))

    most = 0
    with lazy(edge, _half(key, "header"), 120) as slow:
        deadline = time.monotonic() + 30
        while slow.open and time.monotonic() < deadline:
            most = max(most, taken())
            time.sleep(0.05)
        # Those in the queue had their turn, too, and were ended like the others.
        assert slow.open == 0
    assert 40 <= most <= 52
