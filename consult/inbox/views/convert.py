"""An enquiry becomes a contact, a company, a deal and a task: the page shows what will be, one button does it."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from consult.accounts import queries as accounts
from consult.inbox import forms, queries, services


@require_http_methods(["GET", "POST"])
def convert_enquiry(request: HttpRequest, number: int) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    enquiry = queries.enquiry(here.agency_id, number)
    if enquiry is None:
        raise Http404
    offer = queries.offer(here.agency_id, enquiry)
    initial = _initial(enquiry, offer, asks_for_task="task" in request.GET)
    form = forms.Convert(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_bound and form.is_valid():
        try:
            done = services.convert_enquiry(
                agency_id=here.agency_id,
                number=number,
                plan=form.plan(),
                by=here.member_id,
                now=dt.datetime.now(dt.UTC),
            )
        except services.NothingChosen:
            form.add_error(None, _("Choose at least one: a contact, a company, a deal or a task."))
        except services.NotThere:
            form.add_error(None, _("What was chosen is gone meanwhile. Please choose again."))
        except services.KnownMeanwhile:
            form.add_error(
                None, _("Somebody with this address became a contact just now. Please look at the choice again.")
            )
        except ValueError as error:
            form.add_error(None, str(error))
        else:
            address = reverse("inbox:enquiry_detail", args=[here.slug, number])
            if done.task_key:
                messages.success(request, _("Task %(key)s is there.") % {"key": done.task_key})
            if done.version is None:
                if done.task_key:
                    return redirect(address)
                messages.info(request, _("Everything of it was there already; nothing was doubled."))
                return redirect(address)
            # The page offers to take back what led to this version.
            return redirect(f"{address}?converted={done.version}")
    context = {"enquiry": enquiry, "form": form, "offer": offer, "links": queries.links(here.agency_id, enquiry)}
    return render(request, "inbox/convert_form.html", context, status=422 if form.errors else 200)


def _initial(enquiry: queries.Detail, offer: queries.Offer, *, asks_for_task: bool) -> dict[str, Any]:
    """Return what the page proposes: the likeliest contact, or a new one."""
    company = str(offer.company_id) if offer.company_id else "new" if offer.company_name else ""
    if offer.candidates and not offer.company_name:
        company = ""
    return {
        "contact": str(offer.candidates[0].id) if offer.candidates else "new",
        "contact_name": enquiry.sender_name,
        "email": enquiry.sender_email,
        "phone": enquiry.sender_phone,
        "company": company,
        "company_name": offer.company_name,
        "deal": False,
        "deal_title": enquiry.subject or enquiry.excerpt[:80],
        "task": bool(offer.projects) and asks_for_task,
        "task_title": enquiry.subject or enquiry.excerpt[:80],
        "project": str(offer.projects[0].id) if len(offer.projects) == 1 else "",
        "offered": len(offer.candidates),
    }
