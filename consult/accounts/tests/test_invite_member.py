"""Inviting, sending again, taking back: who may, what arrives, and which link works."""

import datetime as dt
import re
import threading

import pytest
from django.db import connection
from django.test import Client

from conftest import Cast, Database
from consult.accounts import queries, services
from consult.core import tenancy
from consult.inbox.tests.conftest import Postbox, postbox, text_of  # noqa: F401  a fixture
from tests import worker

INVITE = "/a/settings/people/invite/"
ANN = {"email": "Ann@New.example", "role": "member", "days": "7"}
NOW = dt.datetime.now(dt.UTC)


def rows(database: Database) -> list[tuple[str, str, bool, bool]]:
    return database.ask(
        "SELECT email, role, sent_at IS NOT NULL, revoked_at IS NOT NULL FROM accounts_invitation ORDER BY created_at"
    )


def links(box: Postbox, address: str) -> list[str]:
    """The paths of the links that arrived there, the oldest first."""
    return [re.search(r"/accounts/invitations/\S+/", text_of(mail))[0] for mail in box.to(address)]  # type: ignore[index]


def test_it_arrives(database: Database, cast: Cast, postbox: Postbox) -> None:  # noqa: F811
    answer = cast.alice.client.post(INVITE, ANN, follow=True)
    assert "The invitation to Ann@New.example is on its way." in answer.content.decode()
    assert "Being sent" in answer.content.decode()
    # What is in the queue and in the table leads nowhere.
    [(_name, _status, arguments, _tries)] = worker.jobs(database)
    assert arguments.keys() == {"agency_id", "request_id", "invitation_id"}
    worker.run_jobs(database)
    [mail] = postbox.to("ann@new.example")
    assert mail["Subject"] == "An invitation to work together"
    assert "Alice invites you to Agency A." in text_of(mail)
    assert mail["Auto-Submitted"] == "auto-generated"
    [link] = links(postbox, "ann@new.example")
    assert f'href="http://testserver{link}"' in text_of(mail, "html")
    [(stored,)] = database.ask("SELECT token_hash FROM accounts_invitation")
    assert stored not in link
    page = Client().get(link).content.decode()
    for told in ("Agency A", "Alice", "ann@new.example", "Member"):
        assert told in page
    [(data,)] = database.ask("SELECT data FROM accounts_audit WHERE action = 'accounts.invite_member'")
    assert data == {"role": "member", "days": 7}, "the audit names nobody's address"
    # The job of a killed worker runs again.
    [(id,)] = database.ask("SELECT id FROM accounts_invitation")
    services.send_invitation(agency_id=cast.a, invitation_id=id)
    assert len(postbox.to("ann@new.example")) == 1


def test_who_may(database: Database, cast: Cast) -> None:
    for person, status in ((cast.vera, 403), (cast.bob, 403), (cast.charlie, 404)):
        assert person.client.post(INVITE, ANN).status_code == status
    assert cast.stranger.post(INVITE, ANN).status_code == 302
    assert rows(database) == []
    database.ask("UPDATE accounts_member SET role = 'admin' WHERE id = %s", [cast.bob.member_id])
    assert cast.bob.client.post(INVITE, ANN).status_code == 302
    # An admin makes no owner, by the form or past it.
    page = cast.bob.client.post(INVITE, {**ANN, "role": "owner"})
    assert page.status_code == 422
    with pytest.raises(services.NotYours):
        services.invite_member(agency_id=cast.a, email="x@y.example", role="owner", by=cast.bob.member_id, now=NOW)
    assert cast.alice.client.post(INVITE, {**ANN, "email": "o@new.example", "role": "owner"}).status_code == 302
    # Nor does an admin touch an owner's invitation.
    [(id,)] = database.ask("SELECT id FROM accounts_invitation WHERE role = 'owner'")
    for act in ("resend", "revoke"):
        assert cast.bob.client.post(f"/a/settings/invitations/{id}/{act}/").status_code == 403
    assert cast.bob.client.post(INVITE, {**ANN, "email": "o@new.example"}).status_code == 422
    assert rows(database)[1][1] == "owner"


def test_bad_input(database: Database, cast: Cast) -> None:
    for wrong in (
        {"email": ""},
        {"email": "no address"},
        {"email": "a@b.example\r\nBcc: all@world.example"},
        {"email": "a@b.example, c@d.example"},
        {"email": "a\0@b.example"},
        {"email": "ä@b.example"},
        {"email": "x" * 300 + "@b.example"},
        {"role": "king"},
        {"days": "8"},
        {"days": "x"},
    ):
        answer = cast.alice.client.post(INVITE, {**ANN, **wrong})
        assert answer.status_code == 422, wrong
        assert "field-error" in answer.content.decode()
    page = cast.alice.client.post(INVITE, {**ANN, "email": "not@this@one"}).content.decode()
    assert 'value="not@this@one"' in page, "nothing typed is lost"
    page = cast.alice.client.post(INVITE, {**ANN, "email": "BOB@example.com"}).content.decode()
    assert "is in the agency already" in page
    assert rows(database) == []
    for days in (0, 31):
        with pytest.raises(services.BadInvitation):
            services.invite_member(
                agency_id=cast.a, email="x@y.example", role="viewer", by=cast.alice.member_id, now=NOW, days=days
            )


def test_a_new_link_kills_the_old_one(database: Database, cast: Cast, postbox: Postbox) -> None:  # noqa: F811
    cast.alice.client.post(INVITE, ANN)
    worker.run_jobs(database)
    [(id,)] = database.ask("SELECT id FROM accounts_invitation")
    [first] = links(postbox, "ann@new.example")
    cast.alice.client.post(f"/a/settings/invitations/{id}/resend/")
    # At once, not only when the next mail has gone out.
    assert Client().get(first).status_code == 404
    worker.run_jobs(database)
    [_first, second] = links(postbox, "ann@new.example")
    assert Client().get(second).status_code == 200
    # Invited once more, as something else: the same invitation, another link.
    cast.alice.client.post(INVITE, {**ANN, "role": "viewer", "days": "1"})
    assert Client().get(second).status_code == 404
    worker.run_jobs(database)
    assert rows(database) == [("ann@new.example", "viewer", True, False)]
    third = links(postbox, "ann@new.example")[2]
    cast.alice.client.post(f"/a/settings/invitations/{id}/revoke/")
    answer = Client().get(third)
    assert (answer.status_code, "was taken back" in answer.content.decode()) == (410, True)
    # What is taken back is gone from the page, and neither acts twice nor is anybody else's.
    page = cast.alice.client.post(f"/a/settings/invitations/{id}/resend/", follow=True).content.decode()
    assert "This invitation is not open any more" in page
    assert "Open invitations" not in page
    cast.charlie.client.post(f"/b/settings/invitations/{id}/resend/")
    assert database.ask("SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'") == [(0,)]


def test_a_mail_server_that_is_away(database: Database, cast: Cast, postbox: Postbox) -> None:  # noqa: F811
    postbox.refuse.add("*")
    cast.alice.client.post(INVITE, ANN)
    worker.run_jobs(database)
    assert rows(database) == [("ann@new.example", "member", False, False)]
    postbox.refuse.clear()
    worker.make_due(database)
    worker.run_jobs(database)
    [link] = links(postbox, "ann@new.example")
    assert Client().get(link).status_code == 200
    assert rows(database) == [("ann@new.example", "member", True, False)]


def test_an_agencys_name_stays_in_its_header(database: Database, cast: Cast, postbox: Postbox) -> None:  # noqa: F811
    database.ask("UPDATE accounts_agency SET name = E'A\\r\\nBcc: all@world.example' WHERE slug = 'a'")
    cast.alice.client.post(INVITE, ANN)
    worker.run_jobs(database)
    [mail] = postbox.to("ann@new.example")
    assert mail["Bcc"] is None
    assert "world.example" not in str(mail["Subject"])


def test_nobody_sends_mail_in_any_name_to_anybody(database: Database, cast: Cast, postbox: Postbox) -> None:  # noqa: F811
    database.ask("UPDATE accounts_agency SET sender_address = 'Bank <service@bank.example>' WHERE slug = 'a'")
    for number in range(services.MOST_A_DAY):
        services.invite_member(
            agency_id=cast.a, email=f"{number}@new.example", role="viewer", by=cast.alice.member_id, now=NOW
        )
    with pytest.raises(services.TooManyInvitations):
        services.invite_member(
            agency_id=cast.a, email="more@new.example", role="viewer", by=cast.alice.member_id, now=NOW
        )
    page = cast.alice.client.post(INVITE, ANN).content.decode()
    assert "as many invitations as an agency may send" in page
    worker.run_jobs(database)
    [mail] = postbox.to("0@new.example")
    assert "bank.example" not in str(mail["From"])
    assert mail["Reply-To"] == "Bank <service@bank.example>"


def test_two_at_once_make_one(database: Database, cast: Cast) -> None:
    start, seen = threading.Barrier(2), list[object]()

    def invite() -> None:
        try:
            connection.ensure_connection()
            start.wait()
            seen.append(
                services.invite_member(
                    agency_id=cast.a, email="ann@new.example", role="member", by=cast.alice.member_id, now=NOW
                )
            )
        finally:
            connection.close()

    threads = [threading.Thread(target=invite) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 2
    assert len(set(seen)) == 1
    with tenancy.agency(cast.a):
        assert len(queries.open_invitations(cast.a, NOW)) == 1
