"""A visitor's file: whoever may read the submission may save it, and nobody else; what nobody names is swept."""

import datetime as dt
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from conftest import Cast, Database
from consult.accounts import queries as accounts
from consult.core import files, tenancy
from consult.inbox import services as inbox
from consult.intake import jobs, queries, services
from tests import s3

PDF = b"%PDF-1.7 " + bytes(range(256)) * 2_000
NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.CONSULT_FILES_URL = tmp_path.as_uri()
    return tmp_path


@pytest.fixture
def bucket(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[s3.Server]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3.KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a secret")
    with s3.serving() as running:
        settings.CONSULT_FILES_URL = running.url
        yield running


def row(agency_id: int, **changes: Any) -> dict[str, Any]:
    """A file as the edge's door takes it."""
    id = str(uuid.uuid4())
    return {
        "id": id,
        "field": "cv",
        "name": "cv.pdf",
        "media_type": "application/pdf",
        "size": len(PDF),
        "sha256": "0" * 64,
        "location": f"{agency_id}/2026-11/{id}",
        **changes,
    }


def put(folder: Path, location: str, *, days: float = 0, content: bytes = PDF) -> Path:
    path = folder / location
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    at = (NOW - dt.timedelta(days=days)).timestamp()
    os.utime(path, (at, at))
    return path


def test_members_save_it_and_nobody_else_sees_it(database: Database, cast: Cast, folder: Path) -> None:
    file = row(cast.a)
    database.submit(cast.key_a, files=[file])
    put(folder, file["location"])
    path = f"/a/files/{file['id']}/"

    for person in (cast.alice, cast.bob, cast.vera):
        answer = person.client.get(path)
        assert answer.status_code == 200
        assert answer.getvalue() == PDF
        assert answer["Content-Type"] == "application/pdf"
        assert answer["Content-Length"] == str(len(PDF))
        assert answer["Content-Disposition"] == 'attachment; filename="cv.pdf"'
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert answer["Cache-Control"] == "private, no-store"
    assert cast.charlie.client.get(path).status_code == 404
    assert cast.charlie.client.get(path.replace("/a/", "/b/")).status_code == 404
    assert cast.stranger.get(path)["Location"] == f"/accounts/login/?next={path}"
    assert cast.alice.client.post(path).status_code == 405
    assert cast.alice.client.get(f"/a/files/{uuid.uuid4()}/").status_code == 404


@pytest.mark.parametrize(
    ("name", "disposition"),
    [
        ('say "hi".pdf', r'attachment; filename="say \"hi\".pdf"'),
        ("grün €.pdf", "attachment; filename*=utf-8''gr%C3%BCn%20%E2%82%AC.pdf"),
        ("a\r\nSet-Cookie: x=1", 'attachment; filename="a  Set-Cookie: x=1"'),
        ("../../etc/passwd", 'attachment; filename="passwd"'),
        ("..\\..\\cmd.exe", 'attachment; filename="cmd.exe"'),
        ("\u202e", 'attachment; filename="file"'),
    ],
)
def test_its_name_can_stand_in_a_header(
    database: Database, cast: Cast, folder: Path, name: str, disposition: str
) -> None:
    file = row(cast.a, name=name)
    database.submit(cast.key_a, files=[file])
    put(folder, file["location"])
    answer = cast.vera.client.get(f"/a/files/{file['id']}/")
    assert answer.getvalue() == PDF
    assert answer["Content-Disposition"] == disposition


@pytest.mark.parametrize(
    ("kind", "served"),
    [
        ("image/png", "image/png"),
        ("text/plain", "text/plain"),
        ("text/html", "application/octet-stream"),
        ("image/svg+xml", "application/octet-stream"),
        ("text/xml", "application/octet-stream"),
        ("application/x-executable", "application/octet-stream"),
    ],
)
def test_what_browsers_run_has_no_type(database: Database, cast: Cast, folder: Path, kind: str, served: str) -> None:
    file = row(cast.a, media_type=kind)
    database.submit(cast.key_a, files=[file])
    put(folder, file["location"])
    answer = cast.vera.client.get(f"/a/files/{file['id']}/")
    assert answer.getvalue() == PDF
    assert answer["Content-Type"] == served


def test_bytes_that_are_gone_or_elsewhere(database: Database, cast: Cast, folder: Path) -> None:
    gone, outside = row(cast.a), row(cast.a, location="../secret")
    (folder.parent / "secret").write_text("secret")
    database.submit(cast.key_a, files=[gone, outside])
    assert cast.alice.client.get(f"/a/files/{gone['id']}/").status_code == 404
    assert cast.alice.client.get(f"/a/files/{outside['id']}/").status_code == 404
    put(folder, f"{cast.a}/2026-11", content=b"in the way")
    assert cast.alice.client.get(f"/a/files/{gone['id']}/").status_code == 503


def test_from_a_bucket(database: Database, cast: Cast, bucket: s3.Server, settings: Settings) -> None:
    file = row(cast.a)
    database.submit(cast.key_a, files=[file])
    path = f"/a/files/{file['id']}/"
    assert cast.vera.client.get(path).status_code == 404
    bucket.objects[f"kept/{file['location']}"] = PDF
    assert cast.vera.client.get(path).getvalue() == PDF
    settings.CONSULT_FILES_URL = "s3://files?endpoint=http://127.0.0.1:1&region=x"
    assert cast.vera.client.get(path).status_code == 503


def test_the_files_of_a_submission(database: Database, cast: Cast) -> None:
    first, second = row(cast.a, name="b.pdf"), row(cast.a, name="a.pdf", field="letter")
    id, _outcome = database.submit(cast.key_a, files=[first, second])
    other, _outcome = database.submit(cast.key_a)
    with tenancy.agency(cast.a):
        found = [(str(file.id), file.field, file.name, file.size) for file in queries.files(cast.a, id)]
        assert found == [(second["id"], "letter", "a.pdf", len(PDF)), (first["id"], "cv", "b.pdf", len(PDF))]
        assert queries.files(cast.a, other) == []


def test_the_enquirys_page_leads_to_it(database: Database, cast: Cast) -> None:
    file = row(cast.a, name="<b>cv</b>.pdf", size=1_500_000)
    id, _outcome = database.submit(cast.key_a, files=[file])
    inbox.receive_submissions(agency_id=cast.a, submission_ids=[id])
    page = cast.vera.client.get("/a/inbox/1/").content.decode()
    assert f'href="/a/files/{file["id"]}/"' in page
    # A path in a name is none.
    assert ">b&gt;.pdf</a>" in page
    assert "1.4\xa0MB" in page


def test_what_nobody_names_is_swept(database: Database, cast: Cast, folder: Path) -> None:
    file, unnamed = row(cast.a), row(cast.a)
    database.submit(cast.key_a, files=[file])
    kept = [
        put(folder, file["location"], days=400),
        # A spool may still name it.
        put(folder, f"{cast.b}/2026-11/{uuid.uuid4()}", days=29),
        put(folder, f".incoming/{uuid.uuid4()}", days=0.9),
        # Not this database's agency: whose it is we cannot know.
        put(folder, f"987654/2026-11/{uuid.uuid4()}", days=400),
    ]
    swept = [
        put(folder, unnamed["location"], days=31),
        put(folder, f"{cast.b}/2026-01/{uuid.uuid4()}", days=31),
        put(folder, f"{cast.b}/2026-01/no-uuid", days=31),
        put(folder, f".incoming/{uuid.uuid4()}", days=1.1),
    ]
    assert services.sweep_files(now=NOW) == len(swept)
    assert all(path.exists() for path in kept)
    assert not any(path.exists() for path in swept)
    assert services.sweep_files(now=NOW) == 0


def test_an_agencys_file_is_no_name_for_anothers(database: Database, cast: Cast, folder: Path) -> None:
    file = row(cast.a)
    database.submit(cast.key_a, files=[file])
    put(folder, file["location"], days=31)
    copy = put(folder, f"{cast.b}/2026-11/{file['id']}", days=31)
    assert services.sweep_files(now=NOW) == 1
    assert not copy.exists()


def test_the_job_sweeps(database: Database, cast: Cast, folder: Path) -> None:
    assert cast.a in [id for id, _slug, _name in accounts.agencies()]
    old = put(folder, f"{cast.a}/2020-01/{uuid.uuid4()}", days=4_000)
    jobs.sweep_files()
    assert not old.exists()


def test_nothing_to_sweep(database: Database, settings: Settings, tmp_path: Path) -> None:
    for url in ((tmp_path / "missing").as_uri(), "s3://files?region=x"):
        settings.CONSULT_FILES_URL = url
        assert services.sweep_files(now=NOW) == 0


def test_reading_stops_when_nobody_listens(folder: Path) -> None:
    path = put(folder, f"1/2026-11/{uuid.uuid4()}", content=bytes(files.CHUNK_BYTES * 3))
    content = files.read(str(path.relative_to(folder)))
    assert len(next(content)) == files.CHUNK_BYTES
    content.close()  # type: ignore[attr-defined]
    assert list(content) == []
