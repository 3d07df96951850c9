"""The secrets that a machine without configuration makes for itself."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from consult.machine import local


def test_made_once_and_private(tmp_path: Path) -> None:
    first = local.load(tmp_path / "data")
    file = tmp_path / "data" / local.FILE_NAME
    assert file.stat().st_mode & 0o777 == 0o600
    assert local.load(tmp_path / "data") == first
    assert local.load(tmp_path / "other") != first
    assert len(first.secret_key) >= 50
    Fernet(first.encryption_key)
    assert set(first.passwords) == {local.SUPERUSER, *local.LOGIN_ROLES}
    assert len(set(first.passwords.values())) == len(first.passwords)


def test_many_processes_at_once_agree(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from consult.machine import local; "
        "print(local.load(pathlib.Path(sys.argv[1])).secret_key)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "data")]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, cwd=local.ROOT) for _ in range(6)]
    answers = {process.communicate()[0] for process in running}
    assert len(answers) == 1
    assert all(process.returncode == 0 for process in running)
    assert [path.name for path in (tmp_path / "data").iterdir()] == [local.FILE_NAME]


def test_completed_when_a_secret_is_missing(tmp_path: Path) -> None:
    before = local.load(tmp_path)
    file = tmp_path / local.FILE_NAME
    known = json.loads(file.read_text())
    del known["passwords"]["consult_backup"], known["encryption_key"]
    file.write_text(json.dumps(known))
    file.chmod(0o644)
    after = local.load(tmp_path)
    assert after.secret_key == before.secret_key
    assert after.passwords["consult_app"] == before.passwords["consult_app"]
    assert after.passwords["consult_backup"] != before.passwords["consult_backup"]
    assert file.stat().st_mode & 0o777 == 0o600
    assert local.load(tmp_path) == after


@pytest.mark.parametrize("text", ["{", "[]", ""])
def test_damaged_file_is_named_and_kept(tmp_path: Path, text: str) -> None:
    file = tmp_path / local.FILE_NAME
    file.write_text(text)
    with pytest.raises(local.LocalError, match=local.FILE_NAME):
        local.load(tmp_path)
    assert file.read_text() == text


def test_data_dir_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSULT_DATA_DIR", str(tmp_path / "a" / "b"))
    assert local.data_dir() == tmp_path / "a" / "b"
    assert local.data_dir().stat().st_mode & 0o077 in (0, 0o011)


def test_a_folder_that_is_there_keeps_its_permissions(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    local.load(tmp_path)
    assert tmp_path.stat().st_mode & 0o777 == 0o750
