"""The agency's settings and logo by program."""

from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from conftest import Cast, Database
from consult.accounts.tests.test_set_logo import JPEG, PNG, SVG, kept
from tests import api

PATH, LOGO = "/api/v1/agency", "/api/v1/agency/logo"


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.CONSULT_FILES_URL = tmp_path.as_uri()
    return tmp_path


@pytest.fixture
def program(cast: Cast) -> api.Program:
    return api.of_member(cast.a, cast.alice.member_id)


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, api.told(answer)["code"]


def test_settings(program: api.Program, cast: Cast, database: Database) -> None:
    assert api.told(program.get(PATH)) == {
        "slug": "a",
        "name": "Agency A",
        "time_zone": "UTC",
        "currency": "EUR",
        "week_start": 1,
        "sender_address": "",
        "has_logo": False,
        "closes_at": None,
    }
    given = {
        "slug": "northwind",
        "name": "Northwind",
        "time_zone": "Europe/Lisbon",
        "currency": "USD",
        "week_start": 7,
        "sender_address": "Northwind <hello@northwind.example>",
    }
    answer = program.patch(PATH, given)
    assert answer.status_code == 200
    assert api.told(answer) == {**given, "has_logo": False, "closes_at": None}
    assert program.get(PATH)["ETag"] == answer["ETag"]
    assert cast.alice.client.get("/northwind/inbox/").status_code == 200
    # What is not named stays, and what changes nothing is no change.
    assert api.told(program.patch(PATH, {"name": "Northwind Web"}))["currency"] == "USD"
    assert program.patch(PATH, {}).status_code == program.patch(PATH, {"week_start": 7}).status_code == 200
    audit = database.ask("SELECT data FROM accounts_audit WHERE action = 'accounts.update_agency' ORDER BY created_at")
    assert len(audit) == 2
    assert audit[1][0] == {"before": {"name": "Northwind"}, "after": {"name": "Northwind Web"}}
    assert "Northwind <" not in str(audit), "the audit keeps no person's name"


def test_bad_settings(program: api.Program, database: Database) -> None:
    before = program.get(PATH).content
    for name, values in {
        "slug": ("", "No!", "-a", "x" * 41, None, 1),
        "name": ("", "   ", "x" * 201, "a\r\nb", None),
        "time_zone": ("", "Nowhere/At_all", "../../etc/passwd", "x" * 65, None),
        "currency": ("", "eur", "XXX", "EURO", None),
        "week_start": (0, 8, "1", 1.5, None, 2**63),
        "sender_address": (
            "no address",
            "a@b.example, c@d.example",
            "a@b.example\r\nBcc: x@y.example",
            "a@b.example <c@d.example>",
            None,
        ),
    }.items():
        for value in values:
            answer = program.patch(PATH, {name: value})
            assert code(answer) == (422, "invalid"), (name, value)
            assert api.told(answer)["errors"][0]["pointer"] == f"/{name}", (name, value)
    for taken in ("b", "admin", "api"):
        # Of two changes none is made.
        assert code(program.patch(PATH, {"name": "New", "slug": taken})) == (409, "name_taken")
    assert code(program.patch(PATH, {"logo": "1/logo/x"})) == (422, "invalid")
    assert code(program.patch(PATH, {"closes_at": None})) == (422, "invalid")
    assert program.get(PATH).content == before


def test_who_may_not(cast: Cast) -> None:
    for person in (cast.bob, cast.vera):
        caller = api.of_member(cast.a, person.member_id)
        for method, path, body in (
            ("GET", PATH, None),
            ("PATCH", PATH, {"name": "Mine"}),
            ("PUT", LOGO, api.Raw(PNG)),
            ("DELETE", LOGO, None),
        ):
            assert code(caller.call(method, path, body)) == (403, "not_allowed")
        assert code(caller.get(LOGO)) == (404, "not_found"), "there is none"


def test_what_was_changed_since_is_left_alone(program: api.Program) -> None:
    seen = program.get(PATH)["ETag"]
    assert program.patch(PATH, {"name": "One"}, If_Match=seen).status_code == 200
    assert code(program.patch(PATH, {"name": "Two"}, If_Match=seen)) == (412, "precondition_failed")
    assert api.told(program.get(PATH))["name"] == "One"
    assert program.get(PATH, If_None_Match=program.get(PATH)["ETag"]).status_code == 304


def test_a_logo(program: api.Program, cast: Cast, folder: Path) -> None:
    assert program.put(LOGO, api.Raw(PNG)).status_code == 204
    viewer = api.of_member(cast.a, cast.vera.member_id)
    answer = viewer.get(LOGO)
    assert (answer.content, answer["Content-Type"]) == (PNG, "image/png")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert cast.vera.client.get("/a/logo/").content == PNG
    assert api.told(program.get(PATH))["has_logo"] is True
    unchanged = viewer.get(LOGO, If_None_Match=answer["ETag"])
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    # Only the logo that was seen is replaced or removed.
    assert program.put(LOGO, api.Raw(JPEG), If_Match=answer["ETag"]).status_code == 204
    assert code(program.put(LOGO, api.Raw(PNG), If_Match=answer["ETag"])) == (412, "precondition_failed")
    assert code(program.delete(LOGO, If_Match=answer["ETag"])) == (412, "precondition_failed")
    assert viewer.get(LOGO).content == JPEG
    assert len(kept(folder)) == 1, "of each logo nothing is left but the last"
    assert program.delete(LOGO).status_code == program.delete(LOGO).status_code == 204
    assert code(viewer.get(LOGO)) == (404, "not_found")
    assert code(program.put(LOGO, api.Raw(PNG), If_Match="*")) == (412, "precondition_failed"), "there is none"
    assert kept(folder) == []
    head = viewer.call("HEAD", LOGO)
    assert (head.status_code, head.content) == (404, b"")


def test_no_logo(program: api.Program, folder: Path) -> None:
    for content in (SVG, b"\x89PNG", b"GIF89a", PNG + bytes(512 * 1024)):
        answer = program.put(LOGO, api.Raw(content))
        assert code(answer) == (422, "invalid")
        assert "512 KB" in api.told(answer)["errors"][0]["detail"]
    assert code(program.put(LOGO, {"logo": "x"})) == (415, "unsupported_media_type")
    assert code(program.post(LOGO, api.Raw(PNG))) == (405, "method_not_allowed")
    assert kept(folder) == []


def test_a_storage_that_is_away(program: api.Program, settings: Settings) -> None:
    assert program.put(LOGO, api.Raw(PNG)).status_code == 204
    settings.CONSULT_FILES_URL = "s3://files?endpoint=http://127.0.0.1:1&region=x"
    for answer in (program.get(LOGO), program.put(LOGO, api.Raw(JPEG))):
        assert code(answer) == (503, "unavailable")
        assert answer["Retry-After"]
    assert api.told(program.get(PATH))["has_logo"] is True
