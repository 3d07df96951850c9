"""Revoking an API token: one's own, or any for who manages them."""

import datetime as dt
import uuid

from conftest import Cast, Database
from consult.accounts import services
from consult.accounts.tests.extension import works

NOW = dt.datetime.now(dt.UTC)


def of(cast: Cast, who: str) -> tuple[uuid.UUID, str]:
    member_id = getattr(cast, who).member_id
    return services.create_api_token(
        agency_id=cast.a, name=f"Of {who}", scopes=["read"], by=member_id, member_id=member_id
    )


def agencys(cast: Cast) -> tuple[uuid.UUID, str]:
    return services.create_api_token(
        agency_id=cast.a, name="Of the agency", scopes=["read"], by=cast.alice.member_id, role="viewer"
    )


def address(id: uuid.UUID, agency: str = "a") -> str:
    return f"/{agency}/settings/tokens/{id}/revoke/"


def test_ones_own_is_dead_at_once_and_no_longer_listed(database: Database, cast: Cast) -> None:
    id, secret = of(cast, "vera")
    assert works(secret)
    assert cast.vera.client.post(address(id)).status_code == 302
    assert not works(secret)
    assert "Of vera" not in cast.vera.client.get("/a/settings/tokens/").content.decode()
    found = database.ask("SELECT by_id, subject_id FROM accounts_audit WHERE action = 'accounts.revoke_api_token'")
    assert found == [(cast.vera.member_id, id)]
    # A second click finds nothing, and nothing is written twice.
    assert cast.vera.client.post(address(id)).status_code == 404
    services.revoke_api_token(agency_id=cast.a, token_id=id, by=None, now=NOW)
    assert len(database.ask("SELECT 1 FROM accounts_audit WHERE action = 'accounts.revoke_api_token'")) == 1


def test_others_see_and_revoke_their_own_alone(cast: Cast) -> None:
    tokens = {who: of(cast, who) for who in ("alice", "bob", "vera")} | {"agency": agencys(cast)}
    page = cast.bob.client.get("/a/settings/tokens/").content.decode()
    assert [f"Of {who}" in page for who in ("alice", "bob", "vera", "the agency")] == [False, True, False, False]
    for who in ("alice", "vera", "agency"):
        id, secret = tokens[who]
        assert cast.bob.client.post(address(id)).status_code == 404
        assert cast.charlie.client.post(address(id)).status_code == 404
        assert cast.charlie.client.post(address(id, "b")).status_code == 404
        assert works(secret)


def test_managers_see_and_revoke_every_one(cast: Cast) -> None:
    tokens = [of(cast, "bob"), of(cast, "vera"), agencys(cast)]
    page = cast.alice.client.get("/a/settings/tokens/").content.decode()
    assert all(name in page for name in ("Of bob", "Of vera", "Of the agency"))
    for id, secret in tokens:
        assert cast.alice.client.post(address(id)).status_code == 302
        assert not works(secret)
