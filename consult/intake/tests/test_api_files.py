"""A visitor's file by program: the same bytes, names and types as on the page."""

import uuid
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from conftest import Cast, Database
from consult.intake.tests.test_file import PDF, put, row
from tests import api

PATH = "/api/v1/files"


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.CONSULT_FILES_URL = tmp_path.as_uri()
    return tmp_path


@pytest.fixture
def program(cast: Cast) -> api.Program:
    return api.of_member(cast.a, cast.vera.member_id)


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, api.told(answer)["code"]


def test_from_the_submission_to_its_file(database: Database, cast: Cast, folder: Path, program: api.Program) -> None:
    file = row(cast.a, name="grün €.pdf")
    submission_id, _outcome = database.submit(cast.key_a, files=[file])
    put(folder, file["location"])
    [told] = api.told(program.get(f"/api/v1/submissions/{submission_id}"))["files"]
    answer = program.get(f"{PATH}/{told['id']}")
    assert (answer.status_code, answer.content) == (200, PDF)
    page = cast.vera.client.get(f"/a/files/{told['id']}/")
    assert page.getvalue() == PDF
    for name in (
        "Content-Type",
        "Content-Length",
        "Content-Disposition",
        "Content-Security-Policy",
        "X-Content-Type-Options",
        "Cache-Control",
    ):
        assert answer[name] == page[name], name
    assert answer["Content-Disposition"].startswith("attachment; ")
    assert answer["RateLimit"], "it counts like every call"
    head = program.call("HEAD", f"{PATH}/{told['id']}")
    assert (head.status_code, head.content, head["Content-Length"]) == (200, b"", str(len(PDF)))


@pytest.mark.parametrize(
    ("kind", "served"), [("image/png", "image/png"), ("text/html", None), ("image/svg+xml", None), ("x/y", None)]
)
def test_what_browsers_run_has_no_type(
    database: Database, cast: Cast, folder: Path, program: api.Program, kind: str, served: str | None
) -> None:
    file = row(cast.a, media_type=kind)
    database.submit(cast.key_a, files=[file])
    put(folder, file["location"])
    assert program.get(f"{PATH}/{file['id']}")["Content-Type"] == (served or "application/octet-stream")


def test_who_may_not(database: Database, cast: Cast, folder: Path, program: api.Program) -> None:
    file = row(cast.a)
    database.submit(cast.key_a, files=[file])
    put(folder, file["location"])
    assert code(api.ANONYMOUS.get(f"{PATH}/{file['id']}")) == (401, "not_signed_in")
    assert code(api.of_member(cast.b, cast.charlie.member_id).get(f"{PATH}/{file['id']}")) == (404, "not_found")
    assert code(program.get(f"{PATH}/{uuid.uuid4()}")) == (404, "not_found")
    assert code(api.of_agency(cast, "admin", ("write",)).get(f"{PATH}/{file['id']}")) == (403, "not_allowed")


def test_bytes_that_are_gone_or_away(
    database: Database, cast: Cast, program: api.Program, folder: Path, settings: Settings
) -> None:
    gone, outside = row(cast.a), row(cast.a, location="../secret")
    (folder.parent / "secret").write_text("secret")
    database.submit(cast.key_a, files=[gone, outside])
    for file in (gone, outside):
        assert code(program.get(f"{PATH}/{file['id']}")) == (404, "not_found")
    settings.CONSULT_FILES_URL = "s3://files?endpoint=http://127.0.0.1:1&region=x"
    answer = program.get(f"{PATH}/{gone['id']}")
    assert code(answer) == (503, "unavailable")
    assert answer["Retry-After"]
