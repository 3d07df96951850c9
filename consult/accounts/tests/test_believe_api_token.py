"""API tokens as `Authorization: Bearer`: who they are believed for, and until when."""

import datetime as dt
import hashlib

import pytest

from conftest import Cast, Database
from consult.accounts import models, services
from consult.core import tenancy

NOW = dt.datetime.now(dt.UTC)
MINUTE = dt.timedelta(minutes=1)


def own(cast: Cast, **more: object) -> str:
    given = {"name": "Report", "scopes": ["read", "write"], "by": cast.bob.member_id, "member_id": cast.bob.member_id}
    _id, secret = services.create_api_token(agency_id=cast.a, **given | more)  # type: ignore[arg-type]
    return secret


def refused(secret: str, now: dt.datetime = NOW) -> None:
    with pytest.raises(services.BadToken):
        services.believe(secret, now=now)


def test_it_acts_for_the_member_with_the_role_of_now(cast: Cast) -> None:
    secret = own(cast)
    caller = services.believe(secret, now=NOW)
    assert (caller.here.agency_id, caller.here.member_id, caller.here.role) == (cast.a, cast.bob.member_id, "member")
    assert (caller.user_id, caller.scopes) == (cast.bob.user_id, frozenset({"read", "write"}))
    with tenancy.agency(cast.a):
        models.Member.objects.filter(id=cast.bob.member_id).update(role="viewer")
    assert services.believe(secret, now=NOW).here.role == "viewer"


def test_the_agencys_own_has_no_member(cast: Cast) -> None:
    secret = own(cast, member_id=None, role="viewer", scopes=["read"])
    caller = services.believe(secret, now=NOW)
    assert (caller.here.agency_id, caller.here.role, caller.here.member_id, caller.user_id) == (
        cast.a,
        "viewer",
        None,
        None,
    )


def test_only_its_hash_is_stored(database: Database, cast: Cast) -> None:
    secret = own(cast)
    [(stored, hint, row)] = database.ask("SELECT token_hash, hint, t::text FROM accounts_apitoken t")
    assert stored == hashlib.sha256(secret.encode()).hexdigest()
    assert hint == secret[-4:]
    assert secret not in row
    assert secret.removeprefix("cst_") not in row
    audit = database.ask("SELECT data::text FROM accounts_audit WHERE action = 'accounts.create_api_token'")
    assert secret not in str(audit)


def test_revoked(database: Database, cast: Cast) -> None:
    secret = own(cast)
    [(id,)] = database.ask("SELECT id FROM accounts_apitoken")
    services.revoke_api_token(agency_id=cast.a, token_id=id, by=cast.alice.member_id, now=NOW)
    refused(secret)


def test_expired(cast: Cast) -> None:
    secret = own(cast, expires_at=NOW + MINUTE)
    assert services.believe(secret, now=NOW + MINUTE - dt.timedelta(seconds=1))
    refused(secret, NOW + MINUTE)


def test_whoever_left_calls_no_more_and_the_agencys_token_stays(cast: Cast) -> None:
    secret, agencys = own(cast), own(cast, member_id=None, role="member")
    with tenancy.agency(cast.a):
        models.Member.objects.filter(id=cast.bob.member_id).update(left_at=NOW)
    refused(secret)
    assert services.believe(agencys, now=NOW)


def test_whoever_was_switched_off_calls_no_more(cast: Cast) -> None:
    secret = own(cast)
    models.User.objects.filter(pk=cast.bob.user_id).update(is_active=False)
    refused(secret)


def test_it_opens_its_own_agency_alone(cast: Cast) -> None:
    """A member of two agencies: the token says which of them."""
    services.add_member(agency_id=cast.b, user_id=cast.bob.user_id, role="admin")
    assert services.believe(own(cast), now=NOW).here.slug == "a"


def test_the_last_use_is_written_every_five_minutes(database: Database, cast: Cast) -> None:
    def used() -> dt.datetime | None:
        [(at,)] = database.ask("SELECT last_used_at FROM accounts_apitoken")
        return at if at is None else at.astimezone(dt.UTC)

    secret = own(cast)
    assert used() is None
    services.believe(secret, now=NOW)
    assert used() == NOW
    services.believe(secret, now=NOW + 5 * MINUTE)
    assert used() == NOW
    services.believe(secret, now=NOW + 5 * MINUTE + dt.timedelta(seconds=1))
    assert used() == NOW + 5 * MINUTE + dt.timedelta(seconds=1)


@pytest.mark.parametrize(
    "bearer",
    [
        "",
        " ",
        "cst_",
        "cst_" + "a" * 43,
        "cst_" + "a" * 1_000_000,
        "cst_é",
        "cst_\0",
        "cst_\ud800",
        "\ud800",
        "Bearer x",
        "a.b.c",
        "..",
        "." * 100_000,
        "null",
        "{}",
        "eyJ.eyJ.x",
        "cst_' OR 1=1 --",
    ],
    ids=lambda bearer: ascii(bearer[:12]),
)
def test_garbage_is_refused_without_a_question(database: Database, bearer: str) -> None:
    refused(bearer)


def test_a_secret_that_differs_by_one_letter(cast: Cast) -> None:
    secret = own(cast)
    refused(secret[:-1] + ("a" if secret[-1] != "a" else "b"))
    refused(secret + "a")
    refused(secret.upper())
