"""Pages of intake: sites, forms, and what needs attention."""

import json
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from consult.accounts import queries as accounts
from consult.core import downloads, files
from consult.intake import forms, queries, reports, services


@require_GET
def site_list(request: HttpRequest) -> HttpResponse:
    here = accounts.here(request)
    return render(request, "intake/site_list.html", {"sites": queries.sites(here.agency_id)})


@require_http_methods(["GET", "POST"])
def create_site(request: HttpRequest) -> HttpResponse:
    here = accounts.permit(request, "sites.manage")
    form = forms.Site(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        site_id = services.create_site(agency_id=here.agency_id, by=here.member_id, **form.cleaned_data)
        messages.success(request, _("The site is added. Give it a form next."))
        return redirect("intake:site_detail", here.slug, site_id)
    return render(request, "intake/site_form.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def update_site(request: HttpRequest, site_id: UUID) -> HttpResponse:
    here = accounts.permit(request, "sites.manage")
    site = _site(here.agency_id, site_id)
    form = forms.Site(request.POST if request.method == "POST" else None, initial=site)
    if form.is_bound and form.is_valid():
        services.update_site(agency_id=here.agency_id, site_id=site_id, by=here.member_id, **form.cleaned_data)
        messages.success(request, _("The site is saved."))
        return redirect("intake:site_detail", here.slug, site_id)
    return render(request, "intake/site_form.html", {"form": form, "site": site}, status=422 if form.errors else 200)


@require_GET
def site_detail(request: HttpRequest, site_id: UUID) -> HttpResponse:
    here = accounts.here(request)
    return render(request, "intake/site_detail.html", {"site": _site(here.agency_id, site_id)})


def _site(agency_id: int, site_id: UUID) -> dict[str, object]:
    site = queries.site(agency_id, site_id)
    if site is None:
        raise Http404
    return site


@require_http_methods(["GET", "POST"])
def create_form(request: HttpRequest, site_id: UUID) -> HttpResponse:
    here = accounts.permit(request, "sites.manage")
    site = _site(here.agency_id, site_id)
    form = forms.Form(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        form_id = services.create_form(agency_id=here.agency_id, site_id=site_id, by=here.member_id, **form.values())
        messages.success(request, _("The form is ready. Put its snippet on the site, or use its own page."))
        return redirect("intake:form_detail", here.slug, form_id)
    context = {"form": form, "site": site, "field_rows": form.rows_shown()}
    return render(request, "intake/form_form.html", context, status=422 if form.errors else 200)


@require_GET
def form_detail(request: HttpRequest, form_id: UUID) -> HttpResponse:
    here = accounts.here(request)
    return render(request, "intake/form_detail.html", {"form_page": _form_page(here.agency_id, form_id)})


def _form_page(agency_id: int, form_id: UUID) -> dict[str, object]:
    page = queries.form_page(agency_id, form_id)
    if page is None:
        raise Http404
    return page


@require_http_methods(["GET", "POST"])
def update_form(request: HttpRequest, form_id: UUID) -> HttpResponse:
    here = accounts.permit(request, "sites.manage")
    page = _form_page(here.agency_id, form_id)
    form = forms.Form(request.POST if request.method == "POST" else None, initial=page)
    if form.is_bound and form.is_valid():
        services.update_form(agency_id=here.agency_id, form_id=form_id, by=here.member_id, **form.values())
        messages.success(request, _("The form is saved. Enquiries sent before keep the form as it was."))
        return redirect("intake:form_detail", here.slug, form_id)
    context = {"form": form, "site": page["site"], "form_page": page, "field_rows": form.rows_shown()}
    return render(request, "intake/form_form.html", context, status=422 if form.errors else 200)


@require_GET
def attention(request: HttpRequest) -> HttpResponse:
    here = accounts.here(request)
    return render(request, "intake/attention.html", reports.attention_page(here.agency_id, timezone.now()))


@require_GET
def download_set_aside(request: HttpRequest, set_aside_id: UUID) -> HttpResponse:
    found = reports.raw(accounts.here(request).agency_id, set_aside_id)
    if found is None:
        raise Http404
    receipt, content = found
    return HttpResponse(
        content,
        content_type="application/octet-stream",
        headers={"Content-Disposition": f'attachment; filename="set-aside-{receipt}.msgpack"'},
    )


@require_POST
def resolve_set_aside(request: HttpRequest, set_aside_id: UUID) -> HttpResponse:
    here = accounts.permit(request, "sites.manage")
    try:
        services.resolve_set_aside(agency_id=here.agency_id, id=set_aside_id, now=timezone.now(), by=here.member_id)
    except services.NothingSetAside:
        raise Http404 from None
    messages.success(request, _("Marked as resolved. It stays below, and its bytes are kept."))
    return redirect("intake:attention", here.slug)


@require_POST
def reopen_set_aside(request: HttpRequest, set_aside_id: UUID) -> HttpResponse:
    here = accounts.permit(request, "sites.manage")
    try:
        services.reopen_set_aside(agency_id=here.agency_id, id=set_aside_id, by=here.member_id)
    except services.NothingSetAside:
        raise Http404 from None
    return redirect("intake:attention", here.slug)


@require_GET
def file(request: HttpRequest, file_id: UUID) -> HttpResponseBase:
    """A visitor's file: always to be saved, never to be run here. Whoever may read the submission may have it."""
    here = accounts.here(request)
    found = queries.file(here.agency_id, file_id)
    if found is None:
        raise Http404
    content = files.read(found.location)
    return downloads.attachment(content, name=found.name, media_type=found.shown_type, size=found.size)


# --- blocked senders ------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def block_list(request: HttpRequest) -> HttpResponse:
    """Who is blocked. A POST blocks somebody, from here or from an enquiry."""
    if request.method == "POST":
        return _block_sender(request)
    return _blocks(request)


def _blocks(request: HttpRequest, *, status: int = 200, **more: Any) -> HttpResponse:
    agency_id = accounts.here(request).agency_id
    names = accounts.member_names(agency_id)
    rows = [
        {"row": row, "by": names.get(row.by_id, "") if row.by_id else "", "sender": row.sender}
        for row in queries.blocks(agency_id)
    ]
    return render(request, "intake/block_list.html", {"blocks": rows, **more}, status=status)


def _block_sender(request: HttpRequest) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    # Postgres text holds no NUL.
    sender, reason = (request.POST.get(name, "").replace("\0", "") for name in ("sender", "reason"))
    try:
        block_id = services.block_sender(agency_id=here.agency_id, sender=sender, reason=reason, by=here.member_id)
    except services.NotBlockable:
        wrong = _("This is neither an e-mail address nor a domain such as example.com.")
    except services.FreeMail:
        wrong = _("Many people have an address there. Block the one address instead.")
    except services.TooManyBlocks:
        wrong = _("That are too many: take some away first.")
    else:
        text = _("What comes from %(sender)s is held from now on.") % {"sender": sender.strip()}
        undo = {"url": reverse("intake:unblock_sender", args=[here.slug, block_id]), "values": {}}
        return _said(request, text, undo)
    if request.headers.get("HX-Request"):
        return _said(request, wrong, None)
    return _blocks(request, status=422, block_error=wrong, sender=sender, reason=reason)


@require_POST
def unblock_sender(request: HttpRequest, block_id: UUID) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    try:
        sender, reason = services.unblock_sender(agency_id=here.agency_id, block_id=block_id, by=here.member_id)
    except services.NoSuchBlock as error:
        raise Http404 from error
    undo = {"url": reverse("intake:block_list", args=[here.slug]), "values": {"sender": sender, "reason": reason}}
    return _said(request, _("%(sender)s is no longer blocked.") % {"sender": sender}, undo)


def _said(request: HttpRequest, text: str, undo: dict[str, Any] | None) -> HttpResponse:
    """Say what was done: in place to htmx, with the way to take it back, and on the page of all blocks to others."""
    if request.headers.get("HX-Request"):
        response = HttpResponse()
        response["HX-Trigger"] = json.dumps({"consult:said": {"text": text, "undo": undo, "stays": undo is None}})
        return response
    messages.success(request, text)
    return redirect("intake:block_list", accounts.here(request).slug)
