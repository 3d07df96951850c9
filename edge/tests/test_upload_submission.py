"""Files through the whole edge: stored with their submission, or refused with the text kept."""

import gzip
import hashlib
import os
import pathlib
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from edge.tests import program
from edge.tests.database import Database
from edge.tests.program import PAGE
from edge.tests.uploading import left

RULES = {"count": 2, "bytes": 1_000_000, "total": 1_500_000, "types": ["image/*", "application/pdf"]}
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + os.urandom(500_000)
FIELDS = {"name": "Ann", "email": "ann@example.com", "message": "My <portfolio>"}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return tmp_path_factory.mktemp("files") / "kept"


@pytest.fixture(scope="module")
def edge(edge_database: tuple[str, str], root: pathlib.Path) -> Iterator[program.Program]:
    """One whose files lie in a folder of the test."""
    environ = {"CONSULT_FILES_URL": root.as_uri(), "CONSULT_DATA_DIR": str(root.parent / "data")}
    with program.running(edge_database[0], **environ) as running:
        yield running


@pytest.fixture
def key(office: Database, root: pathlib.Path) -> str:
    for path in left(root):
        (root / path).unlink()
    return office.add_form(files=RULES)


def rows(office: Database, key: str) -> list[dict[str, object]]:
    found = office.fetch(
        """
        SELECT f.field, f.name, f.media_type, f.size, f.sha256, f.location FROM intake_file f
          JOIN intake_submission s ON s.id = f.submission_id JOIN intake_form o ON o.id = s.form_id WHERE o.key = $1
        """,
        key,
    )
    return [dict(row) for row in found]


def test_files_are_stored_with_their_submission(
    http: httpx.Client, office: Database, key: str, root: pathlib.Path
) -> None:
    answer = http.post(f"/f/{key}", data=FIELDS, files={"cv": ("My CV.pdf", PDF)}, headers=PAGE)
    assert answer.status_code == 303
    (sent,) = office.submissions(key)
    assert (sent["message"], sent.signals) == ("My <portfolio>", [])
    (row,) = rows(office, key)
    assert left(root) == [row.pop("location")]
    assert row == {
        "field": "cv",
        "name": "My CV.pdf",
        "media_type": "application/pdf",
        "size": len(PDF),
        "sha256": hashlib.sha256(PDF).hexdigest(),
    }


def test_a_repetition_keeps_the_files_of_the_first(
    http: httpx.Client, office: Database, key: str, root: pathlib.Path
) -> None:
    receipts = {
        http.post(
            f"/f/{key}", data=FIELDS, files={"cv": ("cv.pdf", PDF)}, headers={"accept": "application/json"}
        ).json()["receipt"]
        for _ in range(2)
    }
    assert len(receipts) == 1
    assert left(root) == [row["location"] for row in rows(office, key)]
    # Another file is another submission.
    http.post(f"/f/{key}", data=FIELDS, files={"cv": ("cv.pdf", PDF + b"2")})
    assert len(office.submissions(key)) == len(rows(office, key)) == len(left(root)) == 2


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ([("cv", ("cv.jpg", b"MZ\x90\x00" + bytes(99)))], "file_type"),
        ([("cv", ("cv.pdf", PDF + bytes(600_000)))], "file_too_large"),
        ([("cv", ("a.pdf", PDF)), ("cv", ("b.pdf", PDF)), ("cv", ("c.pdf", PDF))], "too_many_files"),
    ],
)
def test_what_the_form_does_not_take(
    http: httpx.Client,
    office: Database,
    key: str,
    root: pathlib.Path,
    files: list[tuple[str, tuple[str, bytes]]],
    code: str,
) -> None:
    answer = http.post(f"/f/{key}", data=FIELDS, files=files, headers={"accept": "application/json"})
    assert answer.status_code == 422
    assert [(error["code"], error["field"]) for error in answer.json()["errors"]] == [(code, "cv")]
    page = http.post(f"/f/{key}", data=FIELDS, files=files, headers=PAGE)
    assert page.status_code == 422
    assert "My &lt;portfolio&gt;" in page.text
    assert 'type="file"' in page.text or "again" in page.text
    assert office.submissions(key) == []
    assert left(root) == []


def test_another_fault_leaves_no_file(http: httpx.Client, office: Database, key: str, root: pathlib.Path) -> None:
    answer = http.post(f"/f/{key}", data=FIELDS | {"email": "nowhere"}, files={"cv": ("cv.pdf", PDF)}, headers=PAGE)
    assert answer.status_code == 422
    assert left(root) == []


def test_a_folder_that_is_gone(http: httpx.Client, office: Database, key: str, root: pathlib.Path) -> None:
    away = root.rename(root.with_name("elsewhere"))
    try:
        answer = http.post(f"/f/{key}", data=FIELDS, files={"cv": ("cv.pdf", PDF)}, headers=PAGE)
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert "My &lt;portfolio&gt;" in answer.text
        # Without a file nothing is missing.
        assert http.post(f"/f/{key}", data=FIELDS, files={"cv": ("", b"")}, headers=PAGE).status_code == 303
    finally:
        away.rename(root)
    assert len(office.submissions(key)) == 1


def test_malformed_multipart_gives_the_text_back(http: httpx.Client, office: Database, key: str) -> None:
    content = b'--x\r\nContent-Disposition: form-data; name="message"\r\n\r\nMy long letter\r\n--x\r\nbroken'
    headers = PAGE | {"content-type": "multipart/form-data; boundary=x"}
    answer = http.post(f"/f/{key}", content=content, headers=headers)
    assert answer.status_code == 400
    assert "My long letter" in answer.text
    assert office.submissions(key) == []


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x"])
def test_compressed_content_is_not_taken(http: httpx.Client, office: Database, key: str, kind: str) -> None:
    headers = {"content-type": kind, "content-encoding": "gzip", "accept": "application/json"}
    answer = http.post(f"/f/{key}", content=gzip.compress(b'{"name": "Ann"}'), headers=headers)
    assert answer.status_code == 415
    assert "compressed" in answer.json()["detail"]


KILLED = """
import os, pathlib, signal, sys
from edge import files
from edge.tests.uploading import body, form, part, read

class Killed(files.Folder):
    def keep(self, drafts):
        if sys.argv[2] == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        super().keep(drafts)

read(Killed(pathlib.Path(sys.argv[1])), body(part("cv", "x" * 500_000, "a.txt")), form())
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(("when", "place"), [("before", ".incoming/"), ("after", "7/")])
def test_killed_before_the_row(tmp_path: pathlib.Path, when: str, place: str) -> None:
    """What is left is where the office's sweep finds it."""
    ended = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), when], cwd=program.ROOT, check=False)
    assert ended.returncode == -9
    (path,) = left(tmp_path)
    assert path.startswith(place)
