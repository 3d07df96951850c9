"""GitHub: signing in through it, connecting it, and what is never done with it."""

import datetime as dt
import json
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.core import mail
from django.test import Client
from pytest_django import Settings

from conftest import PASSWORD, Cast, Database
from consult.accounts import models, services
from consult.core import kv
from tests import github as fake
from tests.github import GitHub

LOGIN = "/accounts/github/login/"
NOW = dt.datetime.now(dt.UTC)


@pytest.fixture
def github(settings: Settings, database: Database) -> Iterator[GitHub]:
    settings.CONSULT_REDIS_URL = ""
    settings.CONSULT_GITHUB_CLIENT_ID = fake.CLIENT_ID
    settings.CONSULT_GITHUB_CLIENT_SECRET = fake.CLIENT_SECRET
    with fake.serving() as served:
        settings.CONSULT_GITHUB_URL = settings.CONSULT_GITHUB_API_URL = served.url
        yield served


def path(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}"


def through(client: Client, github: GitHub, login: str, process: str = "login", **more: str) -> str:
    """Press the button, agree on GitHub's page, come back; return where one is then led."""
    answer = client.post(LOGIN, {"process": process, **more})
    assert answer["Location"].startswith(f"{github.url}/login/oauth/authorize?")
    return str(client.get(path(github.authorize(answer["Location"], login))).headers.get("Location", "a page"))


def user(id: int) -> models.User:
    return models.User.objects.get(pk=id)


def reauthenticate(client: Client) -> None:
    assert client.post("/accounts/reauthenticate/", {"password": PASSWORD}).status_code == 302


def connect(client: Client, github: GitHub, login: str) -> None:
    reauthenticate(client)
    assert through(client, github, login, "connect") == "/accounts/github/"


def test_without_settings_there_is_no_button(cast: Cast) -> None:
    assert "GitHub" not in Client().get("/accounts/login/").content.decode()
    assert "GitHub" not in cast.bob.client.get("/accounts/").content.decode()
    assert "has not set up GitHub" in cast.bob.client.get("/accounts/github/").content.decode()
    for address in (LOGIN, f"{LOGIN}callback/"):
        assert Client().get(address).status_code == 404
        assert Client().post(address).status_code == 404


def test_it_asks_for_who_one_is_and_no_more(cast: Cast, github: GitHub) -> None:
    for address in (
        LOGIN,
        f"{LOGIN}?scope=repo,admin:org&auth_params=scope%3Drepo%26redirect_uri%3Dhttps://evil.example",
    ):
        answer = Client().post(address, {"process": "login"})
        asked = dict(parse_qsl(urlsplit(answer["Location"]).query))
        assert set(asked.pop("scope").split()) == {"read:user", "user:email"}
        assert len(asked.pop("state")) >= 16
        assert len(asked.pop("code_challenge")) == 43
        assert asked == {
            "client_id": fake.CLIENT_ID,
            "redirect_uri": "http://testserver/accounts/github/login/callback/",
            "response_type": "code",
            "code_challenge_method": "S256",
        }
    # A page elsewhere cannot start it: a GET only asks.
    assert Client().get(LOGIN).status_code == 200


def test_connecting_fills_in_who_one_is(database: Database, cast: Cast, github: GitHub) -> None:
    github.add(4711, "bobhub", ("other@example.com", True, True))
    connect(cast.bob.client, github, "bobhub")
    bob = user(cast.bob.user_id)
    assert (bob.github_user_id, bob.github_username) == (4711, "bobhub")
    assert bob.avatar_url == "https://avatars.example/u/4711"
    assert bob.email == "bob@example.com"
    assert "bobhub" in cast.bob.client.get("/accounts/").content.decode()
    assert "GitHub" in mail.outbox[-1].body
    # All that is kept of the profile.
    [(kept,)] = database.ask("SELECT extra_data FROM socialaccount_socialaccount")
    assert set(kept) == {"id", "login", "name", "avatar_url", "html_url"}
    # From now on it signs in.
    client = Client()
    assert through(client, github, "bobhub") == "/accounts/agencies/"
    assert client.get("/a/inbox/").status_code == 200


def test_connecting_wants_to_know_first_that_it_is_oneself(cast: Cast, github: GitHub) -> None:
    github.add(4711, "bobhub")
    assert through(cast.bob.client, github, "bobhub", "connect") == "/accounts/reauthenticate/"
    assert user(cast.bob.user_id).github_user_id is None
    assert "gho_" not in json.dumps(dict(cast.bob.client.session))
    assert cast.bob.client.post("/accounts/reauthenticate/", {"password": PASSWORD})["Location"] == "/accounts/github/"
    assert user(cast.bob.user_id).github_user_id == 4711
    assert services.github_token(user_id=cast.bob.user_id, now=NOW)


def test_the_token_is_kept_sealed_for_a_week_and_nowhere_else(
    database: Database, cast: Cast, github: GitHub, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    github.add(4711, "bobhub")
    connect(cast.bob.client, github, "bobhub")
    [token] = github.tokens
    assert services.github_token(user_id=cast.bob.user_id, now=NOW) == token
    week = dt.datetime.now(dt.UTC) + dt.timedelta(days=7)
    assert services.github_token(user_id=cast.bob.user_id, now=week - dt.timedelta(minutes=1)) == token
    assert services.github_token(user_id=cast.bob.user_id, now=week) is None
    assert services.github_token(user_id=cast.alice.user_id, now=NOW) is None
    for table in [row[0] for row in database.ask("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]:
        [(everything,)] = database.ask(f"SELECT coalesce(string_agg(t::text, ' '), '') FROM {table} t")  # noqa: S608
        assert token not in everything, table
    assert database.ask("SELECT count(*) FROM socialaccount_socialtoken") == [(0,)]
    for page in ("/accounts/", "/accounts/github/"):
        assert token not in cast.bob.client.get(page).content.decode()
    assert token not in json.dumps(dict(cast.bob.client.session))
    assert token not in caplog.text + "".join(capsys.readouterr())


def test_disconnecting_forgets_it_all(database: Database, cast: Cast, github: GitHub) -> None:
    github.add(4711, "bobhub")
    connect(cast.bob.client, github, "bobhub")
    [(account,)] = database.ask("SELECT id FROM socialaccount_socialaccount")
    # Somebody else's is none of Alice's business.
    reauthenticate(cast.alice.client)
    assert cast.alice.client.post("/accounts/github/", {"account": account}).status_code == 200
    assert user(cast.bob.user_id).github_user_id == 4711
    assert cast.bob.client.post("/accounts/github/", {"account": account})["Location"] == "/accounts/github/"
    bob = user(cast.bob.user_id)
    assert (bob.github_user_id, bob.github_username, bob.avatar_url) == (None, "", "")
    assert database.ask("SELECT count(*) FROM core_kv") == [(0,)]
    assert kv.get("github_token/4711", now=NOW) is None
    assert through(Client(), github, "bobhub") == "a page"


def test_who_has_no_password_sets_one_before_disconnecting(database: Database, cast: Cast, github: GitHub) -> None:
    github.add(4711, "bobhub")
    connect(cast.bob.client, github, "bobhub")
    models.User.objects.filter(pk=cast.bob.user_id).update(password="!")
    client = Client()
    through(client, github, "bobhub")
    [(account,)] = database.ask("SELECT id FROM socialaccount_socialaccount")
    answer = client.post("/accounts/github/", {"account": account})
    assert "Set a password first" in answer.content.decode()
    assert user(cast.bob.user_id).github_user_id == 4711


def test_one_identity_belongs_to_one_person(cast: Cast, github: GitHub) -> None:
    github.add(4711, "bobhub")
    github.add(4712, "bobhub2")
    connect(cast.bob.client, github, "bobhub")
    connect(cast.alice.client, github, "bobhub")
    assert "belongs to another account" in cast.alice.client.get("/accounts/github/").content.decode()
    assert user(cast.alice.user_id).github_user_id is None
    # Nor has a person two.
    connect(cast.bob.client, github, "bobhub2")
    assert "Disconnect that one first" in cast.bob.client.get("/accounts/github/").content.decode()
    assert user(cast.bob.user_id).github_user_id == 4711


def test_an_address_that_both_have_verified_joins(cast: Cast, github: GitHub) -> None:
    github.add(4711, "bobhub", ("Bob@Example.com", True, True))
    client = Client()
    assert through(client, github, "bobhub") == "/accounts/agencies/"
    assert client.get("/a/inbox/").status_code == 200
    assert user(cast.bob.user_id).github_user_id == 4711
    # The password is still theirs.
    assert Client().post("/accounts/login/", {"login": "bob@example.com", "password": PASSWORD}).status_code == 302


@pytest.mark.parametrize("public", [None, "bob@example.com"])
def test_an_address_that_github_has_not_verified_does_not(cast: Cast, github: GitHub, public: str | None) -> None:
    github.add(4711, "mallory", ("bob@example.com", True, False), public_email=public)
    client = Client()
    # There is nobody whom it could be, and sign-up is by invitation.
    assert through(client, github, "mallory") == "a page"
    assert client.get("/accounts/agencies/")["Location"].startswith("/accounts/login/")
    assert user(cast.bob.user_id).github_user_id is None


def test_an_address_that_we_have_not_verified_does_not(
    database: Database, cast: Cast, github: GitHub, settings: Settings
) -> None:
    """Mallory signed up with Nina's address before her. Nina comes by GitHub, and is not led into Mallory's account."""
    settings.CONSULT_SIGN_UP = "open"
    mallory = Client()
    mallory.post(
        "/accounts/signup/",
        {"name": "M", "email": "nina@example.com", "password1": PASSWORD, "agency_name": "Trap", "slug": ""},
    )
    github.add(4711, "nina", ("nina@example.com", True, True))
    nina = Client()
    assert through(nina, github, "nina") == "/accounts/login/"
    assert "has an account here already" in nina.get("/accounts/login/").content.decode()
    assert nina.get("/accounts/agencies/")["Location"].startswith("/accounts/login/")
    assert database.ask("SELECT count(*) FROM socialaccount_socialaccount") == [(0,)]


def test_a_second_factor_is_asked_for_as_ever(cast: Cast, github: GitHub) -> None:
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    github.add(4711, "bobhub", ("bob@example.com", True, True))
    TOTP.activate(user(cast.bob.user_id), generate_totp_secret())
    client = Client()
    assert through(client, github, "bobhub") == "/accounts/2fa/authenticate/"
    assert client.get("/accounts/agencies/")["Location"].startswith("/accounts/login/")


def test_somebody_new_signs_up_with_an_agency(
    database: Database, cast: Cast, github: GitHub, settings: Settings
) -> None:
    settings.CONSULT_SIGN_UP = "open"
    github.add(4711, "nina", ("nina@example.com", True, True), ("nina@private.example", False, True))
    client = Client()
    assert through(client, github, "nina") == "/accounts/github/signup/"
    assert "gho_" not in json.dumps(dict(client.session))
    page = client.get("/accounts/github/signup/").content.decode()
    assert 'value="nina@example.com"' in page
    assert 'value="Nina"' in page
    # Nobody who has not finished leaves a token for longer than an hour.
    assert kv.get("github_token/4711", now=NOW) is not None
    now = dt.datetime.now(dt.UTC)
    assert kv.get("github_token/4711", now=now + dt.timedelta(hours=1)) is None
    form = {"name": "Nina Petrov", "email": "nina@example.com", "agency_name": "Nina & Co", "slug": ""}
    assert "is taken" in client.post("/accounts/github/signup/", {**form, "slug": "a"}).content.decode()
    assert client.post("/accounts/github/signup/", form)["Location"] == "/nina-co/inbox/"
    # GitHub has verified the address: nothing to type. The other address stays out of it.
    assert [each.subject for each in mail.outbox if "erify" in each.subject] == []
    assert database.ask("SELECT email FROM account_emailaddress WHERE email ~ '^nina'") == [("nina@example.com",)]
    nina = models.User.objects.get(email="nina@example.com")
    assert (nina.name, nina.github_user_id, nina.github_username) == ("Nina Petrov", 4711, "nina")
    assert services.github_token(user_id=nina.pk, now=NOW + dt.timedelta(days=6))


def test_somebody_new_with_another_address_verifies_it(
    database: Database, cast: Cast, github: GitHub, settings: Settings
) -> None:
    settings.CONSULT_SIGN_UP = "open"
    github.add(4711, "nina", ("nina@example.com", True, True))
    client = Client()
    through(client, github, "nina")
    form = {"name": "Nina", "email": "elsewhere@example.com", "agency_name": "Nina & Co", "slug": ""}
    assert client.post("/accounts/github/signup/", form)["Location"] == "/accounts/confirm-email/"
    assert client.get("/accounts/agencies/")["Location"].startswith("/accounts/login/")


def test_by_invitation_alone_nobody_new_comes_in(database: Database, cast: Cast, github: GitHub) -> None:
    github.add(4711, "nina", ("nina@example.com", True, True))
    before = database.ask("SELECT count(*) FROM accounts_user")
    client = Client()
    answer = client.post(LOGIN, {"process": "login"})
    page = client.get(path(github.authorize(answer["Location"], "nina")), follow=True)
    assert "Sign-up is by invitation" in page.content.decode()
    assert database.ask("SELECT count(*) FROM accounts_user") == before


def test_next_stays_here(cast: Cast, github: GitHub) -> None:
    github.add(4711, "bobhub", ("bob@example.com", True, True))
    assert through(Client(), github, "bobhub", next="/a/sites/") == "/a/sites/"
    assert through(Client(), github, "bobhub", next="https://evil.example/") == "/accounts/agencies/"


def test_an_answer_for_another_browser_or_used_before_is_refused(cast: Cast, github: GitHub) -> None:
    github.add(4711, "bobhub", ("bob@example.com", True, True))
    client, other = Client(), Client()
    back = path(github.authorize(client.post(LOGIN, {"process": "login"})["Location"], "bobhub"))
    # The state is this browser's.
    answer = other.get(back)
    assert "did not let you through" in answer.content.decode()
    assert other.get("/accounts/agencies/")["Location"].startswith("/accounts/login/")
    assert client.get(back)["Location"] == "/accounts/agencies/"
    client.post("/accounts/logout/")
    assert "did not let you through" in client.get(back).content.decode()


def test_a_stolen_code_is_worth_nothing_without_the_verifier(cast: Cast, github: GitHub) -> None:
    github.add(4711, "bobhub", ("bob@example.com", True, True))
    victim, thief = Client(), Client()
    stolen = dict(parse_qsl(urlsplit(github.authorize(victim.post(LOGIN)["Location"], "bobhub")).query))["code"]
    state = dict(parse_qsl(urlsplit(thief.post(LOGIN)["Location"]).query))["state"]
    answer = thief.get(f"{LOGIN}callback/", {"code": stolen, "state": state})
    assert "did not let you through" in answer.content.decode()
    assert github.refused == ["bad_verifier"]
    assert thief.get("/accounts/agencies/")["Location"].startswith("/accounts/login/")


def test_who_says_no_on_github_comes_back_to_sign_in(cast: Cast, github: GitHub) -> None:
    client = Client()
    state = dict(parse_qsl(urlsplit(client.post(LOGIN)["Location"]).query))["state"]
    answer = client.get(f"{LOGIN}callback/", {"error": "access_denied", "state": state}, follow=True)
    assert "You cancelled it on GitHub" in answer.content.decode()


@pytest.mark.parametrize(
    "ill", [(500, b"oops"), (200, b"not json"), (200, b"[]"), (200, b"{}"), (200, b'{"id": null}'), (404, b"{}")]
)
def test_a_github_that_is_ill_lets_nobody_in_and_breaks_nothing(
    cast: Cast, github: GitHub, ill: tuple[int, bytes]
) -> None:
    github.add(4711, "bobhub", ("bob@example.com", True, True))
    github.ill = ill
    client = Client()
    back = path(github.authorize(client.post(LOGIN)["Location"], "bobhub"))
    answer = client.get(back)
    assert answer.status_code < 500
    assert client.get("/accounts/agencies/")["Location"].startswith("/accounts/login/")


def test_the_wrong_secret_is_refused(cast: Cast, github: GitHub, settings: Settings) -> None:
    settings.CONSULT_GITHUB_CLIENT_SECRET = "something else"
    github.add(4711, "bobhub", ("bob@example.com", True, True))
    client = Client()
    answer = client.get(path(github.authorize(client.post(LOGIN)["Location"], "bobhub")))
    assert "did not let you through" in answer.content.decode()
    assert github.refused == ["incorrect_client_credentials"]


def test_a_store_that_is_away_keeps_nobody_out(cast: Cast, github: GitHub, settings: Settings) -> None:
    settings.CONSULT_REDIS_URL = "redis://127.0.0.1:1/0"
    github.add(4711, "bobhub", ("bob@example.com", True, True))
    client = Client()
    assert through(client, github, "bobhub") == "/accounts/agencies/"
    assert client.get("/a/inbox/").status_code == 200
