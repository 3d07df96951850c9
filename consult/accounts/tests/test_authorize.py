"""/oauth/authorize: who may ask, what the member is asked, and where the browser is sent."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client, override_settings
from django.utils.http import urlencode

from conftest import Cast, Database
from consult.accounts import rules, services
from consult.accounts.tests.extension import ASKED, ID, REDIRECT, answer, consent, exchange, sign_in


def ask(client: Client, **changes: str | None) -> Any:
    given = {name: value for name, value in (ASKED | changes).items() if value is not None}
    return client.get(f"/oauth/authorize?{urlencode(given)}")


def error(response: Any) -> str:
    told = answer(response)
    assert told["state"] == "xyz"
    assert "code" not in told
    return told["error"]


def test_the_member_is_asked_and_says_yes(database: Database, cast: Cast) -> None:
    page = ask(cast.bob.client)
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    text = page.content.decode()
    assert "Agency A" in text
    assert ID in text
    # Else Chromium stops the form's answer on its way to the extension.
    assert f"form-action 'self' https://{ID}.chromiumapp.org" in page["Content-Security-Policy"]
    response = cast.bob.client.post(f"/oauth/authorize?{urlencode(ASKED)}", {"decision": "allow", "agency": "a"})
    told = answer(response)
    assert set(told) == {"code", "state", "iss"}
    assert (told["state"], told["iss"]) == ("xyz", "http://testserver")
    assert response["Referrer-Policy"] == "no-referrer"
    assert "no-store" in response["Cache-Control"]
    [(row,)] = database.ask("SELECT c::text FROM accounts_authorizationcode c")
    assert told["code"] not in row
    assert exchange(told["code"]).status_code == 200


def test_the_member_says_no(database: Database, cast: Cast) -> None:
    for given in ({"decision": "deny", "agency": "a"}, {}):
        response = cast.bob.client.post(f"/oauth/authorize?{urlencode(ASKED)}", given)
        assert error(response) == "access_denied"
    assert database.ask("SELECT count(*) FROM accounts_authorizationcode") == [(0,)]


def test_whoever_is_not_signed_in_signs_in_first(cast: Cast) -> None:
    response = ask(cast.stranger)
    assert response.status_code == 302
    address = urlsplit(response["Location"])
    assert address.path == "/accounts/login/"
    [back] = parse_qs(address.query)["next"]
    assert back == f"/oauth/authorize?{urlencode(ASKED)}"


def test_a_forged_form_is_refused(cast: Cast) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.cookies = cast.bob.client.cookies
    address = f"/oauth/authorize?{urlencode(ASKED)}"
    assert browser.post(address, {"decision": "allow", "agency": "a"}).status_code == 403


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": None},
        {"client_id": "p" * 32},
        {"client_id": ID.upper()},
        {"redirect_uri": None},
        {"redirect_uri": ""},
        *(
            {"redirect_uri": address}
            for address in (
                "https://thief.example/",
                f"http://{ID}.chromiumapp.org/",
                f"https://{ID}.chromiumapp.org",
                f"https://{ID}.chromiumapp.org.thief.example/",
                f"https://{ID}.chromiumapp.org:444/",
                f"https://{ID}.chromiumapp.org@thief.example/",
                f"https://x@{ID}.chromiumapp.org/",
                f"https://{'p' * 32}.chromiumapp.org/",
                f"https://{ID}.chromiumapp.org/?code=1",
                f"https://{ID}.chromiumapp.org/#a",
                f"https://{ID}.chromiumapp.org/%0d%0aLocation:x",
                f"https://{ID}.chromiumapp.org/\r\nLocation: x",
                f"https://{ID}.chromiumapp.org/a\0",
                f"https://{ID}.chromiumapp.org//thief.example",
                f"https://{ID}.chromiumapp.org/" + "a" * 300,
                f"//{ID}.chromiumapp.org/",
                "javascript:alert(1)",
            )
        ),
    ],
    ids=lambda changes: ascii(changes)[:70],
)
def test_a_wrong_program_or_address_stays_here(cast: Cast, changes: dict[str, str | None]) -> None:
    """The browser is sent nowhere: the address cannot be trusted."""
    for client in (cast.bob.client, cast.stranger):
        response = ask(client, **changes)
        assert response.status_code == 400
        assert "Location" not in response
        assert "This program cannot sign in" in response.content.decode()


def test_none_is_listed(cast: Cast) -> None:
    with override_settings(CONSULT_EXTENSION_IDS=[]):
        assert ask(cast.bob.client).status_code == 400
        assert ask(cast.bob.client, client_id="").status_code == 400


def test_parameters_twice(cast: Cast) -> None:
    address = f"/oauth/authorize?{urlencode(ASKED)}"
    for name in ("client_id", "redirect_uri"):
        assert cast.bob.client.get(f"{address}&{name}={ASKED[name]}").status_code == 400
    assert error(cast.bob.client.get(f"{address}&scope=read")) == "invalid_request"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge": "a" * 44}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"scope": "read everything"}, "invalid_scope"),
        ({"scope": "manage"}, "invalid_scope"),
    ],
    ids=str,
)
def test_other_mistakes_are_told_to_the_program(cast: Cast, changes: dict[str, str | None], expected: str) -> None:
    for client in (cast.bob.client, cast.stranger):
        assert error(ask(client, **changes)) == expected


def test_a_long_state_is_not_repeated(cast: Cast) -> None:
    told = answer(ask(cast.bob.client, state="x" * 5_000))
    assert told["error"] == "invalid_request"
    assert "state" not in told


def test_asked_once_while_a_sign_in_stands(database: Database, cast: Cast) -> None:
    sign_in(cast.bob.client)
    assert set(answer(ask(cast.bob.client))) == {"code", "state", "iss"}
    assert "code" in answer(ask(cast.bob.client, scope="read"))
    # Asked for on purpose, by another member, or after the sign-out: the page again.
    assert ask(cast.bob.client, prompt="consent").status_code == 200
    assert ask(cast.vera.client).status_code == 200
    database.ask("UPDATE accounts_grant SET revoked_at = now()")
    assert ask(cast.bob.client).status_code == 200


def test_more_scopes_are_asked_for_again(cast: Cast) -> None:
    exchange(consent(cast.bob.client, scope="read"))
    assert "code" in answer(ask(cast.bob.client, scope="read"))
    assert ask(cast.bob.client, scope="read write").status_code == 200


def test_right_after_our_own_form_a_page_leads_on(cast: Cast) -> None:
    """Chromium would stop the redirect: it began on the sign-in page, whose policy knows no program."""
    sign_in(cast.bob.client)
    page = cast.bob.client.get(f"/oauth/authorize?{urlencode(ASKED)}", headers={"Sec-Fetch-Site": "same-origin"})
    assert page.status_code == 200
    [address] = re.findall(r'http-equiv="refresh" content="0; url=([^"]+)"', page.content.decode())
    assert address.startswith(f"{REDIRECT}?code=")


def test_a_viewer_gets_no_more_than_the_role_has(cast: Cast) -> None:
    told = exchange(consent(cast.vera.client)).json()
    assert told["scope"] == "read"


def test_who_has_several_agencies_chooses(database: Database, cast: Cast) -> None:
    services.add_member(agency_id=cast.b, user_id=cast.bob.user_id, role="viewer")
    page = ask(cast.bob.client).content.decode()
    assert re.findall(r'name="agency" id="agency-\w" value="(\w)"', page) == ["a", "b"]
    address = f"/oauth/authorize?{urlencode(ASKED)}"
    for wrong in ({}, {"agency": ""}, {"agency": "c"}):
        again = cast.bob.client.post(address, {"decision": "allow"} | wrong)
        assert again.status_code == 422
        assert "Choose the agency" in again.content.decode()
    consent(cast.bob.client, "b")
    found = database.ask("SELECT agency_id, scopes FROM accounts_authorizationcode")
    assert found == [(cast.b, ["read"])]


def test_another_agency_cannot_be_chosen(database: Database, cast: Cast) -> None:
    response = cast.charlie.client.post(f"/oauth/authorize?{urlencode(ASKED)}", {"decision": "allow", "agency": "a"})
    assert response.status_code == 422
    assert database.ask("SELECT count(*) FROM accounts_authorizationcode") == [(0,)]


def test_who_is_in_no_agency(cast: Cast) -> None:
    user_id = services.create_user(email="new@example.com", name="New")
    from consult.accounts.models import User

    browser = Client()
    browser.force_login(User.objects.get(pk=user_id))
    page = ask(browser)
    assert page.status_code == 200
    assert "in no agency yet" in page.content.decode()
    denied = browser.post(f"/oauth/authorize?{urlencode(ASKED)}", {"decision": "deny"})
    assert error(denied) == "access_denied"


def test_firefox(cast: Cast) -> None:
    """The host of identity.getRedirectURL() there is the SHA-1 of the add-on's id."""
    origin = "https://86ae1d844aa4efb873656eb45920a3aefa363cdd.extensions.allizom.org"
    assert rules.redirect_origin("consult@example.org") == origin
    address = f"{origin}/"
    assert ask(cast.bob.client, client_id="consult@example.org", redirect_uri=address).status_code == 200
    assert ask(cast.bob.client, client_id="consult@example.org").status_code == 400
