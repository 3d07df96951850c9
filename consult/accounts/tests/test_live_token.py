"""The token for live pages: what it claims, and that the edge's own door has the key to check it."""

import datetime as dt

import jwt
import psycopg
import pytest
from cryptography.fernet import Fernet
from django.test import override_settings

from conftest import Cast, Database
from consult.accounts import services
from consult.core import encryption

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)


def keys(database: Database) -> dict[str, str]:
    return dict(database.ask("SELECT kid, public_key FROM accounts_public_keys_v2()", role="consult_edge"))


def test_it_is_what_the_edge_expects(database: Database, cast: Cast) -> None:
    answer = cast.vera.client.get("/a/live-token/")
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    told = answer.json()
    assert told["url"] == "http://edge.test/live"
    assert told["expires_in"] == 600
    header = jwt.get_unverified_header(told["token"])
    assert (header["alg"], header["typ"]) == ("ES256", "live+jwt")
    claims = jwt.decode(
        told["token"],
        keys(database)[header["kid"]],
        algorithms=["ES256"],
        audience="consult-live",
        issuer="consult",
        options={"require": ["iss", "aud", "sub", "agency", "iat", "exp", "jti"]},
    )
    assert claims["sub"] == str(cast.vera.member_id)
    assert claims["agency"] == cast.a
    assert claims["exp"] - claims["iat"] == 600
    assert set(claims) == {"iss", "aud", "sub", "agency", "iat", "exp", "jti"}


def test_each_is_its_own_and_one_key_signs_them(database: Database, cast: Cast) -> None:
    tokens = [cast.bob.client.get("/a/live-token/").json()["token"] for _ in range(3)]
    assert len(set(tokens)) == 3
    assert len({jwt.get_unverified_header(token)["kid"] for token in tokens}) == 1
    for (stored,) in database.ask("SELECT private_key_sealed FROM accounts_signingkey"):
        assert stored.startswith("enc:v1:")


def test_a_new_key_is_announced_and_old_tokens_stay_good(database: Database, cast: Cast) -> None:
    with psycopg.connect(database.urls["consult_edge"], autocommit=True) as edge:
        edge.execute("LISTEN consult_keys")
        services.live_token(agency_id=cast.a, member_id=cast.bob.member_id, now=NOW)
        notes = {note.payload for note in edge.notifies(timeout=2, stop_after=2)}
    assert set(keys(database)) == notes


def test_without_the_encryption_key_no_token_is_made(database: Database, cast: Cast) -> None:
    services.live_token(agency_id=cast.a, member_id=cast.bob.member_id, now=NOW)
    with (
        override_settings(CONSULT_ENCRYPTION_KEYS=[Fernet.generate_key().decode()]),
        pytest.raises(encryption.CannotOpen),
    ):
        services.live_token(agency_id=cast.a, member_id=cast.bob.member_id, now=NOW)


def test_a_stranger_gets_none(cast: Cast) -> None:
    assert cast.charlie.client.get("/a/live-token/").status_code == 404
    assert cast.stranger.get("/a/live-token/").status_code == 302
    told = cast.stranger.get("/a/live-token/", headers={"Accept": "application/json"})
    assert told.status_code == 401
