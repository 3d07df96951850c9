"""Pages of contacts."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from consult.accounts import queries as accounts
from consult.crm import forms, queries, services
from consult.crm.views import asked, lines


@require_GET
def contact_list(request: HttpRequest) -> HttpResponse:
    here = accounts.here(request)
    chosen = {name: asked.id(request, name) for name in ("label", "company", "client")}
    find, after = asked.text(request, "find"), request.GET.get("after", "")
    page = queries.contacts(
        here.agency_id,
        search=find,
        label_id=chosen["label"],
        company_id=chosen["company"],
        client_id=chosen["client"],
        after=after,
    )
    context = {
        "contacts": page.contacts,
        "next_cursor": page.next_cursor,
        "after": after,
        "find": find,
        "chosen": chosen,
        "is_narrowed": bool(find or any(chosen.values())),
        "query": urlencode({"find": find, **{name: id or "" for name, id in chosen.items()}}),
        "company": _company(here.agency_id, chosen["company"]),
        "labels": queries.labels(here.agency_id),
        "clients": queries.client_names(here.agency_id),
    }
    return render(request, "crm/contact_list.html", context)


def _company(agency_id: int, id: UUID | None) -> str:
    return queries.company_names(agency_id, [id]).get(id, "") if id else ""


@require_GET
def contact_detail(request: HttpRequest, contact_id: UUID) -> HttpResponse:
    return contact_page(request, contact_id)


def contact_page(request: HttpRequest, contact_id: UUID, *, status: int = 200, **more: Any) -> HttpResponse:
    """Return a contact's page; an alias leads to the contact that it is now."""
    here = accounts.here(request)
    contact = existing(here.agency_id, contact_id)
    if contact.id != contact_id:
        return redirect("crm:contact_detail", here.slug, contact.id)
    page = queries.timeline(here.agency_id, contact_id=contact.id, before=request.GET.get("before", ""))
    stages = {stage.id: stage.name for stage in queries.stages(here.agency_id, retired=True)}
    context = {
        "contact": contact,
        "deals": queries.deals_of(here.agency_id, contact_id=contact.id),
        "merge": queries.last_merge(here.agency_id, contact.id),
        "duplicates": queries.duplicates_of(here.agency_id, contact),
        "fields": queries.filled(queries.fields(here.agency_id, "contact"), contact.custom),
        "lines": lines.said(here.slug, page.lines, own=contact.id, stages=stages),
        "next_cursor": page.next_cursor,
        "before": request.GET.get("before", ""),
        "label_names": queries.labels(here.agency_id).values(),
        **more,
    }
    return render(request, "crm/contact_detail.html", context, status=status)


def existing(agency_id: int, contact_id: UUID) -> queries.Contact:
    """Return the contact, or answer 404."""
    try:
        return queries.contact(agency_id, contact_id)
    except queries.NoSuchContact as error:
        raise Http404 from error


@require_http_methods(["GET", "POST"])
def create_contact(request: HttpRequest) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    offered = {name: asked.text(request, name) for name in ("name", "company_name")}
    form = forms.Contact(request.POST if request.method == "POST" else None, agency_id=here.agency_id, initial=offered)
    known = None
    if form.is_bound and form.is_valid():
        try:
            contact_id = services.create_contact(
                agency_id=here.agency_id,
                by=here.member_id,
                company_name=form.cleaned_data["company_name"],
                unless_known="anyway" not in request.POST,
                **form.values(),
            )
            messages.success(request, _("The contact is added."))
            return redirect("crm:contact_detail", here.slug, contact_id)
        except services.KnownAddress as error:
            known = {"contact": queries.contact(here.agency_id, error.contact_id), "address": error.address}
    context = {"form": form, "known": known, "company_names": queries.first_company_names(here.agency_id)}
    return render(request, "crm/contact_form.html", context, status=422 if form.errors else 409 if known else 200)


@require_http_methods(["GET", "POST"])
def update_contact(request: HttpRequest, contact_id: UUID) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    contact = existing(here.agency_id, contact_id)
    if contact.erased_at:
        raise Http404
    form = forms.Contact(request.POST if request.method == "POST" else None, agency_id=here.agency_id, initial=contact)
    changed_meanwhile = False
    if form.is_bound and form.is_valid():
        try:
            services.update_contact(
                agency_id=here.agency_id,
                contact_id=contact.id,
                by=here.member_id,
                company_name=form.cleaned_data["company_name"],
                version=form.cleaned_data["version"],
                **form.values(),
            )
            messages.success(request, _("The contact is saved."))
            return redirect("crm:contact_detail", here.slug, contact.id)
        except services.ChangedMeanwhile:
            changed_meanwhile = True
    context = {
        "form": form,
        "contact": contact,
        "changed_meanwhile": changed_meanwhile,
        "company_names": queries.first_company_names(here.agency_id),
    }
    status = 422 if form.errors else 409 if changed_meanwhile else 200
    return render(request, "crm/contact_form.html", context, status=status)
