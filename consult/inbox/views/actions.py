"""What staff do with one enquiry: each action answers with its part to htmx, with the page to everybody else.

Whatever was changed is said with the way to take it back; whatever somebody else did meanwhile is shown.
"""

import datetime as dt
import json
from collections.abc import Callable, Sequence
from typing import Any

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from consult.accounts import queries as accounts
from consult.inbox import forms, services
from consult.inbox.views import history
from consult.inbox.views.enquiries import page


def is_part(request: HttpRequest) -> bool:
    return bool(request.headers.get("HX-Request"))


def say(response: HttpResponse, text: str, *, undo: dict[str, Any] | None = None, stays: bool = False) -> HttpResponse:
    """Let the page say this, with a button that posts `undo` (url, values) where there is one."""
    response["HX-Trigger"] = json.dumps({"consult:said": {"text": text, "undo": undo, "stays": stays}})
    return response


def undo_of(request: HttpRequest, done: Sequence[services.Done]) -> dict[str, Any]:
    """Return what the page posts to take these back."""
    url = reverse("inbox:undo_changes", args=[accounts.here(request).slug])
    return {"url": url, "values": {"change": [f"{each.number}:{each.version}" for each in done]}}


def _answer(request: HttpRequest, number: int, part: str) -> HttpResponse:
    if is_part(request):
        return page(request, number, part=part)
    return redirect("inbox:enquiry_detail", accounts.here(request).slug, number)


def _change(
    request: HttpRequest,
    number: int,
    change: Callable[..., services.Done],
    said: str,
    *,
    part: str = "#status",
    **more: Any,
) -> HttpResponse:
    """Let somebody who may write make a change, and answer with what it changed."""
    here = accounts.permit(request, "records.write")
    try:
        done = change(agency_id=here.agency_id, number=number, by=here.member_id, seen=forms.seen(request.POST), **more)
    except services.NoSuchEnquiry as error:
        raise Http404 from error
    except services.Conflict as raised:
        text = (
            history.conflict(raised, accounts.member_names(here.agency_id)) + " " + _("Nothing of yours was changed.")
        )
        if is_part(request):
            return say(page(request, number, part=part, status=409), text, stays=True)
        return page(request, number, status=409, conflict=text)
    response = _answer(request, number, part)
    return say(response, said % {"n": number}, undo=undo_of(request, [done])) if done.version else response


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@require_POST
def close_enquiry(request: HttpRequest, number: int) -> HttpResponse:
    reason = forms.reason(request.POST)
    return _change(request, number, services.close_enquiry, _("Enquiry %(n)s closed."), now=_now(), reason=reason)


@require_POST
def reopen_enquiry(request: HttpRequest, number: int) -> HttpResponse:
    return _change(request, number, services.reopen_enquiry, _("Enquiry %(n)s opened again."))


@require_POST
def wait_enquiry(request: HttpRequest, number: int) -> HttpResponse:
    return _change(request, number, services.wait_enquiry, _("Enquiry %(n)s waits for its sender."), now=_now())


@require_POST
def snooze_enquiry(request: HttpRequest, number: int) -> HttpResponse:
    accounts.permit(request, "records.write")
    until = forms.until(request.POST)
    said = _("Enquiry %(n)s is put away until %(time)s.") % {"n": "%(n)s", "time": history.moment(until)}
    return _change(request, number, services.snooze_enquiry, said, now=_now(), until=until)


@require_POST
def restore_enquiry(request: HttpRequest, number: int) -> HttpResponse:
    return _change(request, number, services.restore_enquiry, _("Enquiry %(n)s restored."), now=_now())


@require_POST
def confirm_spam(request: HttpRequest, number: int) -> HttpResponse:
    return _change(request, number, services.confirm_spam, _("Enquiry %(n)s is spam."), now=_now())


@require_POST
def assign_enquiry(request: HttpRequest, number: int) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    member_id = forms.member(request.POST)
    names = accounts.member_names(here.agency_id)
    said = _("Enquiry %(n)s has nobody again.")
    if member_id:
        said = _("Enquiry %(n)s is given to %(name)s.") % {
            "n": "%(n)s",
            "name": names.get(member_id, "").replace("%", "%%"),
        }
    if member_id and member_id == here.member_id:
        said = _("Enquiry %(n)s is yours.")
    try:
        return _change(request, number, services.assign_enquiry, said, part="#assignee", member_id=member_id)
    except services.NoSuchMember as error:
        raise BadRequest(_("This agency has no such member.")) from error


@require_POST
def label_enquiry(request: HttpRequest, number: int) -> HttpResponse:
    """Make what was typed the labels of an enquiry; what is wrong with it is said beside it, and kept."""
    try:
        said = _("Labels of enquiry %(n)s changed.")
        return _change(request, number, services.label_enquiry, said, part="#labels", names=forms.labels(request.POST))
    except (services.TooManyLabels, ValueError):
        typed, part = request.POST.get("labels", "").replace("\0", ""), "#labels" if is_part(request) else ""
        return page(request, number, part=part, status=422, label_error=forms.LABELS_WRONG, labels_typed=typed)


@require_POST
def add_note(request: HttpRequest, number: int) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    # Postgres text holds no NUL.
    body = request.POST.get("body", "").replace("\0", "�")
    try:
        services.add_note(agency_id=here.agency_id, number=number, body=body, by=here.member_id)
    except services.NoSuchEnquiry as error:
        raise Http404 from error
    except services.EmptyNote:
        part = "#notes" if request.headers.get("HX-Request") else ""
        return page(request, number, part=part, status=422, note_error=_("The note is empty."), note_body=body)
    return _answer(request, number, "#notes")
