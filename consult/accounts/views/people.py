"""The way in, and the choice of agency."""

import datetime as dt

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from consult.accounts import queries, services


@require_GET
def landing(request: HttpRequest) -> HttpResponse:
    """Say what Consult is; lead to sign-in, or home when signed in."""
    home = reverse("accounts:agency_list") if request.user.is_authenticated else ""
    return render(request, "landing.html", {"home_url": home})


@never_cache
@require_GET
def use_sign_in_link(request: HttpRequest, token: str) -> HttpResponse:
    """Sign in by a one-time link."""
    try:
        user = services.use_sign_in_link(token=token, now=dt.datetime.now(dt.UTC))
    except services.LinkSpent:
        if request.user.is_authenticated:
            return redirect("accounts:agency_list")
        messages.error(request, _("This sign-in link was used already or is too old. Sign in with your password."))
        return redirect("account_login")
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return redirect("accounts:agency_list")


@login_required
@require_GET
def agency_list(request: HttpRequest) -> HttpResponse:
    """The user's agencies; straight into the only one."""
    memberships = queries.memberships(request.user.pk)
    if len(memberships) == 1:
        return redirect("inbox:enquiry_list", agency=memberships[0].slug)
    return render(request, "accounts/agency_list.html", {"agencies": memberships})
