"""Mail about a new enquiry, received by a real SMTP server."""

import email
import email.policy
import socket
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection
from django.test import override_settings

from conftest import Cast, Database
from consult.core import tenancy
from consult.inbox import services
from consult.intake import models as intake_models
from tests import worker


class Postbox:
    """Keeps what arrives; refuses everything while `refuse` is set."""

    def __init__(self) -> None:
        self.arrived: list[tuple[list[str], EmailMessage]] = []
        self.refuse = False

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.refuse:
            return "451 Try again later"
        assert isinstance(envelope.content, bytes)
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.arrived.append((envelope.rcpt_tos, message))
        return "250 OK"


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    box = Postbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        with override_settings(
            EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
            EMAIL_HOST="127.0.0.1",
            EMAIL_PORT=port,
            EMAIL_TIMEOUT=5,
        ):
            yield box
    finally:
        controller.stop()


def address(cast: Cast, *addresses: str) -> None:
    with tenancy.agency(cast.a):
        intake_models.Form.objects.filter(id=cast.form_a).update(notify_addresses=list(addresses))


def send(database: Database, cast: Cast, *fields: tuple[str, str]) -> None:
    database.submit(cast.key_a, *fields)
    worker.run_jobs(database)


def test_it_reaches_every_address_once(database: Database, cast: Cast, postbox: Postbox) -> None:
    address(cast, "ann@a.example", "team@a.example")
    send(database, cast, ("name", "Zoë Ångström"), ("message", "Two dozen buns,\nplease: “fresh”"))
    [(to, message)] = postbox.arrived
    assert to == ["ann@a.example", "team@a.example"]
    assert message["Subject"] == "[Site a] Enquiry #1 from Zoë Ångström"
    assert message["Auto-Submitted"] == "auto-generated"
    [(id,)] = database.ask("SELECT id FROM inbox_enquiry")
    assert message["Message-ID"] == f"<enquiry-{id}@consult>"
    body = message.get_content()
    assert "Two dozen buns, please: “fresh”" in body
    assert "http://testserver/a/inbox/1/" in body
    worker.run_jobs(database)
    assert len(postbox.arrived) == 1


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
        database.submit(cast.key_a, ("name", name), ("message", "Hello"))
    worker.run_jobs(database)
    assert len(postbox.arrived) == len(NASTY)
    for to, message in postbox.arrived:
        assert to == ["ann@a.example"]
        assert message.get_all("To") == ["ann@a.example"]
        assert message.get_all("Bcc") is None
        assert message["Subject"].startswith("[Site")
        assert "A body of mine" not in message.get_content()
        known = {"Content-Type", "MIME-Version", "Content-Transfer-Encoding", "Subject", "From", "To", "Date"}
        assert set(message.keys()) <= known | {"Message-ID", "Auto-Submitted", "X-Peer", "X-MailFrom", "X-RcptTo"}


def test_a_server_that_refuses_is_asked_again(database: Database, cast: Cast, postbox: Postbox) -> None:
    address(cast, "ann@a.example")
    postbox.refuse = True
    send(database, cast)
    found = {name: (status, attempts) for name, status, _a, attempts in worker.jobs(database)}
    assert found == {"inbox.receive_submissions": ("succeeded", 1), "inbox.notify_enquiry": ("todo", 1)}
    # The enquiry is there all the same.
    assert cast.bob.client.get("/a/inbox/1/").status_code == 200
    postbox.refuse = False
    worker.make_due(database)
    worker.run_jobs(database)
    assert len(postbox.arrived) == 1


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
        services.notify_enquiry(agency_id=cast.a, enquiry_id=id)
    assert Watching.seen == [(False, None)]
