"""Pages of companies."""

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
def company_list(request: HttpRequest) -> HttpResponse:
    here = accounts.here(request)
    chosen = {name: asked.id(request, name) for name in ("label", "client")}
    find, after = asked.text(request, "find"), request.GET.get("after", "")
    page = queries.companies(
        here.agency_id, search=find, label_id=chosen["label"], client_id=chosen["client"], after=after
    )
    context = {
        "companies": page.companies,
        "next_cursor": page.next_cursor,
        "after": after,
        "find": find,
        "chosen": chosen,
        "is_narrowed": bool(find or any(chosen.values())),
        "query": urlencode({"find": find, **{name: id or "" for name, id in chosen.items()}}),
        "labels": queries.labels(here.agency_id),
        "clients": queries.client_names(here.agency_id),
    }
    return render(request, "crm/company_list.html", context)


@require_GET
def company_detail(request: HttpRequest, company_id: UUID) -> HttpResponse:
    return company_page(request, company_id)


def company_page(request: HttpRequest, company_id: UUID, *, status: int = 200, **more: Any) -> HttpResponse:
    """Return a company's page."""
    here = accounts.here(request)
    company = existing(here.agency_id, company_id)
    page = queries.timeline(here.agency_id, company_id=company.id, before=request.GET.get("before", ""))
    stages = {stage.id: stage.name for stage in queries.stages(here.agency_id, retired=True)}
    people = queries.contacts_of(here.agency_id, company.id, limit=queries.MOST_PEOPLE + 1)
    context = {
        "company": company,
        "people": people[: queries.MOST_PEOPLE],
        "has_more_people": len(people) > queries.MOST_PEOPLE,
        "deals": queries.deals_of(here.agency_id, company_id=company.id),
        "fields": queries.filled(queries.fields(here.agency_id, "company"), company.custom),
        "lines": lines.said(here.slug, page.lines, own=company.id, stages=stages),
        "next_cursor": page.next_cursor,
        "before": request.GET.get("before", ""),
        "label_names": queries.labels(here.agency_id).values(),
        **more,
    }
    return render(request, "crm/company_detail.html", context, status=status)


def existing(agency_id: int, company_id: UUID) -> queries.Company:
    """Return the company, or answer 404."""
    try:
        return queries.company(agency_id, company_id)
    except queries.NoSuchCompany as error:
        raise Http404 from error


@require_http_methods(["GET", "POST"])
def create_company(request: HttpRequest) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    offered = {"name": asked.text(request, "name")}
    form = forms.Company(request.POST if request.method == "POST" else None, agency_id=here.agency_id, initial=offered)
    if form.is_bound and form.is_valid():
        company_id = services.create_company(agency_id=here.agency_id, by=here.member_id, **form.values())
        messages.success(request, _("The company is added."))
        return redirect("crm:company_detail", here.slug, company_id)
    return render(request, "crm/company_form.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def update_company(request: HttpRequest, company_id: UUID) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    company = existing(here.agency_id, company_id)
    form = forms.Company(request.POST if request.method == "POST" else None, agency_id=here.agency_id, initial=company)
    changed_meanwhile = False
    if form.is_bound and form.is_valid():
        try:
            services.update_company(
                agency_id=here.agency_id,
                company_id=company.id,
                by=here.member_id,
                version=form.cleaned_data["version"],
                **form.values(),
            )
            messages.success(request, _("The company is saved."))
            return redirect("crm:company_detail", here.slug, company.id)
        except services.ChangedMeanwhile:
            changed_meanwhile = True
    context = {"form": form, "company": company, "changed_meanwhile": changed_meanwhile}
    status = 422 if form.errors else 409 if changed_meanwhile else 200
    return render(request, "crm/company_form.html", context, status=status)
