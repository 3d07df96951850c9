"""API tokens, and the programs that members have signed in."""

import datetime as dt
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from consult.accounts import forms, queries, services


@require_GET
def api_token_list(request: HttpRequest) -> HttpResponse:
    """One's own tokens and programs; everybody's and the agency's for who manages them."""
    here, now = queries.here(request), dt.datetime.now(dt.UTC)
    whose = None if queries.may(here, "tokens.manage") else here.member_id
    context = {
        "api_tokens": queries.api_tokens(here.agency_id, member_id=whose),
        "grants": queries.grants(here.agency_id, member_id=whose, now=now),
        "sees_all": whose is None,
        "now": now,
    }
    return render(request, "accounts/api_token_list.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
def create_api_token(request: HttpRequest) -> HttpResponse:
    """Make a token and show its secret, now and never again: it is in this answer and nowhere else."""
    here, now = queries.here(request), dt.datetime.now(dt.UTC)
    form = forms.ApiToken(here, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        # A token of one's own is every member's right; the agency's are not.
        whose = form.whose()
        if "role" in whose:
            queries.permit(request, "tokens.manage")
        _id, secret = services.create_api_token(
            agency_id=here.agency_id,
            by=here.member_id,
            expires_at=form.expires_at(now),
            name=form.cleaned_data["name"],
            scopes=form.cleaned_data["scopes"],
            **whose,
        )
        made = {"name": form.cleaned_data["name"], "secret": secret, "office_url": settings.CONSULT_OFFICE_URL}
        return render(request, "accounts/api_token_made.html", made)
    return render(request, "accounts/api_token_form.html", {"form": form}, status=422 if form.errors else 200)


@require_POST
def revoke_api_token(request: HttpRequest, token_id: UUID) -> HttpResponse:
    here = queries.here(request)
    found = queries.api_token(here.agency_id, token_id)
    _own(here, found.member_id if found else None, exists=found is not None and found.revoked_at is None)
    services.revoke_api_token(
        agency_id=here.agency_id, token_id=token_id, by=here.member_id, now=dt.datetime.now(dt.UTC)
    )
    messages.success(request, _("The token is revoked: it opens nothing any more."))
    return redirect("accounts:api_token_list", here.slug)


@require_POST
def revoke_grant(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    here, now = queries.here(request), dt.datetime.now(dt.UTC)
    found = next((each for each in queries.grants(here.agency_id, now=now) if each.id == grant_id), None)
    _own(here, found.member_id if found else None, exists=found is not None)
    services.revoke_grant(agency_id=here.agency_id, grant_id=grant_id, by=here.member_id, now=now)
    messages.success(request, _("The program is signed out."))
    return redirect("accounts:api_token_list", here.slug)


def _own(here: queries.Membership, member_id: UUID | None, *, exists: bool) -> None:
    """Raise Http404 for what is not there, or is not this member's own while they do not manage all of them."""
    if not exists:
        raise Http404
    if not queries.may(here, "tokens.manage") and (member_id is None or member_id != here.member_id):
        raise Http404
