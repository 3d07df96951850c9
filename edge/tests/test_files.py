"""Files of a form: all of them stored as the form allows, or none of them there."""

import asyncio
import hashlib
import io
import os
import pathlib
import re
import stat
import subprocess
import sys
import zipfile

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import bounds, config, files, http, payload, problems, sniff, uploads
from edge.tests import program, uploading
from edge.tests.uploading import body, form, left, part, read

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(100)
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
EXE = b"MZ\x90\x00\x03\x00\x00\x00" + bytes(60) + b"PE\x00\x00"


@pytest.fixture
def root(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "files"


@pytest.fixture
def folder(root: pathlib.Path) -> files.Storage:
    return files.open(root.as_uri())


def test_a_file_is_stored(folder: files.Storage, root: pathlib.Path) -> None:
    content = PNG + os.urandom(600_000)
    sent = read(folder, body(part("name", "Ann"), part("cv", content, "me.png"), part("note", "Hi")), form())

    assert sent.fields == (("name", "Ann"), ("note", "Hi"))
    assert (sent.signals, sent.faults) == ((), ())
    (file,) = sent.files
    assert (file.field, file.name, file.media_type, file.size) == ("cv", "me.png", "image/png", len(content))
    assert file.sha256 == hashlib.sha256(content).hexdigest()
    assert re.fullmatch(rf"7/\d{{4}}-\d\d/{file.id}", file.location)
    assert left(root) == [file.location]
    assert (root / file.location).read_bytes() == content
    assert stat.S_IMODE((root / file.location).stat().st_mode) == 0o600


def test_several_files_in_one_field(folder: files.Storage, root: pathlib.Path) -> None:
    sent = read(folder, body(part("f", b"one", "a.txt"), part("f", b"", ""), part("f", PDF, "b.pdf")), form(count=2))
    assert [(file.field, file.name, file.media_type) for file in sent.files] == [
        ("f", "a.txt", "text/plain"),
        ("f", "b.pdf", "application/pdf"),
    ]
    assert len(left(root)) == 2


def test_a_file_input_in_which_nothing_was_chosen(folder: files.Storage, root: pathlib.Path) -> None:
    sent = read(folder, body(part("cv", b"", ""), part("name", "Ann")), form(types=("image/*",)))
    assert sent == payload.Payload((("name", "Ann"),), {}, ())
    assert left(root) == []


def test_a_form_without_files_keeps_the_name(folder: files.Storage, root: pathlib.Path) -> None:
    for known in (form(count=0), None):
        sent = read(folder, body(part("name", "Ann"), part("cv", PDF, "cv.pdf")), known)
        assert sent.fields == (("name", "Ann"), ("cv", "cv.pdf"))
        assert sent.signals == ("file_refused",)
        assert left(root) == []


def test_names_in_the_pages_own_charset(folder: files.Storage) -> None:
    named = part("straße", b"x", "größe.txt").decode().encode("cp1252")
    (file,) = read(folder, body(named, part("_charset_", "windows-1252")), form()).files
    assert (file.field, file.name) == ("straße", "größe.txt")


@pytest.mark.parametrize(
    ("rules", "sent", "faults"),
    [
        ({"bytes": 1000}, [("cv", b"x" * 1001, "a")], [("file_too_large", "cv", "a: a file may have 1 KB at most.")]),
        (
            {"total": 1500},
            [("a", b"x" * 1000, "a"), ("b", b"x" * 1000, "b")],
            [("file_too_large", "b", "All files together may have 1.5 KB at most.")],
        ),
        ({"count": 1}, [("f", b"1", "a"), ("f", b"2", "b")], [("too_many_files", "f", "b: 1 files at most.")]),
        ({"count": 1}, [("f", b"1", "a"), ("f", b"", "b")], [("too_many_files", "f", "b: 1 files at most.")]),
        (
            {"types": ("image/*",)},
            [("f", EXE, "a.jpg")],
            [("file_type", "f", "a.jpg: this type of file is not accepted.")],
        ),
        (
            {"types": ("image/*",)},
            [("f", PNG, "a.png"), ("g", b"<svg xmlns='x'/>", "b.svg")],
            [("file_type", "g", "b.svg: this type of file is not accepted.")],
        ),
        (
            {"types": ("image/*",)},
            [("f", b"", "a.png")],
            [("file_type", "f", "a.png: this type of file is not accepted.")],
        ),
    ],
)
def test_what_a_form_does_not_take(
    folder: files.Storage,
    root: pathlib.Path,
    rules: dict[str, object],
    sent: list[tuple[str, bytes, str]],
    faults: list[tuple[str, str, str]],
) -> None:
    parts = [part(name, content, filename) for name, content, filename in sent]
    found = read(folder, body(part("name", "Ann"), *parts, part("note", "after it")), form(**rules))
    assert [(fault.code, fault.field, fault.message) for fault in found.faults] == faults
    assert found.fields == (("name", "Ann"), ("note", "after it"))
    assert found.files == ()
    assert left(root) == []


def test_the_whole_request_has_a_limit(folder: files.Storage, root: pathlib.Path) -> None:
    most = 256 * 1024 + 2_000_000
    for known, size in ((form(), most + 1), (form(count=0), 256 * 1024 + 1), (None, 256 * 1024 + 1)):
        with pytest.raises(problems.Problem) as found:
            read(folder, body(part("a", "1")), known, size=size)
        assert found.value.code == "too_large"
    with pytest.raises(problems.Problem) as broken:
        read(folder, body(part("a", "1")), form(), size=most)
    assert broken.value.code == "malformed"


def test_fields_are_limited_beside_files(folder: files.Storage, root: pathlib.Path) -> None:
    sent = body(part("first", "kept"), *(part(f"n{number}", "x" * 90_000) for number in range(6)), part("f", PDF, "a"))
    with pytest.raises(payload.Unreadable) as found:
        read(folder, sent, form())
    assert found.value.code == "too_large"
    assert found.value.first is not None
    assert found.value.first.fields[0] == ("first", "kept")
    assert left(root) == []


def test_too_many_parts(folder: files.Storage, root: pathlib.Path) -> None:
    sent = body(*(part(f"f{number}", b"x", "a") for number in range(3)), *(part(f"n{n}", "1") for n in range(4)))
    with pytest.raises(payload.Unreadable) as found:
        read(folder, sent, form(), bounds.Bounds(fields=5))
    assert found.value.first is not None
    assert found.value.first.fields == (("n0", "1"), ("n1", "1"))
    assert left(root) == []


@pytest.mark.parametrize("cut", [10, 100, 300_000, 599_990])
def test_what_breaks_off_leaves_nothing(folder: files.Storage, root: pathlib.Path, cut: int) -> None:
    whole = body(part("name", "Ann"), part("cv", PNG + bytes(600_000), "me.png"))
    with pytest.raises(problems.Problem) as found:
        read(folder, whole[:cut], form(), size=len(whole))
    assert found.value.code == "malformed"
    assert left(root) == []


def test_a_broken_body_leaves_nothing(folder: files.Storage, root: pathlib.Path) -> None:
    with pytest.raises(payload.Unreadable) as found:
        read(folder, part("name", "Ann") + part("cv", PNG + bytes(300_000), "me.png") + b"--xYx\r\nhuh", form())
    assert found.value.first is not None
    assert found.value.first.fields == (("name", "Ann"),)
    assert left(root) == []


def test_slow_senders_leave_nothing(folder: files.Storage, root: pathlib.Path) -> None:
    sent = body(part("cv", PNG + bytes(300_000), "me.png"))
    with pytest.raises(problems.Problem) as found:
        # For a form with files its size gives it another six seconds: too long to wait for in a test.
        read(folder, sent, form(), bounds.Bounds(body_seconds=0.05 - len(sent) / 50_000), pause=asyncio.Event())
    assert found.value.code == "too_slow"
    assert left(root) == []


async def test_one_who_waits_no_longer_leaves_nothing(folder: files.Storage, root: pathlib.Path) -> None:
    deadlines = http.Deadlines()
    incoming = uploads.Uploads(folder, bounds.DEFAULT, deadlines)
    request = uploading.request(body(part("cv", PNG + bytes(300_000), "me.png")), pause=asyncio.Event())
    reading = asyncio.create_task(incoming.read(request, form(), uploading.TYPE))
    async with asyncio.timeout(5):
        while not left(root):
            await asyncio.sleep(0.01)
    assert deadlines.count == 1
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert deadlines.count == 0
    assert left(root) == []


def test_a_folder_that_is_gone(folder: files.Storage, root: pathlib.Path) -> None:
    root.rmdir()
    with pytest.raises(uploads.Unavailable) as found:
        read(folder, body(part("name", "Ann"), part("cv", PDF, "cv.pdf"), part("note", "x")), form())
    assert found.value.kind.status == 503
    assert found.value.sent.fields == (("name", "Ann"), ("note", "x"))
    assert not root.exists(), "another disk than the one that was meant"


def test_a_folder_in_which_nothing_can_be_named(folder: files.Storage, root: pathlib.Path) -> None:
    (root / "7").write_text("in the way")
    with pytest.raises(uploads.Unavailable):
        read(folder, body(part("cv", PDF, "cv.pdf"), part("cv", PDF, "cv.pdf")), form())
    assert left(root) == ["7"]


def test_all_or_none_get_their_place(root: pathlib.Path) -> None:
    storage = files.Folder(root)
    root.mkdir()
    drafts = []
    for _ in range(2):
        file = storage.temporary()
        file.write(b"x")
        drafts.append(file)
    (root / "1/2026-01/b").mkdir(parents=True)
    (root / "1/2026-01/b/full").mkdir()
    with pytest.raises(OSError, match="directory"):
        storage.keep([(drafts[0], "1/2026-01/a"), (drafts[1], "1/2026-01/b")])
    for file in drafts:
        files.drop(file)
    assert left(root) == []


def test_stored_files_can_be_discarded(folder: files.Storage, root: pathlib.Path) -> None:
    incoming = uploads.Uploads(folder, bounds.DEFAULT, http.Deadlines())
    sent = read(folder, body(part("cv", PDF, "cv.pdf")), form())
    assert left(root) == [sent.files[0].location]
    asyncio.run(incoming.discard(sent.files))
    asyncio.run(incoming.discard(sent.files))
    assert left(root) == []


def test_file_and_folder_are_synced(folder: files.Storage, root: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{handle}"))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    (file,) = read(folder, body(part("cv", PDF, "cv.pdf")), form()).files
    month = (root / file.location).parent
    content = next(number for number, path in enumerate(synced) if "/.incoming/" in path)
    assert synced.index(str(root)) < synced.index(str(month))
    assert str(month.parent) in synced
    assert content < len(synced) - 1
    assert synced[-1] == str(month), "the name is safe only when its folder is"


def _zip(*names: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in names:
            archive.writestr(name, "application/vnd.oasis.opendocument.text" if name == "mimetype" else "x")
    return made.getvalue()


def _compound(stream: str) -> bytes:
    head = bytearray(512)
    head[:8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    head[30:32], head[48:52] = b"\x09\x00", b"\x02\x00\x00\x00"
    return bytes(head) + bytes(1024) + "Root Entry".encode("utf-16-le").ljust(128, b"\0") + stream.encode("utf-16-le")


OFFICE = "application/vnd.openxmlformats-officedocument."


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01", "image/jpeg"),
        (b"\xff\xd8\xff\xe1\x00\x00Exif\x00\x00", "image/jpeg"),
        (b"GIF89a\x01\x00\x01\x00\x00", "image/gif"),
        (b"RIFF\x24\x00\x00\x00WEBPVP8 " + bytes(40), "image/webp"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "image/heic"),
        (b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00avifmif1", "image/avif"),
        (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom", "video/mp4"),
        (PDF, "application/pdf"),
        (b"%PDF-1.4 all ASCII", "application/pdf"),
        (b"junk\x00 before %PDF-1.4", "application/pdf"),
        (EXE, "application/x-executable"),
        (b"\x7fELF\x02\x01\x01" + bytes(50), "application/x-executable"),
        (b"\x1f\x8b\x08\x00" + bytes(9), "application/gzip"),
        (_zip("[Content_Types].xml", "_rels/.rels", "word/document.xml"), OFFICE + "wordprocessingml.document"),
        (_zip("[Content_Types].xml", "xl/workbook.xml"), OFFICE + "spreadsheetml.sheet"),
        (_zip("mimetype", "content.xml"), "application/vnd.oasis.opendocument.text"),
        (_zip("META-INF/MANIFEST.MF", "a.class"), "application/java-archive"),
        (_zip("notes.txt"), "application/zip"),
        (b"PK\x03\x04", "application/zip"),
        (_compound("WordDocument"), "application/msword"),
        (_compound("Workbook"), "application/vnd.ms-excel"),
        (_compound("_StringPool"), "application/x-ole-storage"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/octet-stream"),
        (b"a,b\r\n1,2\r\n", "text/plain"),
        ("Grüße, Łódź".encode(), "text/plain"),
        ("Grüße".encode("utf-16"), "text/plain"),
        ("Grüße aus München".encode("cp1252"), "text/plain"),
        (b"MZ is where I live", "text/plain"),
        (b"BM, too", "text/plain"),
        (("é" * 40_000).encode()[: 64 * 1024 + 1], "text/plain"),
        (b"text with\x00NUL", "application/octet-stream"),
        (b"{\\rtf1\\ansi x}", "application/rtf"),
        (b"\n<!DOCTYPE html><p>", "text/html"),
        (b"<b>bold</b><script>alert(1)</script>", "text/html"),
        (b"<?xml version='1.0'?><svg onload='alert(1)' xmlns='x'/>", "image/svg+xml"),
        (b"<?xml version='1.0'?><a/>", "text/xml"),
        (b"#!/bin/sh\nrm", "text/x-script"),
        (b"", "inode/x-empty"),
    ],
)
def test_what_a_file_is(content: bytes, kind: str) -> None:
    assert sniff.media_type(io.BytesIO(content)) == kind


@given(st.binary(max_size=300), st.sampled_from([b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\xff\xfe"]))
def test_any_bytes_are_something(content: bytes, beginning: bytes) -> None:
    assert "/" in sniff.media_type(io.BytesIO(beginning + content))


@pytest.mark.parametrize(
    ("types", "kind", "taken"),
    [
        ((), "application/x-anything", True),
        (("*/*",), "text/html", True),
        (("image/*",), "image/png", True),
        (("image/*",), "image/svg+xml", False),
        (("image/svg+xml",), "image/svg+xml", True),
        (("text/csv",), "text/plain", True),
        (("text/*",), "text/html", False),
        (("text/html",), "text/plain", False),
        (("application/pdf",), "application/zip", False),
    ],
)
def test_types_on_the_list(types: tuple[str, ...], kind: str, taken: bool) -> None:
    assert files.takes(types, kind) is taken


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("cv.pdf", "cv.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\docs\\cv.pdf", "cv.pdf"),
        ('a"b.pdf', 'a"b.pdf'),
        ("a\r\nSet-Cookie: x=1.pdf", "a  Set-Cookie: x=1.pdf"),
        ("a\x00b\u202egpj.exe", "a b gpj.exe"),
        ("..", "file"),
        ("/", "file"),
        ("", "file"),
        ("x" * 300 + ".pdf", "x" * 196 + ".pdf"),
        ("." + "x" * 300, "x" * 200),
    ],
)
def test_names_are_cleaned(sent: str, name: str) -> None:
    assert files.clean_name(sent) == name


@given(st.text())
def test_any_name(sent: str) -> None:
    name = files.clean_name(sent)
    assert 0 < len(name) <= 200
    assert name.isprintable()
    assert not set(name) & set("/\\")


def test_the_address_is_checked() -> None:
    environ = {"EDGE_DATABASE_URL": "postgresql://x", "CONSULT_DATA_DIR": "/data"}
    assert config.load(environ).files_url == "file:///data/files"
    for good in ("file:///srv/a%20b", "s3://bucket/some/where?endpoint=http://127.0.0.1:9000&region=x", "s3://bucket"):
        assert config.load({**environ, "CONSULT_FILES_URL": good}).files_url == good
    for bad in ("/srv/files", "file://host/srv", "file:relative", "s3://", "http://x", "s3:///prefix"):
        with pytest.raises(config.BadConfig) as found:
            config.load({**environ, "CONSULT_FILES_URL": bad})
        assert "CONSULT_FILES_URL is neither" in str(found.value)
        assert bad not in str(found.value).replace("file:///folder", "").replace("s3://bucket", "")
    with pytest.raises(files.Unusable, match="cannot be made"):
        files.open("file:///proc/none/such")


SERVE = """
import asyncio, sys
from granian.constants import HTTPModes
from granian.http import HTTP1Settings
from granian.server.embed import Server
from edge import bounds, files, forms, http, uploads

incoming = uploads.Uploads(files.open(sys.argv[2]), bounds.DEFAULT, http.Deadlines())
form = forms.Form(key="frm_x", version=1, agency_id=7, files=forms.Files(2, 60_000_000, 60_000_000))

class App:
    async def __rsgi__(self, scope, exchange):
        if scope.method == "GET":
            return exchange.response_bytes(200, [], b"")
        request = http.Request(scope, exchange)
        sent = await incoming.read(request, form, request.header("content-type"))
        exchange.response_bytes(200, [], sent.files[0].sha256.encode())

settings = HTTP1Settings(header_read_timeout=10_000, max_buffer_size=65_536)
options = {"http": HTTPModes.http1, "http1_settings": settings, "websockets": False, "log_enabled": False}
server = Server(App(), port=int(sys.argv[1]), **options)
asyncio.run(server.serve())
"""


def _peak_kib(pid: int) -> int:
    found = re.search(r"VmHWM:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1])


def test_memory_stays_flat(root: pathlib.Path) -> None:
    port = program.free_port()
    server = subprocess.Popen([sys.executable, "-c", SERVE, str(port), root.as_uri()], cwd=program.ROOT)
    url = f"http://127.0.0.1:{port}/"
    try:
        program.until(lambda: _answers(url), 10)
        with httpx.Client(timeout=60) as client:
            client.post(url, files={"f": ("small.png", PNG)})  # loads what the first file needs
            before = _peak_kib(server.pid)
            content = PNG + os.urandom(1_000_000) * 50
            answer = client.post(url, files={"f": ("large.png", content)})
            assert answer.text == hashlib.sha256(content).hexdigest()
            assert _peak_kib(server.pid) - before < 20 * 1024
    finally:
        server.kill()
        server.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=1).status_code == 200
    except httpx.HTTPError:
        return False
