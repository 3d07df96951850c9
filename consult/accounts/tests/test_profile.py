"""One's own account: name, time zone, address, password, and when one was last here."""

import datetime as dt
import re
import threading
from unittest import mock

import pytest
from django.core import mail
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from conftest import PASSWORD, Cast, Database
from consult.accounts import models, services

NEW = "another horse battery staple"


def code() -> str:
    found = re.search(r"^([A-Z0-9-]{6,})$", str(mail.outbox[-1].body), re.MULTILINE)
    assert found
    return found[1]


def reauthenticate(client: Client) -> None:
    assert client.post("/accounts/reauthenticate/", {"password": PASSWORD}).status_code == 302


def can_sign_in(email: str, password: str = PASSWORD) -> bool:
    answer = Client().post("/accounts/login/", {"login": email, "password": password})
    return answer.get("Location") == "/accounts/agencies/"


def bob(cast: Cast) -> models.User:
    return models.User.objects.get(pk=cast.bob.user_id)


def test_name_and_time_zone(cast: Cast) -> None:
    answer = cast.bob.client.post("/accounts/profile/", {"name": " Bob Müller ", "time_zone": "Europe/Vienna"})
    assert answer["Location"] == "/accounts/"
    assert (bob(cast).name, bob(cast).time_zone) == ("Bob Müller", "Europe/Vienna")
    page = cast.bob.client.get("/accounts/").content.decode()
    assert 'value="Bob Müller"' in page
    assert '<option value="Europe/Vienna" selected>' in page


@pytest.mark.parametrize(
    ("name", "time_zone"),
    [("", "UTC"), ("x" * 201, "UTC"), ("A\nB", "UTC"), ("A\x00B", "UTC"), ("Bob", "Mars/Base"), ("Bob", "")],
)
def test_bad_input_changes_nothing_and_is_kept(cast: Cast, name: str, time_zone: str) -> None:
    answer = cast.bob.client.post("/accounts/profile/", {"name": name, "time_zone": time_zone})
    assert answer.status_code == 422
    assert "Not saved yet" in answer.content.decode()
    assert (bob(cast).name, bob(cast).time_zone) == ("Bob", "UTC")


def test_it_is_for_who_is_signed_in(cast: Cast) -> None:
    for address in ("/accounts/", "/accounts/sessions/", "/accounts/2fa/", "/accounts/passkeys/", "/accounts/github/"):
        assert Client().get(address)["Location"] == f"/accounts/login/?next={address}"
    assert Client().post("/accounts/profile/", {"name": "X", "time_zone": "UTC"}).status_code == 302


def test_a_new_address_counts_once_it_is_verified(database: Database, cast: Cast) -> None:
    reauthenticate(cast.bob.client)
    answer = cast.bob.client.post("/accounts/email/", {"email": " Robert@Example.COM", "action_add": ""})
    assert answer["Location"] == "/accounts/confirm-email/"
    assert mail.outbox[-1].to == ["robert@example.com"]
    assert bob(cast).email == "bob@example.com"
    cast.bob.client.post("/accounts/confirm-email/", {"code": "WRONG1"})
    assert bob(cast).email == "bob@example.com"
    assert cast.bob.client.post("/accounts/confirm-email/", {"code": code()}).status_code == 302
    # Both places say the same, and the old address is told.
    assert bob(cast).email == "robert@example.com"
    rows = database.ask("SELECT email, verified FROM account_emailaddress WHERE user_id = %s", [cast.bob.user_id])
    assert rows == [("robert@example.com", True)]
    assert ["bob@example.com"] in [each.to for each in mail.outbox]
    assert can_sign_in("ROBERT@example.com")
    assert not can_sign_in("bob@example.com")
    assert cast.bob.client.get("/a/inbox/").status_code == 200


def test_somebody_elses_address_cannot_be_taken(database: Database, cast: Cast) -> None:
    reauthenticate(cast.bob.client)
    before = database.ask("SELECT user_id, email, verified FROM account_emailaddress ORDER BY 1")
    cast.bob.client.post("/accounts/email/", {"email": "alice@example.com", "action_add": ""})
    answer = cast.bob.client.post("/accounts/confirm-email/", {"code": code()})
    assert answer.status_code == 200
    assert "belongs to another account" in answer.content.decode()
    assert bob(cast).email == "bob@example.com"
    assert database.ask("SELECT user_id, email, verified FROM account_emailaddress ORDER BY 1") == before


def test_changing_the_address_wants_to_know_that_it_is_oneself(cast: Cast) -> None:
    answer = cast.bob.client.post("/accounts/email/", {"email": "thief@example.com", "action_add": ""})
    assert answer["Location"].startswith("/accounts/reauthenticate/")
    assert mail.outbox == []
    # What was typed goes on after that.
    answer = cast.bob.client.post(answer["Location"], {"password": PASSWORD, "next": "/accounts/email/"})
    assert mail.outbox[-1].to == ["thief@example.com"]


def test_a_new_password(cast: Cast) -> None:
    url = "/accounts/password/change/"
    for given, said in (
        ({"oldpassword": "wrong", "password1": NEW, "password2": NEW}, "not your current password"),
        ({"oldpassword": PASSWORD, "password1": "short", "password2": "short"}, "at least 12 characters"),
        ({"oldpassword": PASSWORD, "password1": NEW, "password2": "other"}, "same password each time"),
    ):
        assert said in cast.bob.client.post(url, given).content.decode()
    assert can_sign_in("bob@example.com")
    answer = cast.bob.client.post(url, {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})
    assert answer["Location"] == "/accounts/"
    assert can_sign_in("bob@example.com", NEW)
    assert not can_sign_in("bob@example.com")
    assert mail.outbox[-1].to == ["bob@example.com"]


def test_a_forgotten_password(cast: Cast) -> None:
    for email in ("BOB@example.com", "nobody@example.com"):
        answer = Client().post("/accounts/password/reset/", {"email": email})
        assert answer["Location"] == "/accounts/password/reset/done/"
    nobody, to_bob = mail.outbox[-1], mail.outbox[-2]
    assert nobody.to == ["nobody@example.com"]
    assert "There is no account" in str(nobody.body)
    assert to_bob.to == ["bob@example.com"]
    found = re.search(r"http://testserver(/accounts/password/reset/key/\S+)", str(to_bob.body))
    assert found
    client = Client()
    form = client.get(found[1])["Location"]
    assert client.post(form, {"password1": NEW, "password2": NEW}).status_code == 302
    assert can_sign_in("bob@example.com", NEW)
    assert "no longer works" in Client().get(found[1], follow=True).content.decode()
    # Whoever was in is out.
    assert cast.bob.client.get("/accounts/").status_code == 302


def test_a_mail_names_our_own_address(cast: Cast) -> None:
    client = Client(headers={"Host": "localhost"})
    client.post("/accounts/password/reset/", {"email": "bob@example.com"})
    assert "http://testserver/accounts/password/reset/key/" in str(mail.outbox[-1].body)


def last_active(cast: Cast) -> dt.datetime | None:
    return bob(cast).last_active_at


def test_being_here_is_written_every_five_minutes(cast: Cast) -> None:
    assert last_active(cast) is None
    cast.bob.client.get("/a/inbox/")
    first = last_active(cast)
    assert first is not None
    with CaptureQueriesContext(connection) as queries:
        cast.bob.client.get("/a/inbox/")
    assert [each["sql"] for each in queries if "last_active_at" in each["sql"] and "UPDATE" in each["sql"]] == []
    assert last_active(cast) == first
    old = first - services.ACTIVE_EVERY
    models.User.objects.filter(pk=cast.bob.user_id).update(last_active_at=old)
    with CaptureQueriesContext(connection) as queries:
        cast.bob.client.get("/a/inbox/")
    assert len([each for each in queries if each["sql"].startswith("UPDATE")]) == 1
    now = last_active(cast)
    assert now is not None
    assert now > old
    # Nobody is asked for where nobody signed in.
    with CaptureQueriesContext(connection) as queries:
        Client().get("/accounts/login/")
    assert not [each for each in queries if "accounts_user" in each["sql"]]


def test_of_many_at_once_one_writes(cast: Cast) -> None:
    now, results, start = dt.datetime.now(dt.UTC), list[bool](), threading.Barrier(4)

    def visit() -> None:
        try:
            connection.ensure_connection()
            start.wait()
            results.append(services.note_active(user_id=cast.bob.user_id, now=now))
        finally:
            connection.close()

    threads = [threading.Thread(target=visit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [False, False, False, True]


def test_a_page_is_not_lost_over_it(cast: Cast) -> None:
    with mock.patch.object(services, "note_active", side_effect=DatabaseError):
        assert cast.bob.client.get("/a/inbox/").status_code == 200
