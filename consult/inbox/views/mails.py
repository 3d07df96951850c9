"""Files of mails, mails as they came, and those that are set aside."""

import datetime as dt
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_GET, require_POST

from consult.accounts import queries as accounts
from consult.core import downloads, errors, files
from consult.inbox import queries, services

WHY = {
    "unreadable": gettext_noop("It cannot be read: broken, or built to be unreadable."),
    "nobody": gettext_noop("It names no enquiry and no form of yours."),
    "gone": gettext_noop("What it belonged to is not there any more."),
    "too_many": gettext_noop("So many came for one enquiry within an hour that something goes in circles."),
    "bounce": gettext_noop("It says that a mail did not arrive, but not which one."),
    "automatic": gettext_noop("A program wrote it, and it answers nothing of ours."),
    "elsewhere": gettext_noop("It answers something of another agency."),
}


@require_GET
def mail_list(request: HttpRequest) -> HttpResponse:
    here = accounts.permit(request, "records.read")
    found = [(each, _(WHY.get(each.reason, each.reason))) for each in queries.mails_aside(here.agency_id)]
    return render(request, "inbox/mail_list.html", {"mails": found})


@require_POST
def dismiss_mail(request: HttpRequest, mail_id: UUID) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    now = dt.datetime.now(dt.UTC)
    try:
        services.dismiss_mail(agency_id=here.agency_id, mail_id=mail_id, by=here.member_id, now=now)
    except services.NoSuchMail as error:
        raise Http404 from error
    messages.success(request, _("Settled. The mail stays stored."))
    return redirect("inbox:mail_list", here.slug)


@require_GET
def mail_raw(request: HttpRequest, mail_id: UUID) -> HttpResponseBase:
    """A mail as it came, to be saved."""
    here = accounts.permit(request, "records.read")
    found = queries.mail_location(here.agency_id, mail_id)
    if found is None:
        raise Http404
    return _saved(request, found[0], found[1], f"{mail_id}.eml")


@require_GET
def attachment(request: HttpRequest, attachment_id: UUID) -> HttpResponseBase:
    """A file of a message: always to be saved, never to be run here."""
    here = accounts.permit(request, "records.read")
    found = queries.attachment(here.agency_id, attachment_id)
    if found is None:
        raise Http404
    return _saved(request, found.location, found.size, found.name)


def _saved(request: HttpRequest, location: str, size: int, name: str) -> HttpResponseBase:
    try:
        content = files.read(location)
    except files.Missing:
        raise Http404 from None
    except files.Away:
        return errors.answer(request, 503)
    return downloads.attachment(content, name=name, media_type="application/octet-stream", size=size)
