"""Enquiries that staff type in."""

import datetime as dt
import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from consult.accounts import queries as accounts
from consult.inbox import forms, queries, services
from consult.intake import queries as intake


@require_http_methods(["GET", "POST"])
def type_in_enquiry(request: HttpRequest) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    choices = queries.choices(here.agency_id, intake.form_labels(here.agency_id), {})["forms"]
    form = forms.TypedIn(
        request.POST if request.method == "POST" else None, choices=choices, initial={"id": uuid.uuid4()}
    )
    if form.is_bound and form.is_valid():
        said = form.cleaned_data
        try:
            number = services.type_in_enquiry(
                agency_id=here.agency_id, by=here.member_id, now=dt.datetime.now(dt.UTC), **said
            )
        except services.AnotherSubmission:
            # The same page sent twice with other words: the first is kept, and so is this.
            form.add_error(None, _("This page was sent before with other words. Open a new one for another enquiry."))
        except services.NoSuchForm:
            form.add_error("form_id", _("This form is gone. Choose another."))
        else:
            messages.success(request, _("The enquiry is in. Its receipt is below: read it out if they want one."))
            return redirect("inbox:enquiry_detail", here.slug, number)
    context = {"form": form, "has_forms": bool(choices)}
    return render(request, "inbox/enquiry_form.html", context, status=422 if form.errors else 200)
