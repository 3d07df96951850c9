"""Imports in the browser: upload, columns, check, run, and back."""

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import Settings

from conftest import Cast, Database
from consult.crm.tests import importing
from consult.crm.tests.importing import PEOPLE
from tests import worker

UPLOAD = "/a/contacts/import/"


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.CONSULT_FILES_URL = tmp_path.as_uri()
    return tmp_path


def test_the_whole_way(database: Database, cast: Cast) -> None:
    bob = cast.bob.client
    sent = bob.post(UPLOAD, {"file": SimpleUploadedFile("people.csv", PEOPLE.encode("windows-1252"))})
    assert sent.status_code == 302
    at = sent["Location"]
    page = bob.get(at).content.decode()
    assert "windows-1252" in page
    assert "Ann Müller · Ben · Broken" in page
    # As UTF-8 it is broken, and back.
    assert bob.post(f"{at}reread/", {"encoding": "utf-8", "delimiter": ";", "has_header": "1"}).status_code == 302
    assert "Ann M\ufffdller" in bob.get(at).content.decode()
    bob.post(f"{at}reread/", {"encoding": "windows-1252", "delimiter": ";", "has_header": "1"})
    meanings = {f"column-{n}": each for n, each in enumerate(["name", "emails", "phones", "company", "job_title"])}
    assert bob.post(f"{at}check/", {**meanings, "on_known": "update"}).status_code == 302
    assert "Being checked" in bob.get(at).content.decode()
    part = bob.get(at, headers={"HX-Request": "true"})
    assert "HX-Refresh" not in part
    worker.run_jobs(database)
    assert bob.get(at, headers={"HX-Request": "true"})["HX-Refresh"] == "true"
    page = bob.get(at).content.decode()
    assert "Row 4" in page
    assert "“ben@@new” is no e-mail address" in page
    told = bob.get(f"{at}issues.csv").getvalue().decode("utf-8-sig")
    assert told.splitlines()[1] == '"4","E-Mail","ben@@new","is no e-mail address"'
    bob.post(f"{at}start/")
    worker.run_jobs(database)
    assert "Take all of it back" in bob.get(at).content.decode()
    assert "Cleo" in bob.get("/a/contacts/").content.decode()
    assert "people.csv" in bob.get(UPLOAD).content.decode()
    bob.post(f"{at}undo/")
    worker.run_jobs(database)
    assert "3 removed" in bob.get(at).content.decode()
    assert "Cleo" not in bob.get("/a/contacts/").content.decode()


def test_a_file_that_is_none_is_said_beside_the_field(database: Database, cast: Cast, folder: Path) -> None:
    for content, words in (
        (b"", "There is no row"),
        (b"PK\x03\x04" + b"\0" * 99, "a workbook"),
        (b"\x89PNG", "no text"),
    ):
        answer = cast.bob.client.post(UPLOAD, {"file": SimpleUploadedFile("people.csv", content)})
        assert answer.status_code == 422
        assert words in answer.content.decode()
    assert "Choose a file" in cast.bob.client.post(UPLOAD).content.decode()
    assert [each for each in folder.rglob("*") if each.is_file()] == []


def test_columns_that_do_not_go_together(database: Database, cast: Cast) -> None:
    import_id = importing.upload(cast, PEOPLE)
    at = f"/a/imports/{import_id}/"
    for mapping, words in (
        (["name", "name", "", "", ""], "Two columns mean the same"),
        (["", "", "phones", "", ""], "Say which column is the name"),
        (["name", "own:x", "", "", ""], "not there any more"),
    ):
        answer = cast.bob.client.post(f"{at}check/", {f"column-{n}": each for n, each in enumerate(mapping)})
        assert answer.status_code == 422
        page = answer.content.decode()
        assert words in page
        # What was chosen is still chosen.
        assert ('<option value="phones" selected>' in page) == ("phones" in mapping)


def test_readers_and_strangers(database: Database, cast: Cast) -> None:
    import_id = importing.upload(cast, PEOPLE)
    at = f"/a/imports/{import_id}/"
    assert cast.vera.client.get(at).status_code == 200
    assert cast.vera.client.get(UPLOAD).status_code == 403
    for act in ("reread", "check", "start", "undo", "discard"):
        assert cast.vera.client.post(f"{at}{act}/").status_code == 403
        assert cast.charlie.client.post(f"/b/imports/{import_id}/{act}/").status_code == 404
    assert cast.charlie.client.get(f"/b/imports/{import_id}/").status_code == 404
    assert importing.look(cast, import_id).state == "new"


def test_steps_in_the_wrong_order_say_so(database: Database, cast: Cast) -> None:
    import_id = importing.upload(cast, PEOPLE)
    answer = cast.bob.client.post(f"/a/imports/{import_id}/start/", follow=True)
    assert "not possible any more" in answer.content.decode()


def test_500_megabytes_are_refused_before_they_are_read(database: Database, cast: Cast, folder: Path) -> None:
    answer = cast.bob.client.post(UPLOAD, CONTENT_LENGTH=str(500 * 1024**2))
    assert answer.status_code == 413
    assert "at most 50 MB" in answer.content.decode()
    told = cast.bob.client.post(
        UPLOAD, CONTENT_LENGTH=str(500 * 1024**2), headers={"Accept": "application/json"}
    ).json()
    assert (told["code"], "50 MB" in told["detail"]) == ("too_large", True)


def test_what_is_larger_than_the_limit_is_not_kept(
    database: Database, cast: Cast, folder: Path, settings: Settings
) -> None:
    """Also where the form around it still fits."""
    settings.CONSULT_IMPORT_LIMIT_BYTES = 10_000
    answer = cast.bob.client.post(UPLOAD, {"file": SimpleUploadedFile("people.csv", b"name\n" * 2_500)})
    assert answer.status_code == 413
    assert [each for each in folder.rglob("*") if each.is_file()] == []
