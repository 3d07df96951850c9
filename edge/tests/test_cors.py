"""Which pages' scripts may read an answer."""

import httpx

from edge.tests.database import Database
from edge.tests.program import Program

SITE = "https://grind.example"
FOREIGN = "https://elsewhere.example"
SENT = {"name": "Ann", "email": "a@b.example"}


def _preflight(http: httpx.Client, key: str, origin: str) -> httpx.Response:
    asked = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
    }
    return http.options(f"/f/{key}", headers=asked)


def test_empty_list_means_the_site_itself(http: httpx.Client, key: str) -> None:
    answer = _preflight(http, key, SITE)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == SITE
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "Content-Type" in answer.headers["access-control-allow-headers"]
    assert answer.headers["vary"] == "Origin"
    assert "access-control-allow-origin" not in _preflight(http, key, FOREIGN).headers


def test_answers_carry_permission_too(http: httpx.Client, key: str) -> None:
    stored = http.post(f"/f/{key}", json=SENT, headers={"origin": SITE})
    refused = http.post(f"/f/{key}", json={}, headers={"origin": SITE})
    foreign = http.post(f"/f/{key}", json={**SENT, "message": "Elsewhere"}, headers={"origin": FOREIGN})
    assert stored.headers["access-control-allow-origin"] == SITE
    assert refused.status_code == 422
    assert refused.headers["access-control-allow-origin"] == SITE
    assert foreign.status_code == 201
    assert "access-control-allow-origin" not in foreign.headers
    assert foreign.headers["vary"] == "Origin"
    assert "access-control-allow-credentials" not in stored.headers


def test_own_list(http: httpx.Client, office: Database) -> None:
    key = office.add_form(allowed_origins=[FOREIGN])
    assert _preflight(http, key, FOREIGN).headers["access-control-allow-origin"] == FOREIGN
    for origin in (SITE, FOREIGN + ".evil.example", FOREIGN.replace("https", "http"), "null"):
        assert "access-control-allow-origin" not in _preflight(http, key, origin).headers


def test_star_allows_all(http: httpx.Client, office: Database) -> None:
    key = office.add_form(allowed_origins=["*"])
    assert _preflight(http, key, FOREIGN).headers["access-control-allow-origin"] == FOREIGN
    http.post(f"/f/{key}", json=SENT, headers={"origin": FOREIGN})
    assert office.submissions(key)[0].signals == []


def test_live_is_for_the_office_only(http: httpx.Client, edge: Program) -> None:
    office = edge.environ["CONSULT_OFFICE_URL"]
    assert http.get("/live", headers={"origin": office}).headers["access-control-allow-origin"] == office
    assert "access-control-allow-origin" not in http.get("/live", headers={"origin": FOREIGN}).headers
