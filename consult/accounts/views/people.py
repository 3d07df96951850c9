"""The way in, one's own account, and the choice of agency."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from consult.accounts import forms, queries, services
from consult.accounts.adapter import account as sign_in


@require_GET
def landing(request: HttpRequest) -> HttpResponse:
    """Say what Consult is; lead to sign-in, or whoever is signed in to their inboxes."""
    memberships = queries.memberships(request.user.pk) if request.user.is_authenticated else []
    return render(request, "landing.html", {"memberships": memberships})


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
    return sign_in.sign_in(request, user)


@login_required
@require_GET
def agency_list(request: HttpRequest) -> HttpResponse:
    """The user's agencies; straight into the only one."""
    memberships = queries.memberships(request.user.pk)
    if len(memberships) == 1:
        return redirect("inbox:enquiry_list", agency=memberships[0].slug)
    return render(request, "accounts/agency_list.html", {"agencies": memberships})


def _me(request: HttpRequest) -> int:
    """The id of who is signed in; these pages ask for that first."""
    if request.user.pk is None:
        raise PermissionDenied
    return request.user.pk


@login_required
@require_http_methods(["GET", "POST"])
def create_agency(request: HttpRequest) -> HttpResponse:
    """Open an agency, where people may do so without being invited."""
    if not services.may_sign_up():
        raise Http404
    given = {"agency_name": request.GET.get("name", ""), "slug": request.GET.get("slug", "")}
    form = forms.NewAgency(request.POST or None, initial=given)
    if request.method == "POST" and form.is_valid():
        slug, name = form.cleaned_data["slug"], form.cleaned_data["agency_name"]
        try:
            services.create_agency(slug=slug, name=name, owner_id=_me(request))
        except (services.NameTaken, services.BadName):
            form.add_error("slug", _("Somebody else was faster: it is taken now. Please choose another."))
        else:
            return redirect("inbox:enquiry_list", agency=slug)
    return render(
        request, "accounts/create_agency.html", {"form": form}, status=422 if request.method == "POST" else 200
    )


@login_required
@require_GET
def account(request: HttpRequest) -> HttpResponse:
    """One's own account: who one is, and every way in."""
    user = request.user
    form = forms.Profile(initial={"name": getattr(user, "name", ""), "time_zone": getattr(user, "time_zone", "UTC")})
    return _account(request, form)


@login_required
@require_POST
def update_profile(request: HttpRequest) -> HttpResponse:
    """Change one's name and time zone."""
    form = forms.Profile(request.POST)
    if not form.is_valid():
        return _account(request, form, status=422)
    services.update_profile(user_id=_me(request), **form.cleaned_data)
    messages.success(request, _("Saved."))
    return redirect("accounts:account")


def _account(request: HttpRequest, form: forms.Profile, *, status: int = 200) -> HttpResponse:
    shown: dict[str, Any] = {"form": form, "ways": queries.ways_in(_me(request))}
    return render(request, "accounts/account.html", shown, status=status)


@never_cache
@login_required
@require_GET
def sign_in_list(request: HttpRequest) -> HttpResponse:
    """Where one is signed in."""
    shown = queries.sign_ins(_me(request), session_key=request.session.session_key)
    return render(request, "accounts/sign_in_list.html", {"sign_ins": shown})


@login_required
@require_POST
def end_sign_in(request: HttpRequest, sign_in_id: int) -> HttpResponse:
    """Sign out one of one's own browsers."""
    if not services.end_sign_in(user_id=_me(request), sign_in_id=sign_in_id):
        raise Http404
    messages.success(request, _("That browser is signed out."))
    return redirect("accounts:sign_in_list")


@login_required
@require_POST
def end_other_sign_ins(request: HttpRequest) -> HttpResponse:
    """Sign out everywhere but here."""
    services.end_other_sign_ins(
        user_id=_me(request), session_key=request.session.session_key, now=dt.datetime.now(dt.UTC)
    )
    messages.success(request, _("You are signed out everywhere else."))
    return redirect("accounts:sign_in_list")
