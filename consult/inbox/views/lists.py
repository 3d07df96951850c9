"""The inbox: lists of enquiries."""

import datetime as dt

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from consult.accounts import queries as accounts
from consult.core import queue
from consult.inbox import forms, queries
from consult.inbox.views import history


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """The agency's own address leads to the day's work."""
    return redirect("inbox:enquiry_list", accounts.here(request).slug)


@require_GET
def enquiry_list(request: HttpRequest) -> HttpResponse:
    here = accounts.here(request)
    filters = forms.filters(request.GET)
    page = queries.enquiries(
        here.agency_id,
        filters,
        member_id=here.member_id,
        now=dt.datetime.now(dt.UTC),
        before=request.GET.get("before", ""),
    )
    members = accounts.members(here.agency_id)
    context = {
        "enquiries": page.enquiries,
        "next_cursor": page.next_cursor,
        "instead": page.instead,
        "filters": filters,
        "query": filters.query(),
        "view": filters.view,
        "q": filters.q,
        "counts": queries.counts(here.agency_id, member_id=here.member_id),
        "saved_views": queries.saved_views(here.agency_id, member_id=here.member_id),
        "narrowing": forms.narrowing(queries.choices(here.agency_id), members, filters),
        "members": members,
        "reasons": [(reason, _(words)) for reason, words in history.REASONS.items()],
        # For whom they can do something about it.
        "failed_jobs": queue.failed_count() if accounts.may(here, "jobs.manage") else 0,
    }
    return render(request, "inbox/enquiry_list.html", context)
