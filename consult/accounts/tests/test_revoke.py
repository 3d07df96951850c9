"""/oauth/revoke: a program signs itself out (RFC 7009)."""

from typing import Any

import pytest
from django.test import Client

from conftest import Cast, Database
from consult.accounts.tests.extension import ID, SignedIn, consent, exchange, refresh, sign_in, works


@pytest.fixture
def program(cast: Cast) -> SignedIn:
    return sign_in(cast.bob.client)


def revoke(token: str, client_id: str = ID) -> Any:
    return Client(enforce_csrf_checks=True).post("/oauth/revoke", {"token": token, "client_id": client_id})


@pytest.mark.parametrize("which", ["refresh_token", "access_token"])
def test_the_whole_sign_in_is_over(database: Database, cast: Cast, program: SignedIn, which: str) -> None:
    response = revoke(getattr(program, which))
    assert (response.status_code, response.content, response["Cache-Control"]) == (200, b"", "no-store")
    assert not works(program.access_token)
    assert refresh(program.refresh_token).json()["error"] == "invalid_grant"
    found = database.ask("SELECT by_id, data ->> 'why' FROM accounts_audit WHERE action = 'accounts.revoke_grant'")
    assert found == [(cast.bob.member_id, "signed out")]
    # A second time: the same answer, nothing more.
    assert revoke(getattr(program, which)).status_code == 200


def test_an_older_refresh_token_signs_out_as_well(program: SignedIn) -> None:
    newer = refresh(program.refresh_token).json()
    assert revoke(program.refresh_token).status_code == 200
    assert not works(newer["access_token"])


def test_nothing_else_is_touched(cast: Cast, program: SignedIn) -> None:
    other, code = sign_in(cast.vera.client), consent(cast.alice.client)
    for token in ("unknown", "a.b.c", "é", "\0", "x" * 100_000, program.access_token + "x", code):
        assert revoke(token).status_code == 200
    assert revoke(program.refresh_token, "consult@example.org").status_code == 200
    assert revoke(program.access_token, "consult@example.org").status_code == 200
    assert works(program.access_token)
    assert works(other.access_token)
    assert exchange(code).status_code == 200


def test_what_is_wrong_with_the_request(program: SignedIn) -> None:
    answer = revoke(program.refresh_token, "p" * 32)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    answer = revoke("")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert Client().get("/oauth/revoke").status_code == 405
    assert works(program.access_token)
