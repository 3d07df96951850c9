"""SIGTERM and SIGINT: what was accepted is finished, those who never finish are not waited for."""

import contextlib
import signal
import socket
import threading
import time

import pytest

from edge.tests.database import Database
from edge.tests.live_token import Signer
from edge.tests.program import Program, running, until

SENT = {"name": "Ann", "email": "a@b.example"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop_with_open_streams_and_half_sent_requests(
    edge_database: tuple[str, str], office: Database, signer: Signer, key: str, number: signal.Signals
) -> None:
    with running(edge_database[0]) as program, contextlib.ExitStack() as open_ones:
        half = f"POST /f/{key} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{{"
        for sent in (
            b"",
            b"POST /f/",
            half.encode(),
            f"GET /live?token={signer.token()} HTTP/1.1\r\nhost: x\r\n\r\n".encode(),
        ):
            connection = open_ones.enter_context(socket.create_connection(("127.0.0.1", program.port)))
            connection.sendall(sent)
            if sent == half.encode():
                half_sent = connection
        stream = connection
        assert b"200 OK" in stream.recv(1000)
        started = time.monotonic()
        assert program.stop(number) == 0
        assert time.monotonic() - started < 5
        told = half_sent.recv(10_000).decode()
        assert told.startswith("HTTP/1.1 503"), told
        assert '"code":"unavailable"' in told
        assert "retry-after: 5" in told
        assert "Traceback" not in "".join(program.raw)


def test_idle_stop_is_quick(edge_database: tuple[str, str]) -> None:
    with running(edge_database[0]) as program:
        started = time.monotonic()
        assert program.stop() == 0
        assert time.monotonic() - started < 2


def test_stop_under_load_answers_what_it_took(edge_database: tuple[str, str], office: Database, key: str) -> None:
    told: list[str] = []
    with running(edge_database[0]) as program:
        threads = [threading.Thread(target=program.post_until_refused, args=(key, SENT, told)) for _ in range(8)]
        for thread in threads:
            thread.start()
        until(lambda: len(told) > 50, seconds=20)
        assert program.stop() == 0
        for thread in threads:
            thread.join(20)
    stored = {row.receipt for row in office.submissions(key)}
    assert {receipt.replace("-", "") for receipt in told} == stored


def test_taken_port_is_named(edge: Program, edge_database: tuple[str, str]) -> None:
    second = Program({"EDGE_DATABASE_URL": edge_database[0], "CONSULT_EDGE_PORT": str(edge.port)}).launch()
    assert second.ended(10) == 1
    assert str(edge.port) in second.lines[-1]["reason"]


def test_bad_environment_is_told_without_a_trace(edge_database: tuple[str, str]) -> None:
    program = Program({"EDGE_DATABASE_URL": "", "CONSULT_LOG_FORMAT": "loud"}).launch()
    assert program.ended(10) == 2
    told = "".join(program.raw)
    assert "EDGE_DATABASE_URL" in told
    assert "CONSULT_LOG_FORMAT" in told
    assert "Traceback" not in told
