"""The settings of replies: templates, and where answers come in."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from consult.accounts import queries as accounts
from consult.inbox import forms, queries, services


@require_http_methods(["GET", "POST"])
def template_list(request: HttpRequest) -> HttpResponse:
    here = accounts.permit(request, "records.write" if request.method == "POST" else "records.read")
    form = forms.Template(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            services.create_template(agency_id=here.agency_id, by=here.member_id, **form.cleaned_data)
            messages.success(request, _("The template is there. It stands beside every reply from now on."))
            return redirect("inbox:template_list", here.slug)
        except services.TemplateTaken:
            form.add_error("name", _("There is a template of this name already."))
        except services.TooManyTemplates:
            form.add_error(None, _("There are 200 templates already. Delete one that nobody uses."))
    context = {"form": form, "templates": queries.templates(here.agency_id), **_incoming(request)}
    return render(request, "inbox/template_list.html", context, status=422 if form.errors else 200)


def _incoming(request: HttpRequest) -> dict[str, Any]:
    here = accounts.here(request)
    manages = accounts.may(here, "settings.manage")
    found: dict[str, Any] = {
        "placeholders": forms.PLACEHOLDERS,
        "inbound": queries.takes_mail(here.agency_id),
        "mailbox": queries.mailbox(here.agency_id),
        "form_addresses": queries.form_addresses(here.agency_id),
        "manages": manages,
    }
    if settings.CONSULT_MAIL_INBOUND and manages:
        hook_id, secret = queries.hook(here.agency_id)
        found |= {
            "hook_url": request.build_absolute_uri(reverse("receive_mail", args=[hook_id])),
            "hook_secret": secret,
            "hook_renewed_at": queries.hook_renewed_at(here.agency_id),
        }
    return found


@require_http_methods(["GET", "POST"])
def change_template(request: HttpRequest, template_id: UUID) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    found = next((each for each in queries.templates(here.agency_id) if each.id == template_id), None)
    if found is None:
        raise Http404
    form = forms.Template(
        request.POST if request.method == "POST" else None, initial={"name": found.name, "body": found.body}
    )
    if form.is_bound and form.is_valid():
        try:
            services.change_template(
                agency_id=here.agency_id, template_id=template_id, by=here.member_id, **form.cleaned_data
            )
            messages.success(request, _("The template is saved."))
            return redirect("inbox:template_list", here.slug)
        except services.TemplateTaken:
            form.add_error("name", _("There is a template of this name already."))
        except services.NoSuchTemplate as error:
            raise Http404 from error
    context = {"form": form, "template": found, "placeholders": forms.PLACEHOLDERS}
    return render(request, "inbox/template_form.html", context, status=422 if form.errors else 200)


@require_POST
def delete_template(request: HttpRequest, template_id: UUID) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    try:
        name = services.delete_template(agency_id=here.agency_id, template_id=template_id, by=here.member_id)
    except services.NoSuchTemplate as error:
        raise Http404 from error
    messages.success(request, _("“%(name)s” is deleted.") % {"name": name})
    return redirect("inbox:template_list", here.slug)
