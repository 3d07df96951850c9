"""What was accepted is stored, whoever is killed; what cannot be stored is said, and its text is kept."""

import pathlib
import signal
import threading
import time
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from edge import receipts
from edge.tests.database import Database
from edge.tests.program import PAGE, Gate, Program, running, until, with_bounds

SENT = {"name": "Ann", "email": "a@b.example"}


def test_kill_minus_nine_loses_nothing_accepted(edge_database: tuple[str, str], office: Database, key: str) -> None:
    told: list[str] = []
    with running(edge_database[0]) as program:
        threads = [threading.Thread(target=program.post_until_refused, args=(key, SENT, told)) for _ in range(8)]
        for thread in threads:
            thread.start()
        until(lambda: len(told) > 200, seconds=20)
        program.stop(signal.SIGKILL)
        for thread in threads:
            thread.join(20)
    found = {receipts.shown(row.receipt) for row in office.submissions(key)}
    assert len(told) == len(set(told))
    assert set(told) <= found


def sent(text: str) -> dict[str, str]:
    """The same words again would be the same submission."""
    return {**SENT, "message": text}


def stored(office: Database, key: str) -> dict[str, str]:
    """Receipt by message, of all that is stored; fails when one is there twice."""
    rows = office.submissions(key)
    found = {row["message"]: receipts.shown(row.receipt) for row in rows}
    assert len(found) == len(rows)
    return found


def test_database_away_spools_in_order_and_comes_back(gate: Gate, office: Database, key: str) -> None:
    with running(gate.dsn) as program, httpx.Client(base_url=program.url, timeout=10) as http:
        told = {"0": http.post(f"/f/{key}", json=sent("0")).json()["receipt"]}
        gate.shut()

        page = http.post(f"/f/{key}", data=sent("page"), headers=PAGE)
        assert page.status_code == 303
        told["page"] = parse_qs(urlsplit(page.headers["location"]).query)["receipt"][0]
        for text in ("1", "2", "3"):
            answer = http.post(f"/f/{key}", json=sent(text))
            assert answer.status_code == 202
            told[text] = answer.json()["receipt"]
        # A double click, while PostgreSQL is away: the same receipt, and one submission.
        again = http.post(f"/f/{key}", json=sent("3"))
        assert (again.status_code, again.json()["receipt"]) == (200, told["3"])
        assert http.get("/health/").status_code == 200
        assert http.get("/ready/").json()["status"] == "degraded"

        gate.open()
        until(lambda: len(office.submissions(key)) == 5, seconds=15)
        assert stored(office, key) == told
        assert [row.spooled for row in office.submissions(key)].count(True) == 4
        until(lambda: http.post(f"/f/{key}", json=sent(str(time.monotonic()))).status_code == 201)
        until(lambda: http.get("/ready/").json() == {"status": "ok", "database": True, "spooled": 0})


def test_both_away_keeps_the_text_and_says_how_else(gate: Gate, office: Database) -> None:
    key = office.add_form(fallback_contact="hello@grind.example", language="de")
    with (
        running(gate.dsn, with_bounds("spool_bytes=1")) as program,
        httpx.Client(base_url=program.url, timeout=10) as http,
    ):
        assert http.post(f"/f/{key}", json=sent("first")).status_code == 201
        gate.shut()
        page = http.post(f"/f/{key}", data=sent("Do not <lose> me"), headers=PAGE)
        assert page.status_code == 503
        assert int(page.headers["retry-after"]) > 0
        assert "Do not &lt;lose&gt; me" in page.text
        assert f'action="/f/{key}"' in page.text
        assert "mailto:hello@grind.example" in page.text
        assert '<html lang="de"' in page.text
        script = http.post(f"/f/{key}", json=sent("script"))
        assert script.status_code == 503
        assert script.json()["code"] == "unavailable"
        assert script.json()["retry_after"] > 0
        assert script.json()["fallback"] == "hello@grind.example"
        unknown = http.post(f"/f/frm_{'u' * 22}", data={"any": "Nor <me>"}, headers=PAGE)
        assert unknown.status_code == 503
        assert "Nor &lt;me&gt;" in unknown.text

        gate.open()
        until(lambda: http.post(f"/f/{key}", json=sent("last")).status_code in (200, 201), seconds=15)
        assert set(stored(office, key)) == {"first", "last"}, "what was refused was stored behind the visitor's back"


def test_short_interruption_is_not_noticed(gate: Gate, office: Database, key: str) -> None:
    with running(gate.dsn) as program, httpx.Client(base_url=program.url, timeout=10) as http:
        told = {"1": http.post(f"/f/{key}", json=sent("1")).json()["receipt"]}
        gate.shut()
        threading.Timer(0.5, gate.open).start()
        told["2"] = http.post(f"/f/{key}", json=sent("2")).json()["receipt"]
        until(lambda: len(office.submissions(key)) == 2)
        assert stored(office, key) == told


def test_frozen_database_answers_within_the_deadline(gate: Gate, office: Database, key: str) -> None:
    with running(gate.dsn) as program, httpx.Client(base_url=program.url, timeout=10) as http:
        told = {"1": http.post(f"/f/{key}", json=sent("1")).json()["receipt"]}
        gate.frozen.set()
        started = time.monotonic()
        answer = http.post(f"/f/{key}", json=sent("2"))
        assert answer.status_code == 202
        assert time.monotonic() - started < 4
        told["2"] = answer.json()["receipt"]
        # From now on nobody waits: the spool is not empty.
        started = time.monotonic()
        told["3"] = http.post(f"/f/{key}", json=sent("3")).json()["receipt"]
        assert time.monotonic() - started < 1
        gate.frozen.clear()
        until(lambda: len(office.submissions(key)) == 3, seconds=15)
        assert stored(office, key) == told


def test_starts_while_the_database_is_away(gate: Gate, office: Database, key: str, tmp_path: pathlib.Path) -> None:
    with running(gate.dsn, CONSULT_DATA_DIR=str(tmp_path)) as program:
        assert httpx.post(f"{program.url}/f/{key}", json=sent("1"), timeout=10).status_code == 201
        program.stop()
    gate.shut()
    with (
        running(gate.dsn, CONSULT_DATA_DIR=str(tmp_path)) as program,
        httpx.Client(base_url=program.url, timeout=10) as http,
    ):
        # It remembers the form, and keeps what is sent to it.
        assert http.post(f"/f/{key}", json=sent("2")).status_code == 202
        assert http.get(f"/f/{key}", headers=PAGE).status_code == 200
        assert http.post(f"/f/frm_{'u' * 22}", json=sent("2")).status_code == 503
    # It is killed, and the next one finds what it had accepted.
    gate.open()
    with running(gate.dsn, CONSULT_DATA_DIR=str(tmp_path)):
        until(lambda: set(stored(office, key)) == {"1", "2"}, seconds=15)


@pytest.fixture
def strong_role(office: Database, fault: str) -> Iterator[str]:
    """A role that has the fault; roles belong to the whole server, so it goes again."""
    role = f"edge_{fault}"
    right = {"superuser": "SUPERUSER", "bypass": "BYPASSRLS"}.get(fault, "")
    office.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'x' {right}")
    made = [role]
    if fault == "owner":
        office.execute(f"CREATE TABLE of_{role} (); ALTER TABLE of_{role} OWNER TO {role}")
    if fault == "member_of_owner":
        office.execute("CREATE ROLE a_group; CREATE TABLE of_group (); ALTER TABLE of_group OWNER TO a_group")
        office.execute(f"GRANT a_group TO {role}")
        made.append("a_group")
    yield role
    for each in made:
        office.execute(f"DROP OWNED BY {each}; DROP ROLE {each}")


@pytest.mark.parametrize("fault", ["superuser", "bypass", "owner", "member_of_owner"])
def test_too_strong_a_role_is_refused(edge_database: tuple[str, str], strong_role: str) -> None:
    place = edge_database[0].split("@")[1]
    program = Program({"EDGE_DATABASE_URL": f"postgresql://{strong_role}:x@{place}"}).launch()
    assert program.ended(10) == 1
    (line,) = [line for line in program.lines if line["event"] == "refused_to_start"]
    assert "role" in line["reason"]
