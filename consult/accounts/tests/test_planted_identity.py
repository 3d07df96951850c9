"""Whoever first shows that an address is theirs is alone in its account, whatever somebody else had put there."""

import re
from collections.abc import Callable

import pytest
from django.core import mail
from django.test import Client
from pytest_django import Settings

from conftest import Cast, Database
from consult.accounts import services
from consult.accounts.tests.test_github import github, through  # noqa: F401
from tests.github import GitHub

NINA = "nina@example.com"
NEW = "a quite new pass phrase"


def by_code(nina: Client) -> None:
    nina.post("/accounts/login/code/", {"email": NINA})
    found = re.search(r"^\s*([A-Z0-9]{3,4}-?[A-Z0-9]{3,4})\s*$", str(mail.outbox[-1].body), re.MULTILINE)
    assert found
    nina.post("/accounts/login/code/confirm/", {"code": found[1]})


def by_link(nina: Client) -> None:
    nina.get(services.create_sign_in_link(email=NINA))


def by_reset(nina: Client) -> None:
    nina.post("/accounts/password/reset/", {"email": NINA})
    link = re.search(r"/accounts/password/reset/key/\S+", str(mail.outbox[-1].body))
    assert link
    where = nina.get(link[0], follow=True).redirect_chain[-1][0]
    nina.post(where, {"password1": NEW, "password2": NEW})
    by_code(nina)


@pytest.mark.parametrize("way", [by_code, by_link, by_reset])
def test_a_github_account_on_somebody_elses_address(
    database: Database,
    cast: Cast,
    github: GitHub,  # noqa: F811
    settings: Settings,
    way: Callable[[Client], None],
) -> None:
    settings.CONSULT_SIGN_UP = "open"
    github.add(666, "mallory", ("mallory@evil.example", True, True))
    assert through(Client(), github, "mallory") == "/accounts/github/signup/"
    planting = Client()
    through(planting, github, "mallory")
    told = planting.post("/accounts/github/signup/", {"name": "Nina", "email": NINA, "agency_name": "Trap", "slug": ""})
    assert told["Location"] == "/accounts/confirm-email/"
    assert database.ask("SELECT count(*) FROM socialaccount_socialaccount") == [(1,)]
    nina = Client()
    way(nina)
    assert NINA in nina.get("/accounts/").content.decode()
    assert database.ask("SELECT count(*) FROM socialaccount_socialaccount") == [(0,)]
    mallory = Client()
    through(mallory, github, "mallory")
    assert NINA not in mallory.get("/accounts/").content.decode()


def test_an_address_that_only_looks_alike(
    database: Database,
    cast: Cast,
    github: GitHub,  # noqa: F811
) -> None:
    """ß is ss in the form that we compare, and another domain on the internet."""
    database.ask("UPDATE accounts_user SET email = 'bob@strasse.example' WHERE email = 'bob@example.com'")
    database.ask("UPDATE account_emailaddress SET email = 'bob@strasse.example' WHERE email = 'bob@example.com'")
    github.add(667, "mallory", ("bob@straße.example", True, True))
    mallory = Client()
    through(mallory, github, "mallory")
    assert mallory.get("/a/inbox/").status_code == 302
