"""Pages of duplicates: two contacts side by side, merged field by field, and apart again."""

import datetime as dt
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from consult.accounts import queries as accounts
from consult.crm import queries, services
from consult.crm.views import contacts


@require_http_methods(["GET", "POST"])
def merge_contacts(request: HttpRequest, contact_id: UUID, other_id: UUID) -> HttpResponse:
    """Merge `other_id` into `contact_id`: that one stays."""
    here = accounts.permit(request, "records.write")
    kept, other = (contacts.existing(here.agency_id, id) for id in (contact_id, other_id))
    if kept.id == other.id:
        messages.info(request, _("They are one contact already."))
        return redirect("crm:contact_detail", here.slug, kept.id)
    rows = _compared(kept, other, queries.fields(here.agency_id, "contact"))
    if request.method == "POST":
        take = [row["name"] for row in rows if request.POST.get(f"take-{row['name']}") == "other"]
        try:
            services.merge_contacts(
                agency_id=here.agency_id,
                keep_id=kept.id,
                alias_id=other.id,
                take=take,
                by=here.member_id,
                now=dt.datetime.now(dt.UTC),
            )
            messages.success(request, _("Merged. You can take it back on this page."))
        except (services.NoSuchContact, services.CannotMerge):
            messages.warning(request, _("Somebody else has just merged one of them. Here is what it is now."))
        return redirect("crm:contact_detail", here.slug, kept.id)
    return render(request, "crm/merge_contacts.html", {"kept": kept, "other": other, "rows": rows})


def _compared(kept: queries.Contact, other: queries.Contact, own: list[queries.Field]) -> list[dict[str, Any]]:
    """Return the fields that may come from either: name, label, what each has, and whether they differ."""
    rows = (
        ("name", _("Name"), kept.name, other.name),
        ("job_title", _("Job title"), kept.job_title, other.job_title),
        ("company_id", _("Company"), kept.company_name, other.company_name),
        ("client_id", _("Client"), kept.client_name, other.client_name),
        ("email", _("Primary e-mail"), kept.email, other.email),
        ("phone", _("Primary phone"), kept.phone, other.phone),
        *((str(field.id), field.name, _filled(field, kept), _filled(field, other)) for field in own),
    )
    return [
        {
            "name": name,
            "label": label,
            "kept": mine,
            "other": theirs,
            "differs": bool(mine and theirs and mine != theirs),
        }
        for name, label, mine, theirs in rows
        if mine or theirs
    ]


def _filled(field: queries.Field, contact: queries.Contact) -> str:
    return dict(queries.filled([field], contact.custom)).get(field.name, "")


@require_POST
def unmerge_contacts(request: HttpRequest, contact_id: UUID, merge_id: UUID) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    contact = contacts.existing(here.agency_id, contact_id)
    try:
        services.unmerge_contacts(
            agency_id=here.agency_id, merge_id=merge_id, by=here.member_id, now=dt.datetime.now(dt.UTC)
        )
        messages.success(request, _("They are two contacts again."))
    except services.CannotUnmerge:
        messages.warning(request, _("This merge was taken back already, or a later one lies on top of it."))
    return redirect("crm:contact_detail", here.slug, contact.id)


@require_POST
def tell_apart(request: HttpRequest, contact_id: UUID, other_id: UUID) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    try:
        services.tell_apart(agency_id=here.agency_id, contact_id=contact_id, other_id=other_id, by=here.member_id)
    except services.NoSuchContact as error:
        raise Http404 from error
    messages.success(request, _("Two people, then. They are not suggested as one again."))
    return redirect("crm:contact_detail", here.slug, contact_id)
