"""The settings of the mailbox and of the hook, on the page and over the API."""

import datetime as dt
from pathlib import Path

import pytest
from django.test import override_settings

from conftest import Cast, Database, Enquiry
from consult.core import encryption
from consult.inbox import queries, services
from consult.inbox.tests.test_fetch_mails import connect, fetch
from consult.inbox.tests.test_receive_mail import mail, post
from tests import api, worker
from tests import imap as server

PAGE = "/a/settings/replies/mailbox/"


def typed(mailserver: server.Server, **values: str) -> dict[str, str]:
    return {
        "address": server.USER,
        "plus": "on",
        "host": "127.0.0.1",
        "port": str(mailserver.port),
        "security": "plain",
        "user": server.USER,
        "password": server.PASSWORD,
        "folder": "INBOX",
        **values,
    }


def test_it_is_connected_on_its_page(database: Database, cast: Cast, mailserver: server.Server) -> None:
    assert "Connect a mailbox" in cast.alice.client.get("/a/settings/replies/").content.decode()
    assert cast.bob.client.get(PAGE).status_code == 403
    answer = cast.alice.client.post(PAGE, typed(mailserver))
    assert answer.status_code == 302
    assert "Being tried" in cast.alice.client.get(PAGE).content.decode()
    worker.run_jobs(database)
    page = cast.alice.client.get(PAGE).content.decode()
    assert "Connected" in page
    assert server.PASSWORD not in page
    assert server.USER in cast.bob.client.get("/a/settings/replies/").content.decode()
    assert cast.alice.client.post(f"{PAGE}disconnect/").status_code == 302
    assert database.ask("SELECT count(*) FROM inbox_mailbox") == [(0,)]
    actions = database.ask("SELECT action FROM accounts_audit WHERE action LIKE '%%mailbox' ORDER BY id", [])
    assert actions == [("inbox.connect_mailbox",), ("inbox.disconnect_mailbox",)]


def test_what_is_wrong_stands_beside_its_field(database: Database, cast: Cast, mailserver: server.Server) -> None:
    for values, text in (
        ({"address": "no address"}, "This is no e-mail address."),
        ({"host": "imap.example/../x"}, "This is no name of a server"),
        ({"port": "0"}, "greater than or equal to 1"),
        ({"password": ""}, "Type the password"),
        ({"folder": "a\nb"}, "It holds signs that no mailbox has."),
    ):
        answer = cast.alice.client.post(PAGE, typed(mailserver, **values))
        assert answer.status_code == 422, values
        page = answer.content.decode()
        assert text in page, values
        assert f'value="{server.USER}"' in page
    assert database.ask("SELECT count(*) FROM inbox_mailbox") == [(0,)]


def test_what_stays_broken_is_shown_where_everybody_looks(
    database: Database, cast: Cast, mailserver: server.Server
) -> None:
    connect(database, cast, mailserver, password="wrong")
    assert "has not been fetched" not in cast.vera.client.get("/a/attention/").content.decode()
    database.ask("UPDATE inbox_mailbox SET failed_at = now() - interval '20 minutes'")
    page = cast.vera.client.get("/a/attention/").content.decode()
    assert "has not been fetched for 20" in page.replace("\xa0", " ")
    assert "refuses this user name and password" in page
    connect(database, cast, mailserver)
    assert "has not been fetched" not in cast.vera.client.get("/a/attention/").content.decode()


def test_programs_connect_it(database: Database, cast: Cast, mailserver: server.Server, tmp_path: Path) -> None:
    program = api.of_member(cast.a, cast.alice.member_id, ("manage",))
    said = {**typed(mailserver), "plus": True, "port": mailserver.port}
    told = api.told(program.call("PUT", "/api/v1/mailbox", said))
    assert (told["address"], told["error"], told["checked_at"]) == (server.USER, "", None)
    assert "password" not in str(told)
    worker.run_jobs(database)
    assert api.told(program.get("/api/v1/mailbox"))["checked_at"]
    assert program.call("PUT", "/api/v1/mailbox", {**said, "folder": "a\r\nb"}).status_code == 422
    assert program.call("PUT", "/api/v1/mailbox", {**said, "host": "other.example", "password": ""}).status_code == 422
    assert program.call("POST", "/api/v1/mailbox/check", None).status_code == 202
    assert program.call("DELETE", "/api/v1/mailbox", None).status_code == 204
    assert program.get("/api/v1/mailbox").status_code == 404


def test_another_key_seals_its_password_again(database: Database, cast: Cast, mailserver: server.Server) -> None:
    from django.conf import settings

    connect(database, cast, mailserver)
    [place] = [each for each in encryption.PLACES if each.isolated]
    new = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMzQ="
    with override_settings(CONSULT_ENCRYPTION_KEYS=[new, *settings.CONSULT_ENCRYPTION_KEYS]):
        assert [encryption.reseal(place, agency_id=cast.a) for _ in range(2)] == [1, 0]
        assert list(encryption.in_use([cast.a, cast.b])["inbox_mailbox.password_sealed"].values()) == [1]
    with override_settings(CONSULT_ENCRYPTION_KEYS=[new]):
        fetch(database, cast)
        assert database.ask("SELECT error FROM inbox_mailbox") == [("",)]
    fetch(database, cast)
    assert database.ask("SELECT error FROM inbox_mailbox") == [("password",)]


@override_settings(CONSULT_MAIL_INBOUND="inbox@in.example")
def test_the_hooks_secret_is_renewed(
    database: Database, cast: Cast, enquiry: Enquiry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(secret: str) -> int:
        return int(post(cast, mail("team@a.example").as_bytes(), secret=secret).status_code)

    with override_settings(CONSULT_FILES_URL=tmp_path.as_uri()):
        first = queries.hook(cast.a)[1]
        assert cast.bob.client.post("/a/settings/replies/hook/renew/").status_code == 403
        assert cast.alice.client.post("/a/settings/replies/hook/renew/").status_code == 302
        second = queries.hook(cast.a)[1]
        assert second in cast.alice.client.get("/a/settings/replies/").content.decode()
        assert second not in cast.bob.client.get("/a/settings/replies/").content.decode()
        # For a day the mail server may still use the one before.
        assert (told(first), told(second)) == (202, 202)
        database.ask("UPDATE inbox_hook SET renewed_at = renewed_at - interval '25 hours'")
        assert (told(first), told(second)) == (401, 202)
        now = dt.datetime.now(dt.UTC)
        for _ in range(2):
            services.renew_hook(agency_id=cast.a, by=None, now=now)
        assert told(second) == 401
        # Nobody else's changed.
        assert len(queries.hook_secrets(cast.b)) == 1
