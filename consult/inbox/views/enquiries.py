"""The page of one enquiry. Its parts are what actions answer htmx with."""

import datetime as dt
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from consult.accounts import queries as accounts
from consult.inbox import forms, queries, services
from consult.inbox.views import history


@require_GET
def enquiry_detail(request: HttpRequest, number: int) -> HttpResponse:
    return page(request, number, opening=not request.headers.get("HX-Request"))


def page(
    request: HttpRequest, number: int, *, part: str = "", status: int = 200, opening: bool = False, **more: Any
) -> HttpResponse:
    here = accounts.here(request)
    enquiry = queries.enquiry(here.agency_id, number)
    if enquiry is None:
        raise Http404
    members = accounts.members(here.agency_id)
    names = {person.id: person.name for person in members}
    ledger = queries.deliveries(here.agency_id, enquiry.id)
    if opening and not any(line.kind == "opened" for line in ledger):
        now = dt.datetime.now(dt.UTC)
        services.note_opened(agency_id=here.agency_id, enquiry_id=enquiry.id, by=here.member_id, now=now)
        ledger.append(queries.Delivered("opened", "", {"member": str(here.member_id)}, now))
    context = {
        "enquiry": enquiry,
        "members": members,
        "notes": queries.notes(here.agency_id, enquiry.id, names),
        "events": history.events(here.agency_id, enquiry.id, ledger, names),
        "others": queries.others_of_sender(here.agency_id, enquiry.id, enquiry.sender_email),
        "converted": forms.version(request.GET.get("converted", "")),
        "links": queries.links(here.agency_id, enquiry),
        "reasons": [(reason, _(words)) for reason, words in history.REASONS.items()],
        "close_reason": _(history.REASONS[enquiry.close_reason]) if enquiry.close_reason else "",
        **more,
    }
    return render(request, f"inbox/enquiry_detail.html{part}", context, status=status)
