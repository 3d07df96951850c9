"""What was accepted is stored, whoever is killed; what cannot be stored is said, and its text is kept."""

import signal
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from edge.tests.database import Database
from edge.tests.program import PAGE, Gate, Program, running, until

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
    stored = {row.receipt for row in office.submissions(key)}
    receipts = [receipt.replace("-", "") for receipt in told]
    assert len(receipts) == len(set(receipts))
    assert set(receipts) <= stored


def test_database_away_keeps_the_text_and_comes_back(gate: Gate, office: Database, key: str) -> None:
    with running(gate.dsn) as program, httpx.Client(base_url=program.url, timeout=10) as http:
        assert http.post(f"/f/{key}", json=SENT).status_code == 201
        gate.shut()

        page = http.post(f"/f/{key}", data={**SENT, "message": "Do not <lose> me"}, headers=PAGE)
        assert page.status_code == 503
        assert int(page.headers["retry-after"]) > 0
        assert "Do not &lt;lose&gt; me" in page.text
        assert f'action="/f/{key}"' in page.text
        script = http.post(f"/f/{key}", json=SENT)
        assert script.status_code == 503
        assert script.json()["code"] == "unavailable"
        assert script.json()["retry_after"] > 0
        unknown = http.post(f"/f/frm_{'u' * 22}", data={"any": "Nor <me>"}, headers=PAGE)
        assert unknown.status_code == 503
        assert "Nor &lt;me&gt;" in unknown.text
        assert http.get("/health/").status_code == 200

        gate.open()
        until(lambda: http.post(f"/f/{key}", json=SENT).status_code == 201)
        assert len(office.submissions(key)) == 2, "nothing that was refused was stored behind the visitor's back"


def test_short_interruption_is_not_noticed(gate: Gate, office: Database, key: str) -> None:
    with running(gate.dsn) as program, httpx.Client(base_url=program.url, timeout=10) as http:
        assert http.post(f"/f/{key}", json=SENT).status_code == 201
        gate.shut()
        threading.Timer(0.5, gate.open).start()
        assert http.post(f"/f/{key}", json=SENT).status_code == 201
        assert len(office.submissions(key)) == 2


def test_frozen_database_answers_within_the_deadline(gate: Gate, office: Database, key: str) -> None:
    with running(gate.dsn) as program, httpx.Client(base_url=program.url, timeout=10) as http:
        assert http.post(f"/f/{key}", json=SENT).status_code == 201
        gate.frozen.set()
        started = time.monotonic()
        assert http.post(f"/f/{key}", json=SENT).status_code == 503
        assert time.monotonic() - started < 4
        gate.frozen.clear()
        until(lambda: http.post(f"/f/{key}", json=SENT).status_code == 201)


def test_starts_while_the_database_is_away(gate: Gate, key: str) -> None:
    gate.shut()
    with running(gate.dsn) as program, httpx.Client(base_url=program.url, timeout=10) as http:
        assert http.post(f"/f/{key}", json=SENT).status_code == 503
        assert http.get(f"/f/{key}", headers=PAGE).status_code == 503
        gate.open()
        until(lambda: http.post(f"/f/{key}", json=SENT).status_code == 201)


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
