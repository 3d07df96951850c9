"""Refresh tokens: used once, for a week, for a month at most; a stolen one ends the sign-in, a retry does not."""

import datetime as dt
import threading

import pytest
from django.db import connection
from django.test import override_settings

from conftest import Cast, Database
from consult.accounts import models, services
from consult.accounts.tests.extension import ID, SignedIn, refresh, sign_in, works
from consult.core import tenancy

SECOND = dt.timedelta(seconds=1)
DAY = dt.timedelta(days=1)


@pytest.fixture
def program(cast: Cast) -> SignedIn:
    return sign_in(cast.bob.client)


def again(token: str, now: dt.datetime, **more: object) -> str:
    """Refresh at this moment; return the next refresh token."""
    given = {"client_id": ID, "device": services.Device("Extension 2", "2001:db8:1:2::3")} | more
    return services.refresh(token=token, now=now, **given).refresh_token  # type: ignore[arg-type]


def refused(token: str, now: dt.datetime, **more: object) -> None:
    with pytest.raises(services.BadGrant):
        again(token, now, **more)


def ends(database: Database) -> list[str]:
    found = database.ask("SELECT data ->> 'why' FROM accounts_audit WHERE action = 'accounts.revoke_grant'")
    return [row[0] for row in found]


def test_each_gives_the_next(database: Database, program: SignedIn) -> None:
    told = refresh(program.refresh_token).json()
    assert set(told) == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}
    assert told["refresh_token"] != program.refresh_token
    assert works(told["access_token"])
    more = refresh(told["refresh_token"]).json()
    assert works(more["access_token"])
    stored = str(database.ask("SELECT r::text FROM accounts_refreshtoken r"))
    assert all(token not in stored for token in (program.refresh_token, told["refresh_token"], more["refresh_token"]))


def test_an_older_one_ends_the_sign_in(database: Database, program: SignedIn) -> None:
    """Whoever stole it or whoever it was stolen from: both are out."""
    first = program.refresh_token
    second = refresh(first).json()
    third = refresh(second["refresh_token"]).json()
    assert refresh(first).json()["error"] == "invalid_grant"
    assert refresh(third["refresh_token"]).json()["error"] == "invalid_grant"
    for token in (program.access_token, second["access_token"], third["access_token"]):
        assert not works(token)
    assert ends(database) == ["refresh token used again"]


def test_the_one_before_the_newest_after_the_grace(database: Database, program: SignedIn) -> None:
    now = dt.datetime.now(dt.UTC)
    second = again(program.refresh_token, now)
    refused(program.refresh_token, now + 21 * SECOND)
    refused(second, now + 21 * SECOND)
    assert ends(database) == ["refresh token used again"]


def test_a_retry_within_the_grace_gets_the_same_one(database: Database, program: SignedIn) -> None:
    now = dt.datetime.now(dt.UTC)
    second = again(program.refresh_token, now)
    assert again(program.refresh_token, now + 20 * SECOND) == second
    assert again(program.refresh_token, now + 20 * SECOND) == second
    assert database.ask("SELECT count(*) FROM accounts_refreshtoken") == [(2,)]
    # Once its successor was used it is an older one, grace or not.
    third = again(second, now + 20 * SECOND)
    refused(program.refresh_token, now + 20 * SECOND)
    refused(third, now + 20 * SECOND)
    assert ends(database) == ["refresh token used again"]


def test_without_secret_key_nobody_gets_from_one_to_the_next(database: Database, program: SignedIn) -> None:
    """A retry after SECRET_KEY was replaced has no answer any more, but is no theft."""
    now = dt.datetime.now(dt.UTC)
    second = again(program.refresh_token, now)
    with override_settings(SECRET_KEY="another-" * 8):
        refused(program.refresh_token, now + SECOND)
    assert ends(database) == []
    assert again(second, now + SECOND)


def test_two_at_once_end_with_the_same_one(database: Database, program: SignedIn) -> None:
    now = dt.datetime.now(dt.UTC)
    found: list[str] = []
    faults: list[BaseException] = []
    start = threading.Barrier(5)

    def work() -> None:
        try:
            start.wait(10)
            found.append(again(program.refresh_token, now))
        except BaseException as error:
            faults.append(error)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(5)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert faults == []
    assert len(found) == 5
    assert len(set(found)) == 1
    assert database.ask("SELECT count(*) FROM accounts_refreshtoken") == [(2,)]
    assert ends(database) == []


def test_a_week_without_use(database: Database, program: SignedIn) -> None:
    now = dt.datetime.now(dt.UTC)
    second = again(program.refresh_token, now)
    refused(second, now + 7 * DAY)
    # Late is no theft, and the clock may be wrong: nothing was ended.
    assert ends(database) == []
    third = again(second, now + 7 * DAY - SECOND)
    assert again(third, now + 14 * DAY - 2 * SECOND)


def test_a_month_whatever_is_done(program: SignedIn) -> None:
    now = dt.datetime.now(dt.UTC)
    token = program.refresh_token
    for day in range(0, 30, 6):
        token = again(token, now + day * DAY)
    token = again(token, now + 30 * DAY - 60 * SECOND)
    refused(token, now + 30 * DAY + SECOND)
    assert not works(program.access_token, now + 31 * DAY)


def test_another_programs(database: Database, program: SignedIn) -> None:
    refused(program.refresh_token, dt.datetime.now(dt.UTC), client_id="consult@example.org")
    assert refresh(program.refresh_token, client_id="consult@example.org").json()["error"] == "invalid_grant"
    assert refresh(program.refresh_token).status_code == 200
    assert ends(database) == []


def test_who_left_or_was_switched_off(cast: Cast, program: SignedIn) -> None:
    now = dt.datetime.now(dt.UTC)
    bob = models.Member.objects.filter(id=cast.bob.member_id)
    with tenancy.agency(cast.a):
        bob.update(left_at=now)
    refused(program.refresh_token, now)
    with tenancy.agency(cast.a):
        bob.update(left_at=None)
    models.User.objects.filter(pk=cast.bob.user_id).update(is_active=False)
    refused(program.refresh_token, now)


def test_fewer_scopes_but_never_more(program: SignedIn) -> None:
    told = refresh(program.refresh_token, scope="read").json()
    assert told["scope"] == "read"
    assert services.believe(told["access_token"], now=dt.datetime.now(dt.UTC)).scopes == {"read"}
    more = refresh(told["refresh_token"], scope="read manage")
    assert (more.status_code, more.json()["error"]) == (400, "invalid_scope")
    # The token that was shown with it is still good.
    assert refresh(told["refresh_token"]).json()["scope"] == "read write"


def test_the_sign_in_says_where_it_was_used_last(database: Database, program: SignedIn) -> None:
    now = dt.datetime.now(dt.UTC) + 60 * SECOND
    again(program.refresh_token, now)
    [(agent, address, used)] = database.ask("SELECT user_agent, address, last_used_at FROM accounts_grant")
    assert (agent, address, used.astimezone(dt.UTC)) == ("Extension 2", "2001:db8:1::", now)


@pytest.mark.parametrize("token", ["", "unknown", "é", "\0", "x" * 100_000], ids=lambda token: ascii(token[:10]))
def test_garbage(cast: Cast, token: str) -> None:
    answer = refresh(token)
    assert answer.status_code == 400
    assert answer.json()["error"] == ("invalid_grant" if token else "invalid_request")
