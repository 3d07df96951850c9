"""/oauth/token with a code: what it gives, once, and to whom it gives nothing."""

import datetime as dt
import json
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from conftest import Cast, Database
from consult.accounts import models, services
from consult.accounts.tests.extension import ID, REDIRECT, VERIFIER, consent, exchange, refresh, works
from consult.accounts.views import oauth
from consult.core import tenancy

NOW = dt.datetime.now(dt.UTC)


def refused(response: Any, error: str = "invalid_grant", status: int = 400) -> None:
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/json"
    assert response["Cache-Control"] == "no-store"
    assert set(response.json()) == {"error", "error_description"}
    assert response.json()["error"] == error


def test_a_code_gives_tokens(database: Database, cast: Cast) -> None:
    response = exchange(consent(cast.bob.client))
    assert response.status_code == 200
    assert (response["Cache-Control"], response["Pragma"]) == ("no-store", "no-cache")
    assert not response.cookies
    told = response.json()
    assert set(told) == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}
    assert (told["token_type"], told["expires_in"], told["scope"]) == ("Bearer", 600, "read write")
    caller = services.believe(told["access_token"], now=dt.datetime.now(dt.UTC))
    assert (caller.here.slug, caller.here.member_id) == ("a", cast.bob.member_id)
    [(member, client, agent, address, days)] = database.ask(
        "SELECT member_id, client_id, user_agent, address, ends_at - created_at > interval '29 days'"
        " FROM accounts_grant"
    )
    assert (member, client, agent, address, days) == (cast.bob.member_id, ID, "Extension 1", "127.0.0.0", True)
    # Nothing that opens anything is stored as it is.
    stored = str(database.ask("SELECT r::text, g::text FROM accounts_refreshtoken r, accounts_grant g"))
    assert told["refresh_token"] not in stored
    assert told["access_token"] not in stored


def test_a_second_use_takes_back_what_the_first_gave(database: Database, cast: Cast) -> None:
    code = consent(cast.bob.client)
    told = exchange(code).json()
    assert works(told["access_token"])
    refused(exchange(code))
    assert not works(told["access_token"])
    refused(refresh(told["refresh_token"]))
    found = database.ask("SELECT data ->> 'why' FROM accounts_audit WHERE action = 'accounts.revoke_grant'")
    assert found == [("code used twice",)]


def test_a_minute_is_its_life(cast: Cast) -> None:
    given = {"client_id": ID, "redirect_uri": REDIRECT, "verifier": VERIFIER, "device": services.Device()}
    for seconds, good in ((59, True), (61, False)):
        code = consent(cast.bob.client)
        then = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)
        try:
            services.exchange_code(code=code, now=then, **given)  # type: ignore[arg-type]
            assert good
        except services.BadGrant:
            assert not good


@pytest.mark.parametrize(
    ("changes", "error", "status"),
    [
        ({"code": "unknown"}, "invalid_grant", 400),
        ({"code": "é" * 10}, "invalid_grant", 400),
        ({"code": "x" * 10_000}, "invalid_grant", 400),
        ({"code": "\0"}, "invalid_grant", 400),
        ({"code": ""}, "invalid_request", 400),
        ({"redirect_uri": REDIRECT + "/x"}, "invalid_grant", 400),
        ({"redirect_uri": ""}, "invalid_request", 400),
        ({"code_verifier": "a" * 43}, "invalid_grant", 400),
        ({"code_verifier": ""}, "invalid_request", 400),
        ({"code_verifier": "a" * 42}, "invalid_request", 400),
        ({"code_verifier": "a" * 129}, "invalid_request", 400),
        ({"code_verifier": VERIFIER[:-1] + "ü"}, "invalid_request", 400),
        ({"client_id": "consult@example.org"}, "invalid_grant", 400),
        ({"client_id": "p" * 32}, "invalid_client", 401),
        ({"client_id": ""}, "invalid_request", 400),
        ({"grant_type": "password"}, "unsupported_grant_type", 400),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type", 400),
        ({"grant_type": ""}, "invalid_request", 400),
    ],
    ids=lambda value: ascii(value)[:50],
)
def test_nothing_is_given(database: Database, cast: Cast, changes: dict[str, str], error: str, status: int) -> None:
    code = consent(cast.bob.client)
    refused(exchange(**({"code": code} | changes)), error, status)
    assert database.ask("SELECT count(*) FROM accounts_grant") == [(0,)]
    # What went wrong with the wrong ones costs the right one nothing.
    assert exchange(code).status_code == 200


def test_a_refresh_token_is_no_code_and_the_other_way_round(cast: Cast) -> None:
    code = consent(cast.bob.client)
    refused(refresh(code))
    told = exchange(code).json()
    refused(exchange(told["refresh_token"]))
    assert works(told["access_token"])


def test_only_a_form_by_post(cast: Cast) -> None:
    code = consent(cast.bob.client)
    given = {
        "grant_type": "authorization_code",
        "client_id": ID,
        "redirect_uri": REDIRECT,
        "code": code,
        "code_verifier": VERIFIER,
    }
    assert Client().get("/oauth/token", given).status_code == 405
    for kind in ("multipart/form-data", "application/x-www-form-urlencoded; charset=base64"):
        refused(Client().generic("POST", "/oauth/token", b"grant_type=a", content_type=kind), "invalid_request")
    refused(Client().post("/oauth/token", json.dumps(given), content_type="application/json"), "invalid_request")
    refused(
        Client().post("/oauth/token", f"grant_type=a&grant_type=b&client_id={ID}", "application/x-www-form-urlencoded"),
        "invalid_request",
    )
    # No token of a form, no cookie: whoever has the code is the program.
    assert Client(enforce_csrf_checks=True).post("/oauth/token", given).status_code == 200


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/revoke"])
@pytest.mark.parametrize(
    "body", ["token=" + "x" * 3_000_000, "&".join(f"a{number}=1" for number in range(1_500))], ids=["long", "many"]
)
def test_too_much_for_a_form(cast: Cast, path: str, body: str) -> None:
    answer = Client().post(path, body, content_type="application/x-www-form-urlencoded")
    refused(answer, "invalid_request", 413)


def test_what_nobody_reads_is_refused_in_json(cast: Cast) -> None:
    answer = Client().post("/oauth/token", b"x", content_type="text/plain", headers={"Content-Length": "11000000"})
    assert (answer.status_code, answer["Content-Type"]) == (413, "application/problem+json")


def test_who_left_between_consent_and_code(cast: Cast) -> None:
    code = consent(cast.bob.client)
    with tenancy.agency(cast.a):
        models.Member.objects.filter(id=cast.bob.member_id).update(left_at=NOW)
    refused(exchange(code))


def test_too_many_from_one_address(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oauth, "REQUESTS_PER_MINUTE", 3)
    cache.clear()
    # Enough for a limit on each side of a minute's end.
    braked = [answer for answer in [exchange("unknown") for _ in range(8)] if answer.status_code == 429]
    refused(braked[0], "temporarily_unavailable", 429)
    assert braked[0]["Retry-After"] == "60"
    elsewhere = Client(REMOTE_ADDR="192.0.2.9").post("/oauth/token", {"grant_type": "x", "client_id": ID})
    assert elsewhere.status_code == 400
