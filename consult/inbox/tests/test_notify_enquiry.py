"""Mail about a new enquiry, received by a real SMTP server."""

import json
from typing import Any

import pytest
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection
from django.test import override_settings

from conftest import Cast, Database
from consult.core import tenancy
from consult.core.tests.lines import captured
from consult.inbox import services
from consult.inbox.tests.conftest import Postbox, change_form, text_of
from consult.intake import models as intake_models
from tests import worker


def address(cast: Cast, *addresses: str) -> None:
    change_form(cast, notify_addresses=list(addresses))


def send(database: Database, cast: Cast, *fields: tuple[str, str], **meta: Any) -> None:
    database.submit(cast.key_a, *fields, **meta)
    worker.run_jobs(database)


def ledger(database: Database) -> list[tuple[str, str, dict[str, Any]]]:
    return database.ask("SELECT kind, address, detail FROM inbox_delivery WHERE kind <> 'opened' ORDER BY at, id")


def test_it_reaches_every_address_once(database: Database, cast: Cast, postbox: Postbox) -> None:
    address(cast, "ann@a.example", "team@a.example", "ann@a.example")
    send(
        database,
        cast,
        ("message", "Two dozen buns,\nplease: “fresh”"),
        ("beans", "house"),
        ("name", "Zoë Ångström"),
        ("beans", "espresso"),
        page_url="https://a.example/contact",
    )
    assert sorted(to for to, _message in postbox.arrived) == ["ann@a.example", "team@a.example"]
    [message] = postbox.to("ann@a.example")
    assert message["To"] == "ann@a.example"
    assert message["Subject"] == "[Site a] Enquiry #1 from Zoë Ångström"
    assert message["Auto-Submitted"] == "auto-generated"
    [(receipt,)] = database.ask("SELECT receipt FROM intake_submission")
    assert message["Message-ID"].endswith("@testserver>")
    assert len({each["Message-ID"] for _to, each in postbox.arrived}) == 2
    shown = (
        "Zoë Ångström",
        "Two dozen buns,\nplease: “fresh”",
        "house, espresso",
        "http://testserver/a/inbox/1/",
        "Site a",
        "https://a.example/contact",
        f"{receipt[:4]}-{receipt[4:8]}-{receipt[8:]}",
    )
    for body in (text_of(message), text_of(message, "html")):
        for part in shown:
            assert part in body.replace("\r\n", "\n"), part
        # The form asks for the name first; what it does not ask for comes last.
        assert body.index("Zoë") < body.index("Two dozen") < body.index("espresso")
    worker.run_jobs(database)
    assert len(postbox.arrived) == 2


def test_the_answer_goes_to_the_sender(database: Database, cast: Cast, postbox: Postbox) -> None:
    address(cast, "ann@a.example")
    for sender in (
        "zoe@visitor.example",
        "zoe@bücher.example",
        "zoe@visitor.example, all@evil.example",
        "zoe@visitor.example\r\nBcc: all@evil.example",
        "Zoe <zoe@visitor.example>",
        "@",
    ):
        database.submit(cast.key_a, ("email", sender), ("message", f"I am {sender}"))
    worker.run_jobs(database)
    assert [message["Reply-To"] for _to, message in postbox.arrived] == [
        "zoe@visitor.example",
        "zoe@xn--bcher-kva.example",
        None,
        None,
        None,
        None,
    ]


def test_what_the_sender_wrote_is_text(database: Database, cast: Cast, postbox: Postbox) -> None:
    address(cast, "ann@a.example")
    send(database, cast, ("message", "<script>alert(1)</script>{{ 7|add:7 }} & <b>"), ("<i>", "x"))
    [(_to, message)] = postbox.arrived
    assert "<script>alert(1)</script>{{ 7|add:7 }} & <b>" in text_of(message)
    html = text_of(message, "html")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{ 7|add:7 }} &amp; &lt;b&gt;" in html
    assert "<script" not in html
    assert "<i>" not in html


def test_a_long_subject_stays_one_line(database: Database, cast: Cast, postbox: Postbox) -> None:
    address(cast, "ann@a.example")
    send(database, cast, ("subject", "Größe " * 200), ("name", "n" * 300), ("message", "Hello"))
    [(_to, message)] = postbox.arrived
    assert message["Subject"].strip().startswith("[Site a] #1 Größe Größe")
    assert len(message["Subject"].strip()) <= 180


def test_nobody_to_notify(database: Database, cast: Cast, postbox: Postbox) -> None:
    send(database, cast)
    assert postbox.arrived == []
    assert {status for _n, status, _a, _t in worker.jobs(database)} == {"succeeded"}


NASTY = (
    "Ann\r\nBcc: all@evil.example",
    "Ann\nTo: all@evil.example\n\nA body of mine",
    "Ann\u2028Bcc: all@evil.example",
    "Ann\x0b\x0c\x1c\x85Bcc: all@evil.example",
    "=?utf-8?q?Bcc:_all=40evil.example?=",
    "x" * 200,
)


@pytest.mark.parametrize("site", ["Site a", "Site\r\nBcc: all@evil.example"])
def test_a_name_cannot_add_headers(database: Database, cast: Cast, postbox: Postbox, site: str) -> None:
    address(cast, "ann@a.example")
    with tenancy.agency(cast.a):
        intake_models.Site.objects.update(name=site)
    for name in NASTY:
        database.submit(cast.key_a, ("name", name), ("subject", name), ("message", "Hello"))
    worker.run_jobs(database)
    assert len(postbox.arrived) == len(NASTY)
    for to, message in postbox.arrived:
        assert to == "ann@a.example"
        assert message.get_all("To") == ["ann@a.example"]
        assert message.get_all("Bcc") is None
        assert message["Subject"].strip().startswith("[Site")
        known = {"Content-Type", "MIME-Version", "Content-Transfer-Encoding", "Subject", "From", "To", "Date"}
        assert set(message.keys()) <= known | {"Message-ID", "Auto-Submitted", "X-Peer", "X-MailFrom", "X-RcptTo"}


def test_a_server_that_refuses_is_asked_again(database: Database, cast: Cast, postbox: Postbox) -> None:
    address(cast, "ann@a.example", "team@a.example")
    postbox.refuse = {"ann@a.example"}
    send(database, cast)
    found = [
        (arguments["address"], status, attempts)
        for name, status, arguments, attempts in worker.jobs(database)
        if name == "inbox.notify_enquiry"
    ]
    # Each address for itself: the other one has its mail, once.
    assert found == [("ann@a.example", "todo", 1), ("team@a.example", "succeeded", 1)]
    failed = {"of": "notified", "error": "recipient_refused", "code": 550}
    assert ("failed", "ann@a.example", failed) in ledger(database)
    page = cast.bob.client.get("/a/inbox/1/").content.decode()
    assert "Could not reach ann@a.example: the mail server takes nothing for this address (550)" in page
    assert "Notified team@a.example" in page
    postbox.refuse = set()
    worker.make_due(database)
    worker.run_jobs(database)
    assert sorted(to for to, _message in postbox.arrived) == ["ann@a.example", "team@a.example"]
    told = [(kind, whom) for kind, whom, _detail in ledger(database)]
    assert told[-1] == ("notified", "ann@a.example")


def test_no_secret_and_no_address_is_logged(database: Database, cast: Cast, postbox: Postbox) -> None:
    address(cast, "ann@a.example")
    postbox.refuse = {"ann@a.example"}
    with captured("json") as read:
        send(database, cast)
        lines = [line for line in read().splitlines() if json.loads(line)["logger"] == "consult.job"]
    assert "NotSent: recipient_refused 550" in str(lines)
    for secret in ("hunter2", "ann@a.example"):
        assert secret not in str(lines)
    assert "hunter2" not in str(ledger(database))
    assert "hunter2" not in cast.bob.client.get("/a/inbox/1/").content.decode()


def test_every_failure_of_one_kind_is_one_line(database: Database, cast: Cast, postbox: Postbox) -> None:
    address(cast, "ann@a.example")
    postbox.refuse = {"*"}
    send(database, cast)
    for _ in range(3):
        worker.make_due(database)
        worker.run_jobs(database)
    page = cast.bob.client.get("/a/inbox/1/").content.decode()
    assert page.count("Could not reach ann@a.example") == 1
    assert "the mail server refused the message (451), 4 tries" in page


def test_a_second_run_sends_nothing(database: Database, cast: Cast, postbox: Postbox) -> None:
    """The worker was killed after it had sent, and before the queue knew."""
    address(cast, "ann@a.example")
    send(database, cast)
    [(id,)] = database.ask("SELECT id FROM inbox_enquiry")
    services.notify_enquiry(agency_id=cast.a, enquiry_id=id, address="ann@a.example")
    assert len(postbox.arrived) == 1
    # Killed before that was written as well: the same message comes twice, and can be told.
    database.ask("DELETE FROM inbox_delivery WHERE kind = 'notified'")
    services.notify_enquiry(agency_id=cast.a, enquiry_id=id, address="ann@a.example")
    assert len({message["Message-ID"] for _to, message in postbox.arrived}) == 1
    assert [kind for kind, *_rest in ledger(database)].count("notified") == 1


class Watching(BaseEmailBackend):
    """Looks at what is held open while mail goes out."""

    seen: list[tuple[bool, int | None]] = []

    def send_messages(self, email_messages: Any) -> int:
        self.seen.append((connection.in_atomic_block, tenancy.current()))
        return len(email_messages)


def test_no_transaction_is_held_open_meanwhile(database: Database, cast: Cast) -> None:
    address(cast, "ann@a.example")
    submission_id, _outcome = database.submit(cast.key_a)
    services.receive_submissions(agency_id=cast.a, submission_ids=[submission_id])
    [(id,)] = database.ask("SELECT id FROM inbox_enquiry")
    with override_settings(EMAIL_BACKEND=f"{__name__}.Watching"):
        services.notify_enquiry(agency_id=cast.a, enquiry_id=id, address="ann@a.example")
    assert Watching.seen == [(False, None)]
