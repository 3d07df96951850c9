"""A real SMTP server, and forms that write to it."""

import email
import email.policy
import socket
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.test import override_settings

from conftest import Cast
from consult.core import tenancy
from consult.intake import models as intake_models
from tests import imap


class Postbox:
    """Keeps what arrives; refuses what is for an address in `refuse`, everything while that holds `*`."""

    def __init__(self) -> None:
        self.arrived: list[tuple[str, EmailMessage]] = []
        # Of each that arrived: whom the envelope names, to whom it would come back.
        self.senders: list[str] = []
        self.refuse: set[str] = set()
        # Senders that it lets nobody be.
        self.refuse_from: set[str] = set()

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refuse_from:
            return "553 You are not allowed to send for this address"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refuse:
            return "550 No such user, and a secret: hunter2"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if "*" in self.refuse:
            return "451 Try again later"
        assert isinstance(envelope.content, bytes)
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        [address] = envelope.rcpt_tos
        self.arrived.append((address, message))
        self.senders.append(str(envelope.mail_from))
        return "250 OK"

    def to(self, address: str) -> list[EmailMessage]:
        return [message for recipient, message in self.arrived if recipient == address]


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


def change_form(cast: Cast, **values: Any) -> None:
    """Set columns of agency A's form."""
    with tenancy.agency(cast.a):
        intake_models.Form.objects.filter(id=cast.form_a).update(**values)


def text_of(message: EmailMessage, kind: str = "plain") -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


@pytest.fixture
def mailserver() -> Iterator[imap.Server]:
    """A real IMAP server in which nothing lies yet, and leave to connect to it."""
    with imap.running() as server, override_settings(CONSULT_IMAP_NETWORKS=["127.0.0.0/8"]):
        yield server
