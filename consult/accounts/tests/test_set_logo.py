"""A logo: what is taken, who sees it, and what is left behind."""

import datetime as dt
import os
import struct
import zlib
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import Settings

from conftest import Cast, Database
from consult.accounts import rules, services
from tests import worker

PATH = "/a/settings/logo/"


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


PNG = (
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    + _chunk(b"IDAT", zlib.compress(b"\0\x0b\x5f\x73"))
    + _chunk(b"IEND", b"")
)
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00" + b"\xff\xd9"
WEBP = b"RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f" + b"\0" * 12
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.CONSULT_FILES_URL = tmp_path.as_uri()
    return tmp_path


def kept(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def upload(content: bytes, name: str = "logo.png") -> dict[str, SimpleUploadedFile]:
    return {"logo": SimpleUploadedFile(name, content)}


@pytest.mark.parametrize(
    ("content", "media_type"),
    [(PNG, "image/png"), (JPEG, "image/jpeg"), (WEBP, "image/webp")],
    ids=("png", "jpeg", "webp"),
)
def test_pictures_of_three_kinds(cast: Cast, folder: Path, content: bytes, media_type: str) -> None:
    # Whatever its name says.
    assert cast.alice.client.post(PATH, upload(content, "logo.exe"))["Location"] == "/a/settings/"
    answer = cast.vera.client.get("/a/logo/")
    assert (answer.content, answer["Content-Type"]) == (content, media_type)
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer["Cache-Control"].startswith("private")
    assert cast.charlie.client.get("/a/logo/").status_code == 404
    assert cast.stranger.get("/a/logo/").status_code == 302
    page = cast.vera.client.get("/a/inbox/").content.decode()
    assert page.count('src="/a/logo/?v=') == 2, "in the bar and in the list of agencies"
    assert len(kept(folder)) == 1


def test_who_may(cast: Cast, folder: Path) -> None:
    for person, status in ((cast.vera, 403), (cast.bob, 403), (cast.charlie, 404)):
        assert person.client.post(PATH, upload(PNG)).status_code == status
        assert person.client.post(f"{PATH}remove/").status_code == status
    assert kept(folder) == []


@pytest.mark.parametrize(
    "content",
    [b"", SVG, b"GIF89a" + b"\0" * 40, b"<html>", PNG[:7], PNG + b"\0" * rules.LOGO_BYTES, b"RIFF\0\0\0\0AVI LIST"],
    ids=("nothing", "svg", "gif", "html", "half a mark", "too large", "avi"),
)
def test_what_is_not_taken(database: Database, cast: Cast, folder: Path, content: bytes) -> None:
    answer = cast.alice.client.post(PATH, upload(content, "logo.png"))
    assert answer.status_code == 422
    assert "at most 512 KB" in answer.content.decode()
    assert cast.alice.client.post(PATH).status_code == 422
    assert kept(folder) == []
    assert database.ask("SELECT logo FROM accounts_agency WHERE slug = 'a'") == [("",)]


def test_the_largest(cast: Cast) -> None:
    content = PNG + b"\0" * (rules.LOGO_BYTES - len(PNG))
    assert cast.alice.client.post(PATH, upload(content)).status_code == 302


def test_another_one_takes_its_place(database: Database, cast: Cast, folder: Path) -> None:
    cast.alice.client.post(PATH, upload(PNG))
    [first] = kept(folder)
    cast.alice.client.post(PATH, upload(JPEG))
    [second] = kept(folder)
    assert first != second
    cast.alice.client.post(f"{PATH}remove/")
    assert kept(folder) == []
    assert cast.vera.client.get("/a/logo/").status_code == 404
    assert 'src="/a/logo/' not in cast.vera.client.get("/a/inbox/").content.decode()
    assert database.ask("SELECT action FROM accounts_audit WHERE action ~ 'logo' ORDER BY id") == [
        ("accounts.set_logo",),
        ("accounts.set_logo",),
        ("accounts.remove_logo",),
    ]


def test_storage_that_is_away(database: Database, cast: Cast, settings: Settings, folder: Path) -> None:
    cast.alice.client.post(PATH, upload(PNG))
    settings.CONSULT_FILES_URL = (folder / "not-there").as_uri()
    assert cast.alice.client.post(PATH, upload(JPEG)).status_code == 503
    assert not (folder / "not-there").exists()
    assert cast.vera.client.get("/a/logo/").status_code == 404
    settings.CONSULT_FILES_URL = folder.as_uri()
    assert cast.vera.client.get("/a/logo/").content == PNG


def test_something_else_in_its_place_is_not_shown(cast: Cast, folder: Path) -> None:
    cast.alice.client.post(PATH, upload(PNG))
    [path] = kept(folder)
    path.write_bytes(SVG)
    assert cast.vera.client.get("/a/logo/").status_code == 404


def test_what_no_agency_names_is_swept(database: Database, cast: Cast, folder: Path) -> None:
    cast.alice.client.post(PATH, upload(PNG))
    [logo] = kept(folder)
    left = logo.with_name("01900000-0000-4000-8000-000000000001")
    fresh = logo.with_name("01900000-0000-4000-8000-000000000002")
    now = dt.datetime.now(dt.UTC)
    long_ago = (now - services.agencies.KEEP_UNNAMED_LOGOS).timestamp() - 60
    for path in (left, fresh):
        path.write_bytes(PNG)
    for path in (logo, left):
        os.utime(path, (long_ago, long_ago))
    worker.tick("intake.sweep_files")
    worker.run_jobs(database)
    assert left.exists(), "the sweep of visitors' files leaves logos alone"
    worker.tick("accounts.sweep_logos")
    worker.run_jobs(database)
    assert sorted(kept(folder)) == sorted([logo, fresh])
