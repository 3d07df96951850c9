"""Mail on its way out: what may stand in a header, and whom it says it is from."""

import smtplib
from email.utils import formataddr, parseaddr

import structlog
from django.conf import settings
from django.core.mail import EmailMessage

log = structlog.get_logger("consult.mail")


def one_line(text: str, limit: int = 180) -> str:
    """Return a text that can stand in a header: no line break of any kind, not too long."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def send(message: EmailMessage) -> None:
    """Send, outside of any transaction. Raise what the mail library raises.

    A server that does not let us write in the agency's own name gets it once more in ours, under the agency's name and
    with its address to answer to: the mail matters more than its sender.
    """
    try:
        message.send()
    except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
        name, address = parseaddr(message.from_email)
        ours = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
        if address == ours or error.smtp_code < 500:  # "try again later" is no refusal
            raise
        log.warning("sender refused", code=error.smtp_code)
        message.from_email = formataddr((name or address, ours))
        message.reply_to = message.reply_to or [address]
        message.send()
