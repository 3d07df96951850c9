"""GET /live: nudges for one agency, with ids only."""

import contextlib
import json
import time
from collections.abc import Iterator

import httpx
import pytest

from edge import bounds, keys, live, log
from edge.tests.database import Database
from edge.tests.live_token import Signer
from edge.tests.program import Gate, Program, running, until, with_bounds


@contextlib.contextmanager
def _stream(program: Program, token: str) -> Iterator[Iterator[str]]:
    with (
        httpx.Client(base_url=program.url, timeout=10) as client,
        client.stream("GET", "/live", params={"token": token}) as answer,
    ):
        assert answer.status_code == 200
        lines = answer.iter_lines()
        assert next(lines) == "retry: 3000"
        yield lines


def _data(lines: Iterator[str], event: str) -> dict[str, str]:
    for line in lines:
        if line == f"event: {event}":
            found: dict[str, str] = json.loads(next(lines).removeprefix("data: "))
            return found
    raise AssertionError("the stream ended")


def test_nudge_reaches_its_agency_and_no_other(edge: Program, office: Database, signer: Signer) -> None:
    with _stream(edge, signer.token(agency=1)) as first, _stream(edge, signer.token(agency=2)) as second:
        office.nudge(1, "id-one")
        office.nudge(2, "id-two")
        assert _data(first, "nudge") == {"kind": "enquiry", "id": "id-one"}
        assert _data(second, "nudge") == {"kind": "enquiry", "id": "id-two"}


def test_headers(edge: Program, signer: Signer) -> None:
    origin = {"origin": edge.environ["CONSULT_OFFICE_URL"]}
    url = f"{edge.url}/live"
    with httpx.stream("GET", url, params={"token": signer.token()}, headers=origin) as answer:
        assert answer.headers["content-type"] == "text/event-stream"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["access-control-allow-origin"] == origin["origin"]


@pytest.mark.parametrize("token", ["", "abc", "a.b.c"])
def test_bad_token(http: httpx.Client, token: str) -> None:
    answer = http.get("/live", params={"token": token})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "invalid_token"


def test_stream_ends_with_its_token(edge: Program, signer: Signer) -> None:
    token = signer.token(exp=int(time.time()) + 2)
    started = time.monotonic()
    with _stream(edge, token) as lines:
        for _ in lines:
            pass
    assert 0.5 < time.monotonic() - started < 4


def test_new_and_withdrawn_keys_are_heard(http: httpx.Client, edge: Program, office: Database) -> None:
    fresh = Signer()
    office.add_key(fresh.kid, fresh.pem)
    with _stream(edge, fresh.token()):
        pass
    office.remove_key(fresh.kid)
    until(lambda: http.get("/live", params={"token": fresh.token(exp=1)}).status_code == 401)
    answer = http.get("/live", params={"token": fresh.token()})
    assert answer.status_code == 401


def test_unknown_kid_asks_once_in_a_while(edge_database: tuple[str, str], office: Database, signer: Signer) -> None:
    fresh = Signer()
    with running(edge_database[0], with_bounds("keys_reload_seconds=1.5")) as program:
        with _stream(program, signer.token()):
            pass
        office.add_key(fresh.kid, fresh.pem, told=False)
        url = f"{program.url}/live"
        assert httpx.get(url, params={"token": fresh.token()}).status_code == 401, "asked a moment ago"
        until(lambda: _opens(url, fresh.token()))


def _opens(url: str, token: str) -> bool:
    with httpx.stream("GET", url, params={"token": token}) as answer:
        return answer.status_code == 200


def test_lost_connection_becomes_resync(gate: Gate, signer: Signer) -> None:
    with running(gate.dsn) as program, _stream(program, signer.token()) as lines:
        gate.shut()
        gate.open()
        assert _data(lines, "resync") == {}


def test_left_pages_are_forgotten_at_once(edge_database: tuple[str, str], signer: Signer) -> None:
    with running(edge_database[0], with_bounds("streams_per_agency=1")) as program:
        url = f"{program.url}/live"
        with (
            _stream(program, signer.token()),
            httpx.stream("GET", url, params={"token": signer.token()}) as full,
        ):
            assert full.status_code == 503
            assert json.loads(full.read())["code"] == "too_many_streams"
        until(lambda: _opens(url, signer.token()))


def test_heartbeat(edge_database: tuple[str, str], signer: Signer) -> None:
    with (
        running(edge_database[0], with_bounds("heartbeat_seconds=0.2")) as program,
        _stream(program, signer.token()) as lines,
    ):
        assert ": still here" in [next(lines) for _ in range(5)]


def test_key_withdrawn_unheard_is_noticed_after_reconnecting(gate: Gate, office: Database, signer: Signer) -> None:
    gone = Signer()
    office.add_key(gone.kid, gone.pem)
    with running(gate.dsn) as program:
        url = f"{program.url}/live"
        assert _opens(url, gone.token())
        with _stream(program, signer.token()) as lines:
            gate.shut()
            office.remove_key(gone.kid)
            gate.open()
            _data(lines, "resync")
        assert not _opens(url, gone.token())


def test_stream_has_an_end_in_bytes(edge_database: tuple[str, str], office: Database, signer: Signer) -> None:
    with (
        running(edge_database[0], with_bounds("stream_bytes=200")) as program,
        _stream(program, signer.token()) as lines,
    ):
        for _ in range(10):
            office.nudge(1, "x" * 60)
        assert len(list(lines)) < 20


async def test_slow_reader_gets_one_resync() -> None:
    stream = live.Stream(agency=1, limit=3)
    for number in range(10):
        stream.push(b"event %d\n\n" % number)
    assert await stream.next(1) == live.RESYNC
    for _ in range(10):
        stream.push(live.RESYNC)
    assert await stream.next(1) == live.RESYNC
    assert await stream.next(0.01) == live.HEARTBEAT


def test_unreadable_notice_harms_nobody(edge_database: tuple[str, str]) -> None:
    async def ask() -> dict[str, str]:
        return {}

    found = live.Live(keys.KeyRing(ask, bounds.DEFAULT), "http://office", bounds.DEFAULT, log.Log())
    for payload in ("", "{", "[]", '{"agency": "1"}', '{"agency": 1, "kind": 5, "id": "x"}', "\x00"):
        found.heard(payload)
