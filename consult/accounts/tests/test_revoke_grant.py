"""Signing a program out at the page: one's own, or anybody's for who manages tokens. And all of whoever leaves."""

import datetime as dt
import uuid

import pytest

from conftest import Cast, Database
from consult.accounts import rules, services
from consult.accounts.tests.extension import consent, exchange, refresh, sign_in, works

NOW = dt.datetime.now(dt.UTC)


def grant_of(database: Database, member_id: uuid.UUID) -> uuid.UUID:
    [(id,)] = database.ask("SELECT id FROM accounts_grant WHERE member_id = %s", [member_id])
    return uuid.UUID(str(id))


def address(id: uuid.UUID, agency: str = "a") -> str:
    return f"/{agency}/settings/tokens/programs/{id}/revoke/"


def test_ones_own(database: Database, cast: Cast) -> None:
    program = sign_in(cast.vera.client)
    id = grant_of(database, cast.vera.member_id)
    assert "Extension 1" in cast.vera.client.get("/a/settings/tokens/").content.decode()
    assert cast.vera.client.post(address(id)).status_code == 302
    assert not works(program.access_token)
    assert refresh(program.refresh_token).status_code == 400
    assert "Extension 1" not in cast.vera.client.get("/a/settings/tokens/").content.decode()
    found = database.ask("SELECT by_id, subject_id FROM accounts_audit WHERE action = 'accounts.revoke_grant'")
    assert found == [(cast.vera.member_id, id)]
    assert cast.vera.client.post(address(id)).status_code == 404


def test_others_are_the_managers(database: Database, cast: Cast) -> None:
    program = sign_in(cast.vera.client)
    id = grant_of(database, cast.vera.member_id)
    assert "Extension 1" not in cast.bob.client.get("/a/settings/tokens/").content.decode()
    for person, agency in ((cast.bob, "a"), (cast.charlie, "a"), (cast.charlie, "b")):
        assert person.client.post(address(id, agency)).status_code == 404
    assert works(program.access_token)
    assert "Vera" in cast.alice.client.get("/a/settings/tokens/").content.decode()
    assert cast.alice.client.post(address(id)).status_code == 302
    assert not works(program.access_token)


def test_whoever_leaves_takes_all_of_them_along(cast: Cast) -> None:
    programs = [sign_in(cast.bob.client) for _ in range(2)]
    code, other = consent(cast.bob.client), sign_in(cast.vera.client)
    count = services.revoke_of_member(agency_id=cast.a, member_id=cast.bob.member_id, now=dt.datetime.now(dt.UTC))
    assert count == 2
    assert [works(program.access_token) for program in programs] == [False, False]
    # What was on its way as well.
    assert exchange(code).status_code == 400
    assert works(other.access_token)
    assert services.revoke_of_member(agency_id=cast.a, member_id=cast.bob.member_id, now=NOW) == 0


@pytest.mark.parametrize(
    ("user_agent", "told"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/143.0.0.0 Safari/537.36", "Chrome 143, Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/143.0 Safari/537.36 Edg/143.0", "Edge 143, Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox 145, macOS"),
        ("curl/8.5", "curl/8.5"),
        ("", ""),
        ("x" * 500, "x" * 80),
    ],
)
def test_where_it_runs_in_words(user_agent: str, told: str) -> None:
    assert rules.device(user_agent) == told
