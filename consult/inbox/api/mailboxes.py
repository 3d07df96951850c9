"""The mailbox that mail is fetched from."""

import datetime as dt
from typing import Annotated, Literal

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from pydantic import AfterValidator, Field, StrictBool, StrictInt

from consult.accounts import queries as accounts
from consult.core import api
from consult.core.errors import Refused
from consult.inbox import queries, rules, services

mailbox = api.Router(tags=["Messages"])

REFUSALS = {
    services.NoMailbox: ("not_found", ""),
    services.NoPassword: ("invalid", "/password"),
}


def _address(text: str) -> str:
    if not (found := rules.clean_address(text)):
        raise ValueError("This is no e-mail address.")
    return found


def _host(text: str) -> str:
    if not rules.is_host(text):
        raise ValueError("This is no name of a server, such as imap.example.com.")
    return text


class Mailbox(api.Shape):
    """Where an agency's mail is fetched from, and whether that works. The password is never shown."""

    address: str
    plus: bool
    host: str
    port: int
    security: Literal["tls", "starttls", "plain"]
    user: str
    folder: str
    connected_at: dt.datetime
    checked_at: Annotated[dt.datetime | None, Field(description="When it was last read without a fault.")]
    failed_at: Annotated[dt.datetime | None, Field(description="Since when it cannot be read.")]
    error: Annotated[str, Field(description="Empty, or such as `login`, `unreachable`, `certificate`, `folder`.")]
    fetched: Annotated[int, Field(description="How many mails came from it.")]


class MailboxInput(api.Input):
    address: Annotated[api.Line, Field(max_length=254, examples=["team@in.example"]), AfterValidator(_address)]
    plus: Annotated[StrictBool, Field(description="Mail to name+anything@ arrives there as well.")] = True
    host: Annotated[api.Line, Field(max_length=253, examples=["imap.in.example"]), AfterValidator(_host)]
    port: Annotated[StrictInt, Field(ge=1, le=65535, examples=[993])] = 993
    security: Literal["tls", "starttls", "plain"] = "tls"
    user: Annotated[api.Line, Field(max_length=320, examples=["team@in.example"])]
    password: Annotated[
        str, Field(max_length=320, description="Empty keeps the one that is there, for the same host and user.")
    ] = ""
    folder: Annotated[api.Line, Field(max_length=200)] = "INBOX"


def _found(agency_id: int) -> Mailbox:
    row = queries.mailbox(agency_id)
    if row is None:
        raise Http404
    return Mailbox(**{name: value for name, value in vars(row).items() if name in Mailbox.model_fields})


@mailbox.get("", response=Mailbox, summary="Show the mailbox")
def show_mailbox(request: HttpRequest) -> HttpResponse:
    """404 where none is connected."""
    here = accounts.permit(request, "settings.manage")
    return api.answer(request, _found(here.agency_id))


@mailbox.put("", response=Mailbox, summary="Connect a mailbox")
def connect_mailbox(request: HttpRequest, body: MailboxInput) -> HttpResponse:
    """In the place of the one before. It is tried at once: `checked_at` or `error` says what came of it."""
    here = accounts.permit(request, "settings.manage")
    try:
        with api.refusing(REFUSALS):
            services.connect_mailbox(
                agency_id=here.agency_id, by=here.member_id, now=dt.datetime.now(dt.UTC), **body.model_dump()
            )
    except services.BadMailbox as bad:
        detail = "It holds signs that no mailbox has."
        raise Refused("invalid", errors=[{"pointer": f"/{bad}", "code": "invalid", "detail": detail}]) from bad
    return api.answer(request, _found(here.agency_id))


@mailbox.post("/check", response={202: Mailbox}, summary="Look into the mailbox now")
def check_mailbox(request: HttpRequest) -> HttpResponse:
    """It is looked into each minute anyway, and more seldom while it cannot be read."""
    here = accounts.permit(request, "settings.manage")
    with api.refusing(REFUSALS):
        services.check_mailbox(agency_id=here.agency_id, now=dt.datetime.now(dt.UTC))
    return api.answer(request, _found(here.agency_id), status=202)


class Hook(api.Shape):
    """Where a mail server posts mail, and what it signs with."""

    url: str
    secret: str
    renewed_at: dt.datetime | None


@mailbox.post("/hook/renew", response=Hook, summary="Renew the secret of the hook for mail")
def renew_hook(request: HttpRequest) -> HttpResponse:
    """The one before is believed for a day; renewed twice in a row, it ends at once."""
    here = accounts.permit(request, "settings.manage")
    services.renew_hook(agency_id=here.agency_id, by=here.member_id, now=dt.datetime.now(dt.UTC))
    hook_id, secret = queries.hook(here.agency_id)
    url = request.build_absolute_uri(reverse("receive_mail", args=[hook_id]))
    return api.answer(request, Hook(url=url, secret=secret, renewed_at=queries.hook_renewed_at(here.agency_id)))


@mailbox.delete("", response={204: None}, summary="Disconnect the mailbox")
def disconnect_mailbox(request: HttpRequest) -> HttpResponse:
    """Its password is forgotten; what was fetched stays."""
    here = accounts.permit(request, "settings.manage")
    with api.refusing(REFUSALS):
        services.disconnect_mailbox(agency_id=here.agency_id, by=here.member_id)
    return HttpResponse(status=204)
