"""Secrets at rest: the first key seals, every key opens, and only for the row that a value was sealed for."""

import pytest
from cryptography.fernet import Fernet
from django.db import connection
from django.test import override_settings

from conftest import Database
from consult.core import encryption

OLD, NEW, OTHER = (Fernet.generate_key().decode() for _ in range(3))
ROW = "accounts_signingkey.private_key/k1"


def test_keys_rotate() -> None:
    with override_settings(CONSULT_ENCRYPTION_KEYS=[OLD]):
        sealed = encryption.seal(b"private", bound_to=ROW)
        assert "private" not in sealed
        assert sealed.startswith(f"enc:v1:{encryption.key_ids()[0]}:")
        assert encryption.seal(b"private", bound_to=ROW) != sealed
    with override_settings(CONSULT_ENCRYPTION_KEYS=[f" {NEW} ", OLD]):
        assert encryption.open_sealed(sealed, bound_to=ROW) == b"private"
        resealed = encryption.seal(b"private", bound_to=ROW)
    with override_settings(CONSULT_ENCRYPTION_KEYS=[NEW]):
        assert encryption.open_sealed(resealed, bound_to=ROW) == b"private"
        with pytest.raises(encryption.CannotOpen, match="does not hold"):
            encryption.open_sealed(sealed, bound_to=ROW)


def test_a_value_opens_in_its_own_row_alone() -> None:
    sealed = encryption.seal(b"private", bound_to=ROW)
    with pytest.raises(encryption.CannotOpen):
        encryption.open_sealed(sealed, bound_to=f"{ROW}2")


def test_what_is_no_sealed_value_is_refused_without_being_quoted() -> None:
    sealed = encryption.seal(b"private", bound_to=ROW)
    for bad in (
        "",
        "rubbish",
        sealed[:-4] + "AAAA",
        sealed[:-1],
        sealed[:24],
        f"{sealed}\n",
        sealed.replace("v1", "v2"),
    ):
        with pytest.raises(encryption.CannotOpen) as refused:
            encryption.open_sealed(bad, bound_to=ROW)
        assert not bad or bad not in str(refused.value)


def test_resealing_goes_on_where_it_was_cut_off(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Text and JSON alike; what is under the new key already is left as it is."""
    database.ask("CREATE TABLE vault (id int PRIMARY KEY, value text, data jsonb)", role="consult_owner")
    database.ask("GRANT SELECT, UPDATE ON vault TO consult_app", role="consult_owner")
    places = (
        encryption.Place("vault", "id", "value", "vault.value/{key}"),
        encryption.Place("vault", "id", "data", "vault.data"),
    )
    monkeypatch.setattr(encryption, "PLACES", places)
    with override_settings(CONSULT_ENCRYPTION_KEYS=[OLD]):
        old = encryption.key_ids()[0]
        for id in range(5):
            value = encryption.seal(b"text %d" % id, bound_to=f"vault.value/{id}")
            inside = encryption.seal(b"json %d" % id, bound_to="vault.data")
            database.ask(
                "INSERT INTO vault VALUES (%s, %s, jsonb_build_object('secret', %s::text, 'n', 1))", [id, value, inside]
            )
    with override_settings(CONSULT_ENCRYPTION_KEYS=[NEW, OLD]):
        new = encryption.key_ids()[0]
        assert encryption.reseal(places[0], limit=2) == 2
        assert encryption.in_use()["vault.value"] == {new: 2, old: 3}
        assert [encryption.reseal(places[0], limit=2) for _ in range(3)] == [2, 1, 0]
        assert [encryption.reseal(places[1]), encryption.reseal(places[1])] == [5, 0]
        assert encryption.in_use() == {"vault.value": {new: 5}, "vault.data": {new: 5}}
    with override_settings(CONSULT_ENCRYPTION_KEYS=[NEW]):
        for id, value, secret in database.ask("SELECT id, value, data->>'secret' FROM vault"):
            assert encryption.open_sealed(value, bound_to=f"vault.value/{id}") == b"text %d" % id
            assert encryption.open_sealed(secret, bound_to="vault.data") == b"json %d" % id
    with override_settings(CONSULT_ENCRYPTION_KEYS=[OTHER]), pytest.raises(encryption.CannotOpen):
        encryption.reseal(places[0])
    assert not connection.in_atomic_block
