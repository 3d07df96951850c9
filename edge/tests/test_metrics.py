"""What operators ask: /ready/ and /metrics."""

import re

import httpx

from edge.tests.database import Database
from edge.tests.program import running

SENT = {"name": "Ann", "email": "a@b.example"}


def numbers(text: str) -> dict[str, float]:
    return {name: float(value) for name, value in re.findall(r"^(\S+) (\S+)$", text, re.MULTILINE)}


def test_what_happened_is_counted(edge_database: tuple[str, str], office: Database) -> None:
    key = office.add_form(address_limit="2/minute", over_limit="refuse")
    with running(edge_database[0]) as program, httpx.Client(base_url=program.url) as http:
        http.post(f"/f/{key}", json=SENT)
        http.post(f"/f/{key}", json=SENT)
        http.post(f"/f/{key}", json={**SENT, "website": "http://spam.example"})
        http.post(f"/f/{key}", json={**SENT, "message": "one too many"})
        http.post(f"/f/{key}", json={})
        answer = http.get("/metrics")
    found = numbers(answer.text)
    assert answer.headers["content-type"].startswith("text/plain")
    assert found['edge_accepted_total{outcome="stored"}'] == 2
    assert found['edge_accepted_total{outcome="duplicate"}'] == 1
    assert found['edge_signals_total{signal="honeypot"}'] == 1
    assert found['edge_refused_total{code="too_many"}'] == 1
    assert found['edge_refused_total{code="invalid_fields"}'] == 1
    assert found["edge_commit_seconds_count"] == found["edge_batch_rows_sum"] == 2
    assert found["edge_spool_rows"] == 0
    assert found["edge_database_connected"] == 1
    assert 0 <= found["edge_loop_lag_seconds"] < 5
    assert "Ann" not in answer.text


def test_ready_says_where_a_submission_would_go(http: httpx.Client) -> None:
    assert http.get("/ready/").json() == {"status": "ok", "database": True, "spooled": 0}
    assert http.post("/ready/").status_code == 405


def test_over_the_limit_is_held_or_told_when_to_come_again(http: httpx.Client, office: Database) -> None:
    for choice, status in (("hold", 201), ("refuse", 429)):
        key = office.add_form(address_limit="1/minute", over_limit=choice)
        assert http.post(f"/f/{key}", json=SENT).status_code == 201
        answer = http.post(f"/f/{key}", json={**SENT, "message": "more"})
        assert answer.status_code == status
        if choice == "hold":
            assert sorted(row.signals for row in office.submissions(key)) == [[], ["over_limit"]]
        else:
            assert int(answer.headers["retry-after"]) == answer.json()["retry_after"] == 60
            assert len(office.submissions(key)) == 1
