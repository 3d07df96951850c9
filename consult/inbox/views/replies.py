"""Replies from an enquiry's page: sent, kept as a draft, taken back, tried again. Nothing typed or attached is lost."""

import contextlib
import datetime as dt
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_POST

from consult.accounts import queries as accounts
from consult.core import files
from consult.inbox import forms, queries, rules, services
from consult.inbox.views import history
from consult.inbox.views.actions import is_part, say
from consult.inbox.views.enquiries import page

PART = "#conversation"
ERRORS: dict[type[Exception], str] = {
    services.EmptyReply: gettext_noop("The reply is empty."),
    services.TooLongReply: gettext_noop("The reply is longer than 50,000 letters. Attach it as a file instead."),
    services.TooManyFiles: gettext_noop("At most 10 files, 7 MB together, go with a reply. The new ones are left out."),
    services.TooManyReplies: gettext_noop("30 replies went out within an hour: something goes in circles. Wait."),
    services.NoAddress: gettext_noop("The sender left no address that a mail could go to."),
    services.NotAnswerable: gettext_noop("It is held as spam. Restore it first, then answer."),
    files.Away: gettext_noop("The files cannot be stored at this moment. Try again, or send it without them."),
}


@require_POST
def send_reply(request: HttpRequest, number: int) -> HttpResponse:
    """Send what was written; `do` may be `draft` (keep it for later) or `insert` (add a template to it)."""
    here = accounts.permit(request, "records.write")
    reply = forms.reply(request.POST, request.FILES)
    if reply.removed and reply.draft_id:
        _found(
            services.remove_files,
            agency_id=here.agency_id,
            number=number,
            draft_id=reply.draft_id,
            ids=reply.removed,
            by=here.member_id,
        )
    match request.POST.get("do", ""):
        case "draft" | "remove":
            return _kept(request, number, reply)
        case "insert":
            return _kept(request, number, _with_template(request, number, reply))
    return _sent(request, number, reply)


def _found(change: Callable[..., Any], **arguments: Any) -> Any:
    try:
        return change(**arguments)
    except (services.NoSuchEnquiry, services.NoSuchMessage) as error:
        raise Http404 from error


def _sent(request: HttpRequest, number: int, reply: forms.Reply) -> HttpResponse:
    here = accounts.here(request)
    try:
        queued = services.send_reply(
            agency_id=here.agency_id,
            number=number,
            by=here.member_id,
            now=dt.datetime.now(dt.UTC),
            seen=forms.seen(request.POST),
            **_values(reply),
        )
    except services.NoSuchEnquiry as error:
        raise Http404 from error
    except services.Conflict as raised:
        text = history.conflict(raised, accounts.member_names(here.agency_id))
        why = text + " " + _("Your reply was not sent. Read what is new, then send it once more.")
        return _refused(request, number, reply, why, status=409)
    except tuple(ERRORS) as error:
        return _refused(request, number, reply, _(ERRORS[type(error)]))
    response = _answer(request, number)
    undo = {"click": f"#undo-{queued.id}"}
    return say(response, _("The reply goes out in %(n)s seconds.") % {"n": services.UNDO.seconds}, undo=undo)


def _values(reply: forms.Reply) -> dict[str, Any]:
    return {"subject": reply.subject, "text": reply.text, "uploads": reply.uploads, "draft_id": reply.draft_id}


def _refused(request: HttpRequest, number: int, reply: forms.Reply, why: str, status: int = 422) -> HttpResponse:
    """Show what was written with what is wrong. Files cannot stand in a page: those that came become a draft's."""
    here = accounts.here(request)
    if reply.uploads:
        # Too large, or nowhere to put them: the page says so, and the text is in it.
        with contextlib.suppress(*ERRORS):
            services.keep_draft(agency_id=here.agency_id, number=number, by=here.member_id, **_values(reply))
    said: dict[str, Any] = {"reply_error": why, "reply_text": reply.text, "reply_subject": reply.subject}
    return page(request, number, part=PART if is_part(request) else "", status=status, **said)


def _kept(request: HttpRequest, number: int, reply: forms.Reply) -> HttpResponse:
    here = accounts.here(request)
    try:
        _found(services.keep_draft, agency_id=here.agency_id, number=number, by=here.member_id, **_values(reply))
    except tuple(ERRORS) as error:
        return _refused(request, number, reply, _(ERRORS[type(error)]))
    return say(_answer(request, number), _("Kept as your draft."))


def _with_template(request: HttpRequest, number: int, reply: forms.Reply) -> forms.Reply:
    """Return what was written with the chosen template below it, its placeholders filled."""
    here = accounts.here(request)
    enquiry = queries.enquiry(here.agency_id, number)
    chosen = request.POST.get("template", "")
    found = next((each for each in queries.templates(here.agency_id) if str(each.id) == chosen), None)
    if enquiry is None:
        raise Http404
    if found is None:
        return reply
    values = queries.placeholder_values(
        here.agency_id, enquiry, receipt=enquiry.receipt, agency=here.name, member=str(request.user)
    )
    return forms.with_text(reply, "\n\n".join(filter(None, [reply.text.strip(), rules.fill(found.body, values)])))


def _answer(request: HttpRequest, number: int) -> HttpResponse:
    if is_part(request):
        return page(request, number, part=PART)
    return redirect(f"{reverse('inbox:enquiry_detail', args=[accounts.here(request).slug, number])}#conversation")


@require_POST
def undo_reply(request: HttpRequest, number: int, message_id: UUID) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    try:
        _found(services.undo_reply, agency_id=here.agency_id, number=number, message_id=message_id, by=here.member_id)
    except services.TooLate:
        return _too_late(request, number, _("Too late to take it back: it is on its way."))
    return say(_answer(request, number), _("Taken back. It is a draft again."))


@require_POST
def retry_reply(request: HttpRequest, number: int, message_id: UUID) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    now = dt.datetime.now(dt.UTC)
    try:
        _found(
            services.retry_reply,
            agency_id=here.agency_id,
            number=number,
            message_id=message_id,
            by=here.member_id,
            now=now,
        )
    except services.TooLate:
        return _too_late(request, number, _("It is on its way already."))
    return say(_answer(request, number), _("It is sent once more."))


@require_POST
def discard_draft(request: HttpRequest, number: int, message_id: UUID) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    _found(services.discard_draft, agency_id=here.agency_id, number=number, message_id=message_id, by=here.member_id)
    return say(_answer(request, number), _("The draft is gone."))


def _too_late(request: HttpRequest, number: int, text: str) -> HttpResponse:
    if is_part(request):
        return say(page(request, number, part=PART), text, stays=True)
    return page(request, number, status=409, conflict=text)
