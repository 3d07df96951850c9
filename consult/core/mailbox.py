"""Mail on a development machine: kept as files instead of sent, and shown on a page. Production has neither."""

import dataclasses
import datetime as dt
import email
import ipaddress
import os
import re
import secrets
import time
from collections.abc import Sequence
from email import policy
from email.message import EmailMessage as Parsed
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET

KEPT = 300
NAME = re.compile(r"\d{20}-[0-9a-f]{8}")
SHOWN = ("From", "To", "Cc", "Reply-To", "Subject", "Date")
# Whatever a mail's HTML says: no script, no request, no form, no frame but ours.
HTML_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"


class Folder(BaseEmailBackend):
    """Writes each mail into CONSULT_MAILBOX: whole or not at all, the latest 300."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        folder = _folder()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for message in email_messages:
            # As many digits for ever: names sort by time.
            target = folder / f"{time.time_ns():020d}-{secrets.token_hex(4)}.eml"
            unfinished = target.with_suffix(".part")
            unfinished.write_bytes(message.message().as_bytes())
            os.replace(unfinished, target)
        for old in _files()[KEPT:]:
            old.unlink(missing_ok=True)
        return len(email_messages)


@dataclasses.dataclass(frozen=True)
class Mail:
    """A mail as the page shows it."""

    name: str
    at: dt.datetime
    headers: list[tuple[str, str]]
    subject: str
    sender: str
    to: str
    text: str
    html: str
    attachments: list[str]


def _folder() -> Path:
    return Path(settings.CONSULT_MAILBOX or "")


def _files() -> list[Path]:
    return sorted((file for file in _folder().glob("*.eml") if NAME.fullmatch(file.stem)), reverse=True)


def _read(file: Path) -> Mail | None:
    """None when it has gone meanwhile."""
    try:
        message = email.message_from_bytes(file.read_bytes(), _class=Parsed, policy=policy.default)
    except FileNotFoundError:
        return None
    parts = {kind: message.get_body((kind,)) for kind in ("plain", "html")}
    return Mail(
        name=file.stem,
        at=dt.datetime.fromtimestamp(int(file.stem.partition("-")[0]) / 1e9, dt.UTC),
        headers=[(name, str(message[name])) for name in SHOWN if message[name]]
        + [(name, str(value)) for name, value in message.items() if name not in SHOWN],
        subject=str(message["Subject"] or ""),
        sender=str(message["From"] or ""),
        to=str(message["To"] or ""),
        text=_content(parts["plain"]),
        html=_content(parts["html"]),
        attachments=[part.get_filename() or part.get_content_type() for part in message.iter_attachments()],
    )


def _content(part: Any) -> str:
    return str(part.get_content()) if part is not None else ""


def _near(request: HttpRequest) -> None:
    """Mails hold one-time links: for this machine, or for a superuser who has signed in."""
    try:
        here = ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        here = False
    if not here and not request.user.is_superuser:
        raise Http404


def _found(request: HttpRequest, name: str) -> Mail:
    _near(request)
    found = _read(_folder() / f"{name}.eml") if NAME.fullmatch(name) else None
    if found is None:
        raise Http404
    return found


@require_GET
def mail_list(request: HttpRequest) -> HttpResponse:
    _near(request)
    mails = [mail for file in _files()[:100] if (mail := _read(file))]
    return render(request, "mailbox/mail_list.html", {"mails": mails, "folder": _folder()})


@require_GET
def mail_detail(request: HttpRequest, name: str) -> HttpResponse:
    return render(request, "mailbox/mail_detail.html", {"mail": _found(request, name)})


@require_GET
@xframe_options_sameorigin
def mail_html(request: HttpRequest, name: str) -> HttpResponse:
    """The HTML part alone, as a mail program would show it, in a sandbox."""
    return HttpResponse(_found(request, name).html, headers={"Content-Security-Policy": HTML_POLICY})


urlpatterns = [
    path("", mail_list, name="mail_list"),
    path("<str:name>/", mail_detail, name="mail_detail"),
    path("<str:name>/html/", mail_html, name="mail_html"),
]
