"""The same files in S3-compatible storage."""

import asyncio
import hashlib
import os
import pathlib
from collections.abc import Iterator

import pytest

from edge import bounds, files, http, uploads
from edge.tests.uploading import body, form, part, read
from tests import s3

PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> Iterator[s3.Server]:
    secret = tmp_path / "secret"
    secret.write_text("a secret\n")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3.KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY_FILE", str(secret))
    with s3.serving() as running:
        yield running


def test_a_file_is_stored_and_discarded(server: s3.Server) -> None:
    bucket = files.open(server.url)
    sent = read(bucket, body(part("name", "Ann"), part("cv", PDF, "cv.pdf"), part("e", b"", "empty")), form())
    file, empty = sent.files
    assert server.objects == {f"kept/{file.location}": PDF, f"kept/{empty.location}": b""}
    assert (file.media_type, file.sha256) == ("application/pdf", hashlib.sha256(PDF).hexdigest())
    asyncio.run(uploads.Uploads(bucket, bounds.DEFAULT, http.Deadlines()).discard(sent.files))
    assert server.objects == {}


def test_a_large_file_goes_in_parts(server: s3.Server) -> None:
    content = PDF + os.urandom(12_000_000)
    rules = form(bytes=20_000_000, total=20_000_000)
    (file,) = read(files.open(server.url), body(part("cv", content, "cv.pdf")), rules).files
    assert hashlib.sha256(server.objects[f"kept/{file.location}"]).hexdigest() == file.sha256
    assert server.largest_request <= 5 * 1024 * 1024
    assert server.uploads == {}


def test_what_is_not_taken_never_gets_there(server: s3.Server) -> None:
    sent = read(files.open(server.url), body(part("cv", PDF, "cv.jpg")), form(types=("image/*",)))
    assert [fault.code for fault in sent.faults] == ["file_type"]
    assert server.largest_request == 0
    assert server.objects == {}


def test_a_bucket_that_takes_nothing(server: s3.Server, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = body(part("name", "Ann"), part("cv", PDF, "cv.pdf"))
    server.full = True
    with pytest.raises(uploads.Unavailable) as found:
        read(files.open(server.url), sent, form())
    assert found.value.sent.fields == (("name", "Ann"),)
    server.full = False
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    with pytest.raises(uploads.Unavailable):
        read(files.open(server.url), sent, form())
    assert server.objects == {}


def test_nobody_is_there(server: s3.Server) -> None:
    bucket = files.open("s3://files/kept?endpoint=http://127.0.0.1:1&region=x")
    with pytest.raises(uploads.Unavailable):
        read(bucket, body(part("cv", PDF, "cv.pdf")), form())


def test_credentials_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY_FILE", "/no/such/file")
    with pytest.raises(files.Unusable, match="cannot be used"):
        files.open("s3://files")
