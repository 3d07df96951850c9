"""What one is told of, and how one hears of it. Everybody's own."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_GET, require_POST

from consult.accounts import forms, queries, services

KINDS = {
    "new": gettext_noop("A new enquiry has come"),
    "assigned": gettext_noop("An enquiry is given to you"),
    "mentioned": gettext_noop("Somebody mentions you in a note"),
}


@require_GET
def notification_list(request: HttpRequest) -> HttpResponse:
    here = queries.here(request)
    member_id = queries.person_here(here)
    told = queries.notifications(here.agency_id, member_id)
    chosen = queries.choices(here.agency_id, member_id)
    context: dict[str, Any] = {
        "told": [{"row": row, "said": services.said(row.kind, row.by)} for row in told],
        "kinds": [{"name": kind, "label": _(words), "how": chosen[kind]} for kind, words in KINDS.items()],
        "hows": forms.HOWS,
    }
    return render(request, "accounts/notification_list.html", context)


@require_GET
def notification_count(request: HttpRequest) -> HttpResponse:
    """The bell alone, for pages that were nudged; its number comes with the membership (accounts_memberships_v4)."""
    return render(request, "layouts/bell.html")


@require_POST
def read_notifications(request: HttpRequest) -> HttpResponse:
    here = queries.permit(request, "records.read")
    services.read_notifications(
        agency_id=here.agency_id, member_id=queries.person_here(here), now=dt.datetime.now(dt.UTC)
    )
    return redirect("accounts:notification_list", here.slug)


@require_POST
def choose_notifications(request: HttpRequest) -> HttpResponse:
    here = queries.permit(request, "records.read")
    chosen = {kind: request.POST[kind] for kind in KINDS if kind in request.POST}
    try:
        services.choose_notifications(agency_id=here.agency_id, member_id=queries.person_here(here), chosen=chosen)
    except services.NoSuchHow as error:
        raise BadRequest(_("Choose one of the ways that are offered.")) from error
    messages.success(request, _("Saved: from now on you hear of things like that."))
    return redirect("accounts:notification_list", here.slug)
