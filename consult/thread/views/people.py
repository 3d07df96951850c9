"""Privacy: what is held of a person, their export, their erasure. For who manages it."""

import datetime as dt
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from consult.accounts import queries as accounts
from consult.accounts import services as accounts_services
from consult.core import downloads, files
from consult.crm import queries as crm
from consult.thread import forms
from consult.thread.queries import erasures
from consult.thread.queries import person as people
from consult.thread.services import erasure, person_export

# What there may be of a person, in words, with what becomes of it.
WORDS = {
    "contacts": (gettext_lazy("Contact, with what was merged into it"), gettext_lazy("a nameless contact stays")),
    "enquiries": (gettext_lazy("Enquiries"), gettext_lazy("number, times and form stay")),
    "submissions": (gettext_lazy("Submissions, as they came"), gettext_lazy("receipt and time stay")),
    "files": (gettext_lazy("Files they sent"), gettext_lazy("removed; their sizes stay")),
    "messages": (gettext_lazy("E-mails, theirs and yours to them"), gettext_lazy("when they went and came stays")),
    "mails": (gettext_lazy("E-mails as they came in, set-aside ones too"), gettext_lazy("removed")),
    "notes": (gettext_lazy("Notes about them"), gettext_lazy("who wrote one and when stays")),
    "set_aside": (gettext_lazy("Submissions set aside"), gettext_lazy("still counted")),
    "events": (gettext_lazy("Lines in timelines"), gettext_lazy("stay: they hold no names")),
    "saved_views": (gettext_lazy("Saved views that look for them"), gettext_lazy("look for everybody")),
}


@require_GET
@never_cache
def privacy(request: HttpRequest) -> HttpResponse:
    here = accounts.permit(request, "privacy.manage")
    form = forms.Address(request.GET if "address" in request.GET else None)
    address = form.cleaned_data["address"] if form.is_bound and form.is_valid() else ""
    done, now = erasures.erasures(here.agency_id), timezone.now()
    exports = accounts.exports(here.agency_id, kind="person")
    context = {
        "form": form,
        "address": address,
        "contacts": people.contacts_with(here.agency_id, address) if address else [],
        "writer": _found(here.agency_id, None, address) if address else None,
        "erasures": [(each, forms.REASON_WORDS.get(each.reason, "")) for each in done],
        "exports": exports,
        "now": now,
        # Also one that has just ended and whose file is still to go.
        "moving": any(each.state in ("waiting", "running") or _is_over(each, now) for each in exports)
        or any(each.state == "waiting" for each in done),
        "spooled": people.spooled(here.agency_id),
    }
    part = "#work" if request.headers.get("HX-Request") else ""
    return render(request, f"thread/privacy.html{part}", context, status=422 if form.errors else 200)


def _is_over(export: accounts.Export, now: dt.datetime) -> bool:
    return bool(export.state == "ready" and export.expires_at and export.expires_at <= now)


def _found(agency_id: int, contact_id: UUID | None, address: str) -> people.Person | None:
    try:
        return people.find(agency_id, contact_id=contact_id, address=address)
    except (people.NoSuchPerson, crm.NoSuchContact):
        return None


@require_GET
@never_cache
def person(request: HttpRequest) -> HttpResponse:
    return _page(request, *forms.Whom.of(request.GET))


def _page(request: HttpRequest, contact_id: UUID | None, address: str, form: forms.Erase | None = None) -> HttpResponse:
    here = accounts.permit(request, "privacy.manage")
    found = _found(here.agency_id, contact_id, address)
    if found is None:
        raise Http404
    is_erased = bool(found.contact_id and crm.contact(here.agency_id, found.contact_id).erased_at)
    others = {id: name for each in found.addresses for id, name in people.contacts_with(here.agency_id, each)}
    others.pop(found.contact_id, None) if found.contact_id else None
    counts = found.counts()
    context: dict[str, Any] = {
        "person": found,
        "address": address,
        "is_erased": is_erased,
        "held": [(WORDS[what][0], count, WORDS[what][1]) for what, count in counts.items() if count],
        "others": others,
        "deals": len(found.deals),
        "companies": len(found.companies),
        "spooled": people.spooled(here.agency_id),
        "form": form or forms.Erase(found.name, None),
    }
    return render(request, "thread/person.html", context, status=422 if form and form.errors else 200)


@require_POST
def start_person_export(request: HttpRequest) -> HttpResponse:
    here = accounts.permit(request, "privacy.manage")
    contact_id, address = forms.Whom.of(request.POST)
    try:
        person_export.start_person_export(
            agency_id=here.agency_id, contact_id=contact_id, address=address, by=here.member_id, now=timezone.now()
        )
    except (people.NoSuchPerson, crm.NoSuchContact):
        raise Http404 from None
    messages.success(request, _("The export is being built. You may leave this page; it waits for you here."))
    return redirect("thread:privacy", here.slug)


@require_POST
@never_cache
def erase_person(request: HttpRequest) -> HttpResponse:
    here = accounts.permit(request, "privacy.manage")
    contact_id, address = forms.Whom.of(request.POST)
    found = _found(here.agency_id, contact_id, address)
    if found is None:
        raise Http404
    form = forms.Erase(found.name, request.POST)
    if form.is_valid():
        try:
            erasure.erase_person(
                agency_id=here.agency_id,
                contact_id=contact_id,
                address=address,
                reason=form.cleaned_data["reason"],
                typed=form.cleaned_data["typed"],
                by=here.member_id,
            )
        except erasure.NotConfirmed:
            form.add_error("typed", _("This is not what stands above. Nothing was erased."))
        else:
            messages.success(
                request, _("The person is being erased. It takes a moment, and is done even if you leave.")
            )
            return redirect("thread:privacy", here.slug)
    return _page(request, contact_id, address, form)


@require_GET
def download_person_export(request: HttpRequest, export_id: UUID) -> HttpResponseBase:
    here = accounts.permit(request, "privacy.manage")
    found = accounts.export(here.agency_id, export_id, kind="person")
    over = found and found.expires_at and found.expires_at <= timezone.now()
    if found is None or found.state != "ready" or over:
        raise Http404
    content = files.read(found.location)
    accounts_services.note_download(agency_id=here.agency_id, export_id=export_id, by=here.member_id)
    name = f"{here.slug}-person-{found.created_at:%Y-%m-%d}.zip"
    return downloads.attachment(content, name=name, media_type="application/zip", size=found.size)
