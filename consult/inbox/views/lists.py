"""The inbox: lists of enquiries."""

import datetime as dt
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_GET

from consult.accounts import queries as accounts
from consult.core import queue
from consult.inbox import forms, queries
from consult.intake import queries as intake

VIEWS = {
    "open": gettext_noop("Open"),
    "mine": gettext_noop("Mine"),
    "unassigned": gettext_noop("Unassigned"),
    "waiting": gettext_noop("Waiting"),
    "snoozed": gettext_noop("Snoozed"),
    "held": gettext_noop("Held"),
    "closed": gettext_noop("Closed"),
    "spam": gettext_noop("Spam"),
    "all": gettext_noop("All"),
}


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """The agency's own address leads to the day's work."""
    return redirect("inbox:enquiry_list", accounts.here(request).slug)


@require_GET
def enquiry_list(request: HttpRequest) -> HttpResponse:
    here = accounts.here(request)
    filters = forms.filters(request.GET)
    people = accounts.people(here.agency_id)
    labels = intake.form_labels(here.agency_id)
    aside = queries.aside(here.agency_id, member_id=here.member_id)
    page = queries.enquiries(
        here.agency_id,
        filters,
        member_id=here.member_id,
        now=dt.datetime.now(dt.UTC),
        before=request.GET.get("before", ""),
        names={person.id: person.name for person in people},
        labels=labels,
        label_names=aside.labels,
    )
    members = [person for person in people if not person.has_left]
    narrowing = forms.narrowing(queries.choices(here.agency_id, labels, aside.labels), members, filters)
    context = {
        "enquiries": page.enquiries,
        "next_cursor": page.next_cursor,
        "instead": page.instead,
        "filters": filters,
        "query": filters.query(),
        "view": filters.view,
        "q": filters.q,
        "counts": aside.counts,
        "tabs": [
            {"name": name, "label": _(label), "query": filters.query(view=name), "count": _so_many(aside.counts[name])}
            for name, label in VIEWS.items()
        ],
        "saved_views": aside.views,
        "narrowing": narrowing,
        "chips": _chips(narrowing, filters),
        "members": members,
        "label_names": aside.labels.values(),
        # What is asked for again when news come: what the page understood, and nothing else of its address.
        "same": _same(filters, request.GET.get("before", "")),
        # For whom they can do something about it.
        "failed_jobs": queue.failed_count() if accounts.may(here, "jobs.manage") else 0,
    }
    return render(request, "inbox/enquiry_list.html", context)


def _so_many(count: int) -> str:
    return f"{queries.MOST_COUNTED:,}+" if count > queries.MOST_COUNTED else str(count)


def _same(filters: forms.Filters, before: str) -> str:
    cursor = queries.clean_cursor(before)
    return f"{filters.query()}&before={cursor}" if cursor else filters.query()


def _chips(narrowing: list[dict[str, Any]], filters: forms.Filters) -> list[dict[str, str]]:
    """Return what the list is narrowed to, in words, each with the address without it."""
    found = []
    for select in narrowing:
        if select["value"]:
            words = dict(select["options"]).get(select["value"], _("no longer there"))
            found.append({"label": select["label"], "words": words, "without": filters.query(**{select["name"]: ""})})
    return found
