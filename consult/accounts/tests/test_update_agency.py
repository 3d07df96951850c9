"""An agency's settings: what can be saved, who may, and that nobody's change is lost."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from conftest import Cast, Database
from consult.accounts import queries, services
from consult.core import tenancy
from consult.inbox import services as inbox
from consult.inbox.tests.conftest import Postbox, change_form, postbox  # noqa: F401  a fixture
from tests import worker

PATH = "/a/settings/"


def shown(client: Client, path: str = PATH) -> dict[str, str]:
    """What the form would send when nobody touches it: its fields, and what they showed."""
    page = client.get(path).content.decode()
    found = {}
    for tag in re.findall(r"<input [^>]*>", page.partition("</form>\n<section")[0]):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and name[1] not in ("csrfmiddlewaretoken", "q", "view"):
            found[name[1]] = unescape(value[1]) if value else ""
    for name, options in re.findall(r'<select name="(\w+)".*?>(.*?)</select>', page, re.DOTALL):
        found[name] = unescape(re.search(r'value="([^"]+)" selected', options)[1])  # type: ignore[index]
    return found


def stored(cast: Cast) -> dict[str, Any]:
    with tenancy.agency(cast.a):
        return queries.settings_of(cast.a)


def test_everything_can_be_changed(database: Database, cast: Cast) -> None:
    before = shown(cast.alice.client)
    assert before["name"] == before["initial-name"] == "Agency A"
    answer = cast.alice.client.post(
        PATH,
        {
            **before,
            "name": "Ännchen & Co",
            "slug": "Annchen",
            "time_zone": "Europe/Vienna",
            "currency": "CHF",
            "week_start": "7",
            "sender_name": 'Ännchen "Office"',
            "sender_email": "hello@annchen.example",
        },
    )
    assert answer["Location"] == "/annchen/settings/"
    assert stored(cast) == {
        "name": "Ännchen & Co",
        "slug": "annchen",
        "time_zone": "Europe/Vienna",
        "currency": "CHF",
        "week_start": 7,
        "sender_address": '"Ännchen Office" <hello@annchen.example>',
        "logo": "",
    }
    assert cast.bob.client.get("/a/inbox/").status_code == 404
    assert cast.bob.client.get("/annchen/inbox/").status_code == 200
    [(by, data)] = database.ask("SELECT by_id, data FROM accounts_audit WHERE action = 'accounts.update_agency'")
    assert by == cast.alice.member_id
    assert data["before"]["name"] == "Agency A"
    assert data["after"]["name"] == "Ännchen & Co"
    # The audit keeps what it says for ever, so it names nobody: no name, and of the address what tells it from another.
    assert (data["before"]["sender_address"], data["after"]["sender_address"]) == ("", "h…@annchen.example")
    assert data["before"].keys() == data["after"].keys() == {*stored(cast)} - {"logo"}
    again = shown(cast.alice.client, "/annchen/settings/")
    assert (again["sender_name"], again["sender_email"]) == ("Ännchen Office", "hello@annchen.example")
    # Sent again untouched it changes nothing.
    cast.alice.client.post("/annchen/settings/", again)
    assert database.ask("SELECT count(*) FROM accounts_audit WHERE action = 'accounts.update_agency'") == [(1,)]


def test_who_may(database: Database, cast: Cast) -> None:
    for person, status in ((cast.vera, 403), (cast.bob, 403), (cast.charlie, 404)):
        assert person.client.get(PATH).status_code == status
        assert person.client.post(PATH, {"name": "Mine"}).status_code == status
    assert stored(cast)["name"] == "Agency A"


def test_two_people_who_change_different_things(database: Database, cast: Cast) -> None:
    database.ask("UPDATE accounts_member SET role = 'admin' WHERE id = %s", [cast.bob.member_id])
    alices, bobs = shown(cast.alice.client), shown(cast.bob.client)
    cast.alice.client.post(PATH, {**alices, "currency": "USD"})
    # Bob's page still shows the old currency, which he did not touch.
    cast.bob.client.post(PATH, {**bobs, "name": "Agency of Bob"})
    assert (stored(cast)["currency"], stored(cast)["name"]) == ("USD", "Agency of Bob")
    told = database.ask(
        "SELECT data -> 'after' FROM accounts_audit WHERE action = 'accounts.update_agency' ORDER BY id"
    )
    assert told == [({"currency": "USD"},), ({"name": "Agency of Bob"},)]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 201),
        ("name", "a\0b"),
        ("slug", ""),
        ("slug", "has space"),
        ("slug", "-dash"),
        ("slug", "x" * 41),
        ("slug", "b"),
        ("slug", "accounts"),
        ("time_zone", "Mars/Base"),
        ("time_zone", "../../etc/passwd"),
        ("currency", "XXX"),
        ("currency", "eur"),
        ("week_start", "0"),
        ("week_start", "8"),
        ("week_start", "x"),
        ("sender_name", "A\r\nBcc: all@world.example"),
        ("sender_email", "a@b.example\r\nBcc: all@world.example"),
        ("sender_email", "a@b.example, c@d.example"),
        ("sender_email", "Name <a@b.example>"),
        ("sender_email", "nobody"),
    ],
)
def test_bad_input(cast: Cast, field: str, value: str) -> None:
    before = stored(cast)
    typed = {"name": "A new name", field: value}
    answer = cast.alice.client.post(PATH, {**shown(cast.alice.client), **typed})
    if answer.status_code == 302:  # Django takes line breaks out of one-line fields at their ends alone
        raise AssertionError((field, value, stored(cast)))
    assert answer.status_code == 422
    assert "field-error" in answer.content.decode()
    if field != "name":
        assert 'value="A new name"' in answer.content.decode(), "nothing typed is lost"
    assert stored(cast) == before


def test_the_service_takes_nothing_else(cast: Cast) -> None:
    for changes in ({"closes_at": None}, {"logo": "x"}, {"sender_address": "a@b.example\nBcc: x@y.example"}):
        with pytest.raises(services.BadSetting):
            services.update_agency(agency_id=cast.a, changes=changes, by=None)


def mail_from(database: Database, cast: Cast, box: Postbox) -> Any:
    """Have an enquiry notified, and return the mail."""
    id, _outcome = database.submit(cast.key_a, ("name", f"No. {len(box.arrived)}"), ("email", "ann@visitor.example"))
    change_form(cast, notify_addresses=["team@a.example"])
    inbox.receive_submissions(agency_id=cast.a, submission_ids=[id])
    worker.make_due(database)
    worker.run_jobs(database)
    return box.to("team@a.example")[-1]


def test_mail_says_whom_it_is_from(database: Database, cast: Cast, postbox: Postbox) -> None:  # noqa: F811
    assert mail_from(database, cast, postbox)["From"] == "Consult <consult@localhost>"
    sender = '"Ännchen Office" <hello@annchen.example>'
    services.update_agency(agency_id=cast.a, changes={"sender_address": sender}, by=None)
    assert mail_from(database, cast, postbox)["From"] == "Ännchen Office <hello@annchen.example>"


def test_a_server_that_refuses_the_sender(database: Database, cast: Cast, postbox: Postbox) -> None:  # noqa: F811
    sender = '"Agency A" <hello@a.example>'
    services.update_agency(agency_id=cast.a, changes={"sender_address": sender}, by=None)
    postbox.refuse_from.add("hello@a.example")
    mail = mail_from(database, cast, postbox)
    assert mail["From"] == "Agency A <consult@localhost>"
    # The sender of the enquiry, whom an answer is for.
    assert mail["Reply-To"] == "ann@visitor.example"
    services.invite_member(
        agency_id=cast.a,
        email="new@b.example",
        role="viewer",
        by=cast.alice.member_id,
        now=timezone.now(),
    )
    worker.run_jobs(database)
    assert postbox.to("new@b.example")[0]["Reply-To"] == "Agency A <hello@a.example>"
