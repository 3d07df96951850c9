"""Files of mails, mails as they came, and those that are set aside."""

import base64
import datetime as dt
from collections.abc import Mapping
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext
from django.views.decorators.http import require_GET, require_POST

from consult.accounts import queries as accounts
from consult.core import downloads, errors, files, markup
from consult.inbox import queries, rules, services
from consult.intake import queries as intake

WHY = {
    "unreadable": gettext_noop("It cannot be read: broken, or built to be unreadable."),
    "nobody": gettext_noop("It names no enquiry and no form of yours."),
    "gone": gettext_noop("What it belonged to is not there any more."),
    "too_many": gettext_noop("So many came for one enquiry within an hour that something goes in circles."),
    "bounce": gettext_noop("It says that a mail did not arrive, but not which one."),
    "automatic": gettext_noop("A program wrote it, and it answers nothing of ours."),
    "too_large": gettext_noop(
        "It is larger than 40 MB: only its headers are kept here. The mail itself is in your mailbox."
    ),
    "elsewhere": gettext_noop("It answers something of another agency."),
}


@require_GET
def mail_list(request: HttpRequest) -> HttpResponse:
    here = accounts.permit(request, "records.read")
    found = [(each, _(WHY.get(each.reason, each.reason))) for each in queries.mails_aside(here.agency_id)]
    choices = queries.choices(here.agency_id, intake.form_labels(here.agency_id), {})["forms"] if found else []
    context = {"mails": found, "forms": choices}
    return render(request, "inbox/mail_list.html", context)


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


# Beyond that a mail is not taken apart while somebody waits for its page.
LARGEST_SHOWN = 5 * 1024 * 1024


@require_GET
def message_html(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """A message as its sender formatted it: harmless, in a frame of its own. `?pictures=yes`: also those elsewhere."""
    here = accounts.permit(request, "records.read")
    found = queries.formatted(here.agency_id, message_id)
    if found is None:
        raise Http404
    return _formatted(request, found.html, found.subject, {id: _picture(*rest) for id, *rest in found.pictures})


@require_GET
def mail_html(request: HttpRequest, mail_id: UUID) -> HttpResponse:
    """A mail that is set aside, as its sender formatted it; its text where it has no HTML."""
    here = accounts.permit(request, "records.read")
    found = queries.mail_location(here.agency_id, mail_id)
    if found is None:
        raise Http404
    location, size = found
    if size > LARGEST_SHOWN:
        return _told(_("It is larger than 5 MB. Save the mail, and open it in a program for mail."))
    try:
        arrived = rules.parse(b"".join(files.read(location)))
    except files.Missing:
        raise Http404 from None
    except files.Away:
        return errors.answer(request, 503)
    except rules.Unreadable:
        return _told(_("It cannot be read: broken, or built to be unreadable."))
    html = arrived.html or format_html("<pre>{}</pre>", arrived.text)
    pictures = {
        part.content_id: _data(part.media_type, part.content)
        for part in arrived.parts
        if part.content_id and part.media_type in queries.PICTURES and len(part.content) <= queries.LARGEST_PICTURE
    }
    return _formatted(request, html, arrived.headers.subject, pictures)


def _formatted(request: HttpRequest, html: str, subject: str, pictures: Mapping[str, str]) -> HttpResponse:
    remote = request.GET.get("pictures") == "yes"
    try:
        cleaned = markup.clean(html, remote=remote, pictures=pictures)
    except markup.TooHard:
        return _told(_("Its formatting is too large or too tangled to be shown. Read its text, or save the mail."))
    note = ""
    if cleaned.blocked:
        text = ngettext(
            "%(n)s picture from elsewhere is not loaded: its sender would see that you read this.",
            "%(n)s pictures from elsewhere are not loaded: their sender would see that you read this.",
            cleaned.blocked,
        ) % {"n": cleaned.blocked}
        # What leads to them stands beside the frame: one without an origin of its own would ask without a session.
        note = format_html('<p class="told">{}</p>', text)
    return markup.shown(note + cleaned.html, title=subject or _("No subject"), remote=remote)


def _told(text: str) -> HttpResponse:
    return markup.shown(format_html('<p class="told">{}</p>', text), title=text, remote=False)


def _picture(media_type: str, location: str) -> str:
    try:
        return _data(media_type, b"".join(files.read(location)))
    except (files.Missing, files.Away):
        return ""


def _data(media_type: str, content: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


@require_POST
def open_mail(request: HttpRequest, mail_id: UUID) -> HttpResponse:
    """Make an enquiry of a mail that is set aside."""
    here = accounts.permit(request, "records.write")
    if queries.mail_aside(here.agency_id, mail_id) is None:
        raise Http404
    try:
        form_id = UUID(request.POST.get("form_id", ""))
    except ValueError:
        messages.error(request, _("Choose the form that it belongs to."))
        return redirect("inbox:mail_list", here.slug)
    now = dt.datetime.now(dt.UTC)
    try:
        number = services.open_mail(
            agency_id=here.agency_id, mail_id=mail_id, form_id=form_id, by=here.member_id, now=now
        )
    except services.NoSuchMail as error:
        raise Http404 from error
    except tuple(NOT_OPENED) as error:
        messages.error(request, _(NOT_OPENED[type(error)]))
        return redirect("inbox:mail_list", here.slug)
    messages.success(request, _("It is enquiry #%(n)s now.") % {"n": number})
    return redirect("inbox:enquiry_detail", here.slug, number)


NOT_OPENED: dict[type[Exception], str] = {
    services.NoSuchForm: gettext_noop("Choose the form that it belongs to."),
    services.UnreadableMail: gettext_noop(
        "It cannot be read, so nothing can be made of it. Save the mail and look at it."
    ),
    files.Away: gettext_noop("The storage does not answer at this moment. Try again later."),
}


def _saved(request: HttpRequest, location: str, size: int, name: str) -> HttpResponseBase:
    try:
        content = files.read(location)
    except files.Missing:
        raise Http404 from None
    except files.Away:
        return errors.answer(request, 503)
    return downloads.attachment(content, name=name, media_type="application/octet-stream", size=size)
