"""Taking a place: who gets it, who does not, and what each of them is told."""

import datetime as dt
import re
import threading

import pytest
from django.core import mail
from django.db import connection
from django.test import Client

from conftest import Cast, Database, Person
from consult.accounts import models, queries, services
from consult.core import tenancy
from tests import worker

NOW = dt.datetime.now(dt.UTC)


def invite(database: Database, cast: Cast, email: str = "charlie@example.com", role: str = "member") -> str:
    """Invite somebody into agency A; return the link's path."""
    services.invite_member(agency_id=cast.a, email=email, role=role, by=cast.alice.member_id, now=NOW)
    worker.run_jobs(database)
    found = re.search(r"/accounts/invitations/\S+/", str(mail.outbox[-1].body))
    assert found
    return found[0]


def places(cast: Cast, person: Person) -> list[tuple[str, str]]:
    return [(place.slug, place.role) for place in queries.memberships(person.user_id)]


def test_it_gives_a_place(database: Database, cast: Cast) -> None:
    link = invite(database, cast)
    page = cast.charlie.client.get(link).content.decode()
    assert "You are signed in as Charlie (charlie@example.com)" in page
    assert places(cast, cast.charlie) == [("b", "owner")], "looking at it takes nothing"
    answer = cast.charlie.client.post(link, follow=True)
    assert answer.redirect_chain == [("/a/inbox/", 302)]
    assert "Welcome to Agency A." in answer.content.decode()
    assert places(cast, cast.charlie) == [("a", "member"), ("b", "owner")]
    [(by, subject, data)] = database.ask(
        "SELECT by_id, subject_id, data FROM accounts_audit WHERE action = 'accounts.accept_invitation'"
    )
    assert by == subject
    assert data["role"] == "member"
    # Once more: in already, and for anybody else it is used up.
    assert "You are in Agency A already" in cast.charlie.client.get(link).content.decode()
    assert cast.charlie.client.post(link)["Location"] == "/a/inbox/"
    answer = Client().get(link)
    assert (answer.status_code, "was used already" in answer.content.decode()) == (410, True)


def test_who_is_not_signed_in(database: Database, cast: Cast) -> None:
    link = invite(database, cast, "ann@new.example")
    client = Client()
    answer = client.get(link)
    page = answer.content.decode()
    assert f'href="/accounts/login/?next={link}"' in page
    assert f'href="/accounts/signup/?next={link}"' in page
    assert "no-store" in answer["Cache-Control"]
    assert client.session["invitation"] == link
    assert client.session["account_verified_email"] == "ann@new.example"
    # A POST is no way round it.
    assert client.post(link).status_code == 200
    assert database.ask("SELECT count(*) FROM accounts_member") == [(4,)]
    # Signing in leads back.
    for table in ("accounts_user", "account_emailaddress"):
        database.ask(f"UPDATE {table} SET email = 'ann@new.example' WHERE email = 'charlie@example.com'")  # noqa: S608
    answer = client.post(
        f"/accounts/login/?next={link}",
        {"login": "ann@new.example", "password": "correct horse battery staple", "next": link},
    )
    assert answer["Location"] == link


def test_a_forwarded_link_is_nobodys(database: Database, cast: Cast) -> None:
    link = invite(database, cast, "ann@new.example", role="admin")
    page = cast.charlie.client.get(link)
    assert page.status_code == 200
    assert "charlie@example.com" in page.content.decode()
    assert "Sign out and come back here" in page.content.decode()
    assert cast.charlie.client.post(link).status_code == 403
    assert places(cast, cast.charlie) == [("b", "owner")]
    # Signing out there leads back.
    answer = cast.charlie.client.post("/accounts/logout/", {"next": link})
    assert answer["Location"] == link


def test_another_address_of_theirs(database: Database, cast: Cast) -> None:
    link = invite(database, cast, "ann@new.example")
    database.ask(
        'INSERT INTO account_emailaddress (email, verified, "primary", user_id) VALUES (%s, false, false, %s)',
        ["ann@new.example", cast.charlie.user_id],
    )
    assert cast.charlie.client.post(link).status_code == 403, "said, not proved"
    database.ask("UPDATE account_emailaddress SET verified = true")
    assert cast.charlie.client.post(link).status_code == 302


def test_who_was_there_before_has_the_same_place(database: Database, cast: Cast) -> None:
    services.remove_member(
        agency_id=cast.a, member_id=cast.bob.member_id, by=cast.alice.member_id, by_role="owner", now=NOW
    )
    assert cast.bob.client.get("/a/inbox/").status_code == 404
    link = invite(database, cast, "bob@example.com", role="viewer")
    assert cast.bob.client.post(link).status_code == 302
    assert [(place.member_id, place.role) for place in queries.memberships(cast.bob.user_id)] == [
        (cast.bob.member_id, "viewer")
    ]
    assert cast.bob.client.get("/a/inbox/").status_code == 200


def test_who_is_there_keeps_their_role(database: Database, cast: Cast) -> None:
    link = invite(database, cast, "ann@new.example", role="viewer")
    # Bob's address became the invited one after he had come in by another way.
    database.ask("UPDATE accounts_user SET email = 'ann@new.example' WHERE email = 'bob@example.com'")
    assert "You are in Agency A already" in cast.bob.client.get(link).content.decode()
    assert cast.bob.client.post(link).status_code == 302
    assert places(cast, cast.bob) == [("a", "member")]


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("expires_at", NOW - dt.timedelta(seconds=1), "has expired"),
        ("revoked_at", NOW, "was taken back"),
        ("accepted_at", NOW, "was used already"),
    ],
)
def test_what_cannot_be_taken_any_more(
    database: Database, cast: Cast, column: str, value: dt.datetime, words: str
) -> None:
    link = invite(database, cast)
    database.ask(f"UPDATE accounts_invitation SET {column} = %s", [value])  # noqa: S608  named above
    for client in (Client(), cast.charlie.client):
        for answer in (client.get(link), client.post(link)):
            assert (answer.status_code, words in answer.content.decode()) == (410, True)
    assert places(cast, cast.charlie) == [("b", "owner")]


def test_rubbish_leads_nowhere(cast: Cast) -> None:
    for rubbish in ("x", "0" * 43, "é", "%00", "a" * 5000):
        for client in (Client(), cast.charlie.client):
            for answer in (
                client.get(f"/accounts/invitations/{rubbish}/"),
                client.post(f"/accounts/invitations/{rubbish}/"),
            ):
                assert answer.status_code == 404
                assert "leads to no invitation" in answer.content.decode()


def test_whoever_lost_the_right_to_invite(database: Database, cast: Cast) -> None:
    database.ask("UPDATE accounts_member SET role = 'admin' WHERE id = %s", [cast.bob.member_id])
    services.invite_member(agency_id=cast.a, email="charlie@example.com", role="admin", by=cast.bob.member_id, now=NOW)
    services.change_role(
        agency_id=cast.a, member_id=cast.bob.member_id, role="member", by=cast.alice.member_id, by_role="owner", now=NOW
    )
    with tenancy.agency(cast.a):
        assert queries.open_invitations(cast.a, NOW) == []
    assert database.ask("SELECT count(*) FROM accounts_audit WHERE action = 'accounts.revoke_invitation'") == [(1,)]


def test_two_clicks_at_once_give_one_place(database: Database, cast: Cast) -> None:
    token = invite(database, cast).split("/")[-2]
    start, seen = threading.Barrier(3), list[str]()

    def click() -> None:
        try:
            connection.ensure_connection()
            start.wait()
            seen.append(services.accept_invitation(token=token, user_id=cast.charlie.user_id, now=NOW))
        finally:
            connection.close()

    threads = [threading.Thread(target=click) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == ["a", "a", "a"]
    assert places(cast, cast.charlie) == [("a", "member"), ("b", "owner")]
    assert database.ask("SELECT count(*) FROM accounts_audit WHERE action = 'accounts.accept_invitation'") == [(1,)]


def test_somebody_who_may_not_sign_in_any_more(database: Database, cast: Cast) -> None:
    token = invite(database, cast).split("/")[-2]
    database.ask("UPDATE accounts_user SET is_active = false WHERE id = %s", [cast.charlie.user_id])
    with pytest.raises(models.User.DoesNotExist):
        services.accept_invitation(token=token, user_id=cast.charlie.user_id, now=NOW)
