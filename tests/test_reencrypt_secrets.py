"""`consult secrets reencrypt`: what an operator runs after a new key, and what it says when it cannot."""

import psycopg
import pytest
from cryptography.fernet import Fernet
from django.test import override_settings

from conftest import Database
from consult import cli
from consult.core import encryption

OLD, NEW, OTHER = (Fernet.generate_key().decode() for _ in range(3))
PLACE = encryption.Place("vault", "id", "value", "vault.value/{key}")
ROWS = 450


@pytest.fixture
def vault(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """More rows than one batch takes, all under the old key."""
    monkeypatch.setattr(cli, "_load_office", lambda: None)
    monkeypatch.setattr(encryption, "PLACES", (PLACE,))
    database.ask("CREATE TABLE vault (id int PRIMARY KEY, value text)", role="consult_owner")
    database.ask("GRANT SELECT, UPDATE ON vault TO consult_app", role="consult_owner")
    with override_settings(CONSULT_ENCRYPTION_KEYS=[OLD]):
        sealed = [encryption.seal(b"text %d" % id, bound_to=f"vault.value/{id}") for id in range(ROWS)]
    database.ask("INSERT INTO vault SELECT n - 1, v FROM unnest(%s::text[]) WITH ORDINALITY AS t(v, n)", [sealed])
    return database


def reencrypt() -> int:
    return cli.main(["secrets", "reencrypt"])


def test_everything_is_brought_under_the_first_key(vault: Database, capsys: pytest.CaptureFixture[str]) -> None:
    with override_settings(CONSULT_ENCRYPTION_KEYS=[NEW, OLD]):
        assert reencrypt() == 0
        told = capsys.readouterr()
        assert f"vault.value: {ROWS} brought under the first key." in told.out
        assert "Every value is under the first key." in told.out
        assert reencrypt() == 0, "again, with nothing left to do"
        assert "vault.value: 0 brought" in capsys.readouterr().out
    assert NEW not in told.out + told.err
    with override_settings(CONSULT_ENCRYPTION_KEYS=[NEW]):
        for id, value in vault.ask("SELECT id, value FROM vault"):
            assert encryption.open_sealed(value, bound_to=f"vault.value/{id}") == b"text %d" % id


def test_a_key_that_was_taken_out_too_early_is_said(vault: Database, capsys: pytest.CaptureFixture[str]) -> None:
    before = vault.ask("SELECT id, value FROM vault ORDER BY id")
    with override_settings(CONSULT_ENCRYPTION_KEYS=[OTHER]):
        assert reencrypt() == 1
        told = capsys.readouterr()
    assert told.err.startswith("vault.value: ")
    assert "Every value" not in told.out
    assert vault.ask("SELECT id, value FROM vault ORDER BY id") == before


def test_rows_that_somebody_holds_are_said_to_be_left(vault: Database, capsys: pytest.CaptureFixture[str]) -> None:
    with psycopg.connect(vault.urls["superuser"]) as other, override_settings(CONSULT_ENCRYPTION_KEYS=[NEW, OLD]):
        other.execute("SELECT 1 FROM vault WHERE id < 3 FOR UPDATE")
        assert reencrypt() == 1
        assert "3 values are in use at this moment" in capsys.readouterr().err
        other.rollback()
        assert reencrypt() == 0
    assert "vault.value: 3 brought" in capsys.readouterr().out
