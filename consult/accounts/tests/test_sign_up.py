"""Signing up: by whom, with which agency, and what is left when somebody stops half-way."""

import datetime as dt
import re
import threading
from collections.abc import Callable
from unittest import mock

import pytest
from django.contrib.auth import hashers
from django.core import mail
from django.db import connection
from django.test import Client
from pytest_django import Settings

from conftest import PASSWORD, Cast, Database
from consult.accounts import models, queries, services
from consult.accounts.tests.test_accept_invitation import invite
from consult.accounts.tests.test_sign_in import Counting

URL = "/accounts/signup/"
CODE = "/accounts/confirm-email/"
NINA = {
    "name": "Nina Petrov",
    "email": " Nina@Example.com ",
    "password1": PASSWORD,
    "agency_name": "Café Müller & Co",
    "slug": "",
}


@pytest.fixture(autouse=True)
def everybody(settings: Settings) -> None:
    settings.CONSULT_SIGN_UP = "open"


def code() -> str:
    """The code in the last mail."""
    found = re.search(r"^([A-Z0-9]{4,}(?:-[A-Z0-9]+)*)$", str(mail.outbox[-1].body), re.MULTILINE)
    assert found, mail.outbox[-1].body
    return found[1]


def sign_up(client: Client, **changed: str) -> int:
    return client.post(URL, {**NINA, **changed}).status_code


def verify(client: Client) -> str:
    return str(client.post(CODE, {"code": code()})["Location"])


def user(email: str = "nina@example.com") -> models.User | None:
    return models.User.objects.filter(email=email).first()


def test_it_opens_an_agency_once_the_address_is_verified(database: Database, cast: Cast) -> None:
    client = Client()
    answer = client.post(URL, NINA)
    assert answer["Location"] == CODE
    nina = user()
    assert nina is not None
    assert (nina.name, nina.email) == ("Nina Petrov", "nina@example.com")
    # Nobody is signed in and no agency is there before the code was typed.
    assert client.get("/accounts/agencies/").status_code == 302
    assert queries.memberships(nina.pk) == []
    assert mail.outbox[-1].to == ["nina@example.com"]
    assert verify(client) == "/cafe-muller-co/inbox/"
    assert client.get("/cafe-muller-co/inbox/").status_code == 200
    [place] = queries.memberships(nina.pk)
    assert (place.slug, place.name, place.role) == ("cafe-muller-co", "Café Müller & Co", "owner")
    assert database.ask(
        'SELECT email, verified, "primary" FROM account_emailaddress WHERE user_id = %s', [nina.pk]
    ) == [("nina@example.com", True, True)]
    # And from now on by password.
    assert Client().post("/accounts/login/", {"login": "NINA@example.com", "password": PASSWORD}).status_code == 302


def test_without_the_code_there_is_no_way_in(cast: Cast) -> None:
    client = Client()
    sign_up(client)
    for _ in range(3):
        client.post(CODE, {"code": "NOTTHE-CODE"})
    assert client.post(CODE, {"code": code()}).status_code == 302
    assert client.get("/accounts/agencies/")["Location"].startswith("/accounts/login/")
    # The password alone asks for the code once more.
    again = Client()
    answer = again.post("/accounts/login/", {"login": "nina@example.com", "password": PASSWORD})
    assert answer["Location"] == CODE
    assert verify(again) == "/accounts/agencies/"
    # What was left undone is offered again.
    assert "Open an agency" in again.get("/accounts/agencies/").content.decode()


def test_whoever_has_an_account_the_same_work_is_done(cast: Cast) -> None:
    """Time tells nobody whether an address has an account: a password is hashed as often for either."""
    counts = {}
    with mock.patch.object(hashers, "get_hasher", return_value=Counting()):
        for email in ("bob@example.com", "nina@example.com"):
            Counting.count = 0
            assert sign_up(Client(), email=email) == 302
            counts[email] = Counting.count
    assert counts["bob@example.com"] == counts["nina@example.com"] > 0, counts


def test_it_asks_for_what_it_needs_and_keeps_what_was_typed(cast: Cast) -> None:
    for changed, said in (
        ({"name": ""}, "This field is required"),
        ({"name": "A\r\nBcc: x@example.com"}, "Only letters, digits"),
        ({"email": "not an address"}, "valid email"),
        ({"password1": "short"}, "at least 12 characters"),
        ({"password1": "password1234"}, "too common"),
        ({"password1": "nina@example.com"}, "too similar"),
        ({"agency_name": ""}, "This field is required"),
        ({"slug": "Not a slug!"}, "Small letters, digits and dashes between them"),
        ({"slug": "admin"}, "is taken"),
        ({"slug": "a"}, "is taken"),
        ({"agency_name": "日本"}, "Small letters, digits and dashes between them"),
        ({"agency_name": "x" * 201}, "at most 200"),
    ):
        text = Client().post(URL, {**NINA, **changed}).content.decode()
        assert said in text, changed
        assert PASSWORD not in text
        kept = {**NINA, **changed}
        assert f'value="{kept["email"]}"' in text or "email" in changed
    assert user() is None
    assert mail.outbox == []


def test_an_address_that_has_an_account_learns_it_by_mail_alone(database: Database, cast: Cast) -> None:
    before = database.ask("SELECT count(*) FROM accounts_user")
    new, known = Client(), Client()
    answers = [
        client.post(URL, {**NINA, "email": email, "slug": slug}, follow=True)
        for client, email, slug in ((new, "new@example.com", "one"), (known, "BOB@example.com", "two"))
    ]
    pages = [
        re.sub(r"(new|bob)@example.com|csrf\S+ value=\S+", "", answer.content.decode().partition("<main")[2])
        for answer in answers
    ]
    assert pages[0] == pages[1]
    assert [answer.redirect_chain for answer in answers] == [[(CODE, 302)]] * 2
    assert database.ask("SELECT count(*) - 1 FROM accounts_user") == before
    assert "has an account already" in str(mail.outbox[-1].body)
    assert mail.outbox[-1].to == ["bob@example.com"]
    # No code opens it.
    known.post(CODE, {"code": "ABCDEF"})
    assert known.get("/accounts/agencies/")["Location"].startswith("/accounts/login/")


def test_somebody_elses_address_is_no_trap(cast: Cast) -> None:
    """Mallory signs up with Nina's address and waits. Nina comes in by code: Mallory's password is worth nothing."""
    mallory, nina = Client(), Client()
    sign_up(mallory, password1="the password of mallory")
    nina.post("/accounts/login/code/", {"email": "nina@example.com"})
    assert nina.post("/accounts/login/code/confirm/", {"code": code()}).status_code == 302
    assert nina.get("/accounts/").status_code == 200
    thief = Client()
    answer = thief.post("/accounts/login/", {"login": "nina@example.com", "password": "the password of mallory"})
    assert answer.status_code == 200
    assert mallory.get("/accounts/agencies/")["Location"].startswith("/accounts/login/")


def test_a_link_of_the_operator_is_no_trap_either(cast: Cast) -> None:
    sign_up(Client(), password1="the password of mallory")
    nina = Client()
    nina.get(services.create_sign_in_link(email="nina@example.com"))
    assert nina.get("/accounts/").status_code == 200
    answer = Client().post("/accounts/login/", {"login": "nina@example.com", "password": "the password of mallory"})
    assert answer.status_code == 200


def test_an_agency_that_was_taken_meanwhile(cast: Cast) -> None:
    client = Client()
    sign_up(client, slug="wanted")
    services.create_agency(slug="wanted", name="Faster", owner_id=cast.bob.user_id)
    where = verify(client)
    assert where.startswith("/accounts/agencies/new/?")
    page = client.get(where).content.decode()
    assert "Meanwhile somebody else has taken" in page
    assert 'value="Café Müller &amp; Co"' in page
    answer = client.post("/accounts/agencies/new/", {"agency_name": NINA["agency_name"], "slug": "wanted"})
    assert answer.status_code == 422
    assert "is taken" in answer.content.decode()
    answer = client.post("/accounts/agencies/new/", {"agency_name": NINA["agency_name"], "slug": "wanted-2"})
    assert answer["Location"] == "/wanted-2/inbox/"


def at_once(*calls: Callable[[], int]) -> list[int]:
    start, results = threading.Barrier(len(calls)), list[int]()

    def run(call: Callable[[], int]) -> None:
        try:
            connection.ensure_connection()
            start.wait()
            results.append(call())
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_of_two_at_once_one_account_is_made(database: Database, cast: Cast) -> None:
    for number in range(3):
        email = f"twin{number}@example.com"

        def one(email: str = email) -> int:
            return sign_up(Client(), email=email)

        assert at_once(one, one, one) == [302, 302, 302]
        assert database.ask("SELECT count(*) FROM accounts_user WHERE email = %s", [email]) == [(1,)]


def test_by_invitation_alone_it_is_closed(database: Database, cast: Cast, settings: Settings) -> None:
    settings.CONSULT_SIGN_UP = "invited"
    before = database.ask("SELECT count(*) FROM accounts_user")
    page = Client().get(URL).content.decode()
    assert "Sign-up is by invitation" in page
    assert "Sign up</a>" not in Client().get("/accounts/login/").content.decode()
    answer = Client().post(URL, NINA)
    assert "Sign-up is by invitation" in answer.content.decode()
    assert cast.bob.client.get("/accounts/agencies/new/").status_code == 404
    assert cast.bob.client.post("/accounts/agencies/new/", {"agency_name": "X"}).status_code == 404
    assert database.ask("SELECT count(*) FROM accounts_user") == before


WHO = {"name": "Nina Petrov", "password1": PASSWORD}


def invited(database: Database, cast: Cast, email: str) -> tuple[Client, str]:
    """A browser that has opened the page of an invitation to this address, and that page's path."""
    client, link = Client(), invite(database, cast, email)
    assert client.get(link).status_code == 200
    mail.outbox.clear()
    return client, link


def test_who_was_invited_may_sign_up(database: Database, cast: Cast, settings: Settings) -> None:
    settings.CONSULT_SIGN_UP = "invited"
    client, back = invited(database, cast, "Nina@Example.com")
    page = client.get(URL).content.decode()
    assert "You have been invited" in page
    assert "agency" not in page.partition("<form")[2].partition("</form>")[0]
    answer = client.post(URL, {**WHO, "email": "nina@example.com"})
    # Verified already: the mail with the link reached them.
    assert answer["Location"] == back
    assert mail.outbox == []
    assert client.get("/accounts/").status_code == 200
    nina = user()
    assert nina is not None
    assert queries.memberships(nina.pk) == []


def test_who_was_invited_under_another_address_verifies_their_own(
    database: Database, cast: Cast, settings: Settings
) -> None:
    settings.CONSULT_SIGN_UP = "invited"
    client, back = invited(database, cast, "work@example.com")
    assert client.post(URL, {**WHO, "email": "nina@example.com"})["Location"] == CODE
    assert client.get("/accounts/").status_code == 302
    assert verify(client) == back
    assert user("work@example.com") is None


def test_an_invitation_that_is_taken_back_opens_nothing(database: Database, cast: Cast, settings: Settings) -> None:
    settings.CONSULT_SIGN_UP = "invited"
    client, _back = invited(database, cast, "nina@example.com")
    database.ask("UPDATE accounts_invitation SET revoked_at = now()")
    assert "Sign-up is by invitation" in client.post(URL, {**WHO, "email": "nina@example.com"}).content.decode()
    assert user() is None


def test_who_has_an_account_already_signs_in_and_goes_on(database: Database, cast: Cast) -> None:
    client, back = invited(database, cast, "charlie@example.com")
    answer = client.post("/accounts/login/", {"login": "bob@example.com", "password": PASSWORD})
    assert answer["Location"] == back


def test_what_a_session_says_leads_nowhere_else(cast: Cast, settings: Settings) -> None:
    settings.CONSULT_SIGN_UP = "invited"
    client = Client()
    session = client.session
    session["invitation"] = "https://evil.example/"
    session.save()
    assert "Sign-up is by invitation" in client.get(URL).content.decode()
    answer = client.post("/accounts/login/", {"login": "bob@example.com", "password": PASSWORD})
    assert answer["Location"] == "/accounts/agencies/"


def test_what_nobody_verifies_is_forgotten_after_a_week(database: Database, cast: Cast) -> None:
    client = Client()
    sign_up(client)
    sign_up(Client(), email="link@example.com")
    services.create_sign_in_link(email="link@example.com")
    now = dt.datetime.now(dt.UTC)
    assert services.forget_unverified(now=now + services.UNVERIFIED_LIFE - dt.timedelta(minutes=1)) == 0
    before = database.ask("SELECT count(*) FROM accounts_user")
    assert services.forget_unverified(now=now + services.UNVERIFIED_LIFE) == 1
    assert database.ask("SELECT count(*) + 1 FROM accounts_user") == before
    assert user() is None
    # Who comes too late starts again.
    assert client.post(CODE, {"code": code()}).status_code in (200, 302)
    assert sign_up(Client()) == 302
    assert user() is not None
