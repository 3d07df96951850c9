"""GET /health/, and what every request leaves in the log."""

import httpx

from edge.tests.database import Database
from edge.tests.program import PAGE, Program, until


def test_health(http: httpx.Client) -> None:
    answer = http.get("/health/")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert http.head("/health/").status_code == 200


def test_request_id_is_taken_when_it_is_one(http: httpx.Client) -> None:
    assert http.get("/health/", headers={"x-request-id": "abc-12345"}).headers["x-request-id"] == "abc-12345"
    for bad in ("short", "x" * 65, 'in"jection-attempt', "spaced out id"):
        assert http.get("/health/", headers={"x-request-id": bad}).headers["x-request-id"] != bad


def test_one_line_per_request(http: httpx.Client, edge: Program, key: str) -> None:
    data = {"name": "Ann", "email": "a@b.example"}
    http.post(f"/f/{key}", data=data, headers={**PAGE, "x-request-id": "line-of-one"})
    until(lambda: bool(edge.requests("line-of-one")))
    (line,) = edge.requests("line-of-one")
    assert line["method"] == "POST"
    assert line["route"] == "/f/{form}"
    assert line["status"] == 303
    assert line["duration_ms"] > 0
    assert line["bytes"] == 0
    assert line["event"] == "request"
    assert line["client"] == "127.0.0.0", "a network, nobody's own address"
    assert line["code"] is None
    http.post(f"/f/{key}", data={"name": ""}, headers={**PAGE, "x-request-id": "line-of-two"})
    until(lambda: bool(edge.requests("line-of-two")))
    assert edge.requests("line-of-two")[0]["code"] == "invalid_fields"


def test_log_holds_nothing_private(http: httpx.Client, edge: Program, office: Database, key: str) -> None:
    data = {"name": "canary-name", "email": "canary@mail.example", "message": "POISON canary-text"}
    http.post(
        f"/f/{key}",
        data=data,
        headers={**PAGE, "cookie": "canary-cookie", "authorization": "Bearer canary-auth"},
    )
    http.get("/live", params={"token": "canary-token"})
    http.get(f"/f/{key}/thanks", params={"receipt": "canary-receipt"}, headers={"x-request-id": "last-of-these"})
    until(lambda: bool(edge.requests("last-of-these")))
    assert "canary" not in "".join(edge.raw)
    password = edge.environ["EDGE_DATABASE_URL"].split("@")[0].split(":")[-1]
    assert password not in "".join(edge.raw)
