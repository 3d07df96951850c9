"""The page of the agency's own fields."""

import datetime as dt
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from consult.accounts import queries as accounts
from consult.crm import forms, queries, services


@require_http_methods(["GET", "POST"])
def create_field(request: HttpRequest) -> HttpResponse:
    here = accounts.permit(request, "settings.manage")
    form = forms.Field(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            services.create_field(agency_id=here.agency_id, by=here.member_id, **form.cleaned_data)
            messages.success(request, _("The field is there. It stands in the form from now on."))
            return redirect("crm:create_field", here.slug)
        except services.FieldTaken:
            form.add_error("name", _("There is a field of this name already."))
        except services.TooManyFields:
            form.add_error(None, _("There are 30 fields already. Retire one that nobody fills in."))
    context = {"form": form, "fields": queries.fields(here.agency_id)}
    return render(request, "crm/field_list.html", context, status=422 if form.errors else 200)


@require_POST
def retire_field(request: HttpRequest, field_id: UUID) -> HttpResponse:
    here = accounts.permit(request, "settings.manage")
    try:
        services.retire_field(
            agency_id=here.agency_id, field_id=field_id, by=here.member_id, now=dt.datetime.now(dt.UTC)
        )
    except services.NoSuchField as error:
        raise Http404 from error
    messages.success(request, _("The field is retired. What was filled in stays stored."))
    return redirect("crm:create_field", here.slug)
