"""One-time links: once, for a day, and for one of two clicks at once."""

import datetime as dt
import threading

import pytest
from django.db import connection
from django.test import Client

from conftest import Cast, Database
from consult.accounts import models, services

NOW = dt.datetime.now(dt.UTC)


def token(email: str = "bob@example.com", now: dt.datetime = NOW) -> str:
    return services.create_sign_in_link(email=email, now=now).split("/")[-2]


def test_it_signs_in_once(database: Database, cast: Cast) -> None:
    path = services.create_sign_in_link(email=" Bob@Example.com")
    client = Client()
    answer = client.get(path, follow=True)
    assert answer.redirect_chain[-1] == ("/a/inbox/", 302)
    assert "no-store" in client.get(path)["Cache-Control"]
    # Again in the same browser: already in, so no reproach.
    assert client.get(path)["Location"] == "/accounts/agencies/"
    second = Client()
    answer = second.get(path, follow=True)
    assert answer.redirect_chain == [("/accounts/login/", 302)]
    assert "was used already or is too old" in answer.content.decode()
    assert second.get("/a/inbox/").status_code == 302
    # Only its hash is stored.
    [(stored,)] = database.ask("SELECT token_hash FROM accounts_signinlink")
    assert stored not in path
    assert path.split("/")[-2] not in stored


def test_it_lasts_a_day(cast: Cast) -> None:
    late = NOW + services.SIGN_IN_LINK_LIFE
    with pytest.raises(services.LinkSpent):
        services.use_sign_in_link(token=token(), now=late)
    assert services.use_sign_in_link(token=token(), now=late - dt.timedelta(seconds=1)).pk == cast.bob.user_id


def test_rubbish_signs_nobody_in(cast: Cast) -> None:
    token()
    for rubbish in ("x", "0" * 43, "é", "%00", "a" * 5000):
        assert Client().get(f"/accounts/sign-in/{rubbish}/")["Location"] == "/accounts/login/"


def test_somebody_who_left(database: Database, cast: Cast) -> None:
    spent = token()
    database.ask("UPDATE accounts_user SET is_active = false WHERE email = 'bob@example.com'")
    with pytest.raises(services.LinkSpent):
        services.use_sign_in_link(token=spent, now=NOW)
    with pytest.raises(models.User.DoesNotExist):
        token()
    with pytest.raises(models.User.DoesNotExist):
        token("nobody@example.com")


def test_of_two_at_once_one_wins(cast: Cast) -> None:
    for _ in range(5):
        secret, start, results = token(), threading.Barrier(4), list[str]()

        def click(secret: str = secret, start: threading.Barrier = start, results: list[str] = results) -> None:
            try:
                connection.ensure_connection()
                start.wait()
                services.use_sign_in_link(token=secret, now=NOW)
                results.append("in")
            except services.LinkSpent:
                results.append("spent")
            finally:
                connection.close()

        threads = [threading.Thread(target=click) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(results) == ["in", "spent", "spent", "spent"]
