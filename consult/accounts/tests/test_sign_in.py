"""Signing in by password, and out."""

import re
from typing import Any
from unittest import mock

import pytest
from django.contrib.auth import hashers
from django.core import mail
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from conftest import PASSWORD, Cast, Database
from consult.accounts import models, services

URL = "/accounts/login/"


def sign_in(client: Client, email: str = "bob@example.com", password: str = PASSWORD, **more: str) -> int:
    return client.post(URL, {"login": email, "password": password, **more}).status_code


def signed_in(client: Client) -> bool:
    return client.get("/accounts/agencies/").get("Location", "") != f"{URL}?next=/accounts/agencies/"


def test_it_works_and_leads_home(cast: Cast) -> None:
    client = Client()
    answer = client.post(URL, {"login": "bob@example.com", "password": PASSWORD}, follow=True)
    assert answer.redirect_chain == [("/accounts/agencies/", 302), ("/a/inbox/", 302)]
    assert answer.status_code == 200
    assert client.cookies["sessionid"]["httponly"]
    assert client.cookies["sessionid"]["samesite"] == "Lax"


def test_it_leads_back_to_where_one_was_going(cast: Cast) -> None:
    answer = Client().get("/a/sites/?x=1")
    client = Client()
    assert client.get(answer["Location"]).status_code == 200
    answer = client.post(
        answer["Location"], {"login": "bob@example.com", "password": PASSWORD, "next": "/a/sites/?x=1"}
    )
    assert answer["Location"] == "/a/sites/?x=1"
    for evil in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
        client = Client()
        answer = client.post(URL, {"login": "bob@example.com", "password": PASSWORD, "next": evil})
        assert answer["Location"] == "/accounts/agencies/"


def test_case_and_space_do_not_matter(cast: Cast) -> None:
    for email in ("BOB@EXAMPLE.COM", " bob@example.com ", "Bob@Example.com"):
        client = Client()
        assert sign_in(client, email) == 302
        assert signed_in(client)


def test_a_wrong_password_and_an_unknown_address_look_the_same(cast: Cast) -> None:
    pages = []
    for email, password in (("bob@example.com", "wrong"), ("nobody@example.com", PASSWORD)):
        client = Client()
        answer = client.post(URL, {"login": email, "password": password})
        assert answer.status_code == 200
        assert not signed_in(client)
        text = answer.content.decode()
        assert email in text, "what was typed is kept"
        assert password not in text, "but for the password"
        pages.append(text.partition("<main")[2].replace(email, "").partition("csrfmiddlewaretoken")[0])
    assert pages[0] == pages[1]


def test_somebody_who_left_cannot_come_in(database: Database, cast: Cast) -> None:
    database.ask("UPDATE accounts_user SET is_active = false WHERE email = 'bob@example.com'")
    client = Client()
    sign_in(client)
    assert not signed_in(client)
    # And is out at once where they were in.
    assert not signed_in(cast.bob.client)
    assert cast.bob.client.get("/a/inbox/").status_code == 302


def test_many_tries_are_stopped_without_locking_others_out(cast: Cast) -> None:
    statuses = [sign_in(Client(), password=f"guess {number}") for number in range(8)]
    assert statuses == [200] * 5 + [429] * 3
    answer = Client().post(URL, {"login": "bob@example.com", "password": PASSWORD})
    assert answer.status_code == 429, "the right password does not help now"
    assert answer["Retry-After"] == "300"
    assert "That was too often" in answer.content.decode()
    told = Client(headers={"Accept": "application/json"}).post(URL, {"login": "bob@example.com", "password": "x"})
    assert (told.status_code, told["Content-Type"]) == (429, "application/problem+json")
    assert (told["Retry-After"], told.json()["code"]) == ("300", "too_many_requests")
    # But for who comes from anywhere else: a stranger who guesses locks nobody out.
    assert sign_in(Client(REMOTE_ADDR="198.51.100.8")) == 302
    # Others sign in as ever, from the same address and from another.
    assert sign_in(Client(), "alice@example.com") == 302
    assert sign_in(Client(REMOTE_ADDR="198.51.100.7"), "vera@example.com") == 302
    cache.clear()
    assert sign_in(Client()) == 302


def test_one_address_cannot_try_everybody(cast: Cast) -> None:
    answers = [sign_in(Client(REMOTE_ADDR="203.0.113.9"), f"person{number}@example.com", "x") for number in range(40)]
    assert 429 in answers
    page = Client(REMOTE_ADDR="203.0.113.9").post(URL, {"login": "alice@example.com", "password": PASSWORD})
    assert (page.status_code, page["Retry-After"]) == (429, "300")
    assert "That was too often" in page.content.decode()
    assert sign_in(Client(REMOTE_ADDR="198.51.100.7"), "alice@example.com") == 302


def test_counters_cannot_be_pushed_out(database: Database, cast: Cast) -> None:
    """Whoever fills the cache wins no further tries; the database's one throws out what sorts first when it is full."""
    for number in range(5):
        sign_in(Client(), password=f"guess {number}")
    for number in range(400):
        cache.set(f"zzz-{number}", 1)
    assert database.ask("SELECT count(*) > 400 FROM core_cache") == [(True,)]
    assert sign_in(Client()) == 429


def test_signing_out_wants_a_post(cast: Cast) -> None:
    page = cast.bob.client.get("/accounts/logout/")
    assert page.status_code == 200
    assert signed_in(cast.bob.client)
    session = cast.bob.client.cookies["sessionid"].value
    assert cast.bob.client.post("/accounts/logout/")["Location"] == "/"
    assert not signed_in(cast.bob.client)
    # The cookie that somebody copied before is worth nothing now.
    thief = Client()
    thief.cookies["sessionid"] = session
    assert not signed_in(thief)


def test_nobody_opens_an_account(database: Database, cast: Cast) -> None:
    before = database.ask("SELECT count(*) FROM accounts_user")
    answer = Client().post("/accounts/signup/", {"email": "new@example.com", "password1": "correct horse battery"})
    assert answer.status_code == 200
    assert database.ask("SELECT count(*) FROM accounts_user") == before


def test_addresses_are_one_whatever_their_case(cast: Cast) -> None:
    user = models.User.objects.get(email="bob@example.com")
    assert models.User.objects.get_by_natural_key(" BOB@example.COM ") == user
    assert models.normalise_email("ＢＯＢ@Straße.example ") == "bob@strasse.example"
    with pytest.raises(Exception, match="accounts_user_email"):
        services.create_user(email="Bob@Example.com", name="Another Bob")


class Counting(hashers.MD5PasswordHasher):
    """Counts how often a password is really hashed."""

    count = 0

    def encode(self, password: str, salt: str, *args: Any, **kwargs: Any) -> str:
        type(self).count += 1
        return super().encode(password, salt, *args, **kwargs)


def test_whoever_it_is_the_same_work_is_done(database: Database, cast: Cast, settings: Settings) -> None:
    """Time tells nobody whether an address has an account: a password is hashed as often for each of these."""
    settings.PASSWORD_HASHERS = [f"{__name__}.Counting"]
    services.create_user(email="link-only@example.com", name="No password")
    services.create_user(email="left@example.com", name="Left", password=PASSWORD)
    database.ask("UPDATE accounts_user SET is_active = false WHERE email = 'left@example.com'")
    counts = {}
    with mock.patch.object(hashers, "get_hasher", return_value=Counting()):
        for email in ("bob@example.com", "nobody@example.com", "link-only@example.com", "left@example.com"):
            Counting.count = 0
            assert sign_in(Client(), email, "a wrong password") == 200
            counts[email] = Counting.count
    assert set(counts.values()) == {1}, counts


def test_codes_are_limited_by_where_they_are_asked_for(cast: Cast) -> None:
    url = "/accounts/login/code/"
    stranger = [Client(REMOTE_ADDR="203.0.113.9").post(url, {"email": "bob@example.com"}) for _ in range(12)]
    assert [answer.status_code for answer in stranger] == [302] * 10 + [429] * 2
    # However often a stranger asks, Bob gets his.
    assert Client(REMOTE_ADDR="198.51.100.7").post(url, {"email": "bob@example.com"}).status_code == 302
    reset = "/accounts/password/reset/"
    stranger = [Client(REMOTE_ADDR="203.0.113.9").post(reset, {"email": "bob@example.com"}) for _ in range(12)]
    assert [answer.status_code for answer in stranger] == [302] * 10 + [429] * 2
    assert Client(REMOTE_ADDR="198.51.100.7").post(reset, {"email": "bob@example.com"}).status_code == 302


def test_an_invented_address_counts_for_nothing(cast: Cast) -> None:
    """Whoever makes up another X-Forwarded-For each time is still one address."""
    answers = [
        sign_in(Client(REMOTE_ADDR="203.0.113.9", headers={"X-Forwarded-For": f"10.0.0.{number}"}), password="wrong")
        for number in range(7)
    ]
    assert answers == [200] * 5 + [429] * 2


def test_a_code_signs_in(cast: Cast) -> None:
    client, other = Client(), Client()
    for email in (" BOB@example.com", "nobody@example.com"):
        answer = Client().post("/accounts/login/code/", {"email": email})
        assert answer["Location"] == "/accounts/login/code/confirm/"
    assert "There is no account" in str(mail.outbox[-1].body)
    assert mail.outbox[-2].to == ["bob@example.com"]
    client.post("/accounts/login/code/", {"email": "bob@example.com", "next": "/a/sites/"})
    found = re.search(r"^([A-Z0-9-]{6,})$", str(mail.outbox[-1].body), re.MULTILINE)
    assert found
    # It is worth something in the browser that asked for it alone.
    other.post("/accounts/login/code/confirm/", {"code": found[1]})
    assert not signed_in(other)
    answer = client.post("/accounts/login/code/confirm/", {"code": found[1], "next": "/a/sites/"})
    assert answer["Location"] == "/a/sites/"
    assert signed_in(client)


def test_three_wrong_codes_end_it(cast: Cast) -> None:
    client = Client()
    client.post("/accounts/login/code/", {"email": "bob@example.com"})
    found = re.search(r"^([A-Z0-9-]{6,})$", str(mail.outbox[-1].body), re.MULTILINE)
    assert found
    for _ in range(3):
        client.post("/accounts/login/code/confirm/", {"code": "ZZZZZZ"})
    client.post("/accounts/login/code/confirm/", {"code": found[1]})
    assert not signed_in(client)
