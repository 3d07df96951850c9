"""Taking a place that was offered by e-mail."""

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from consult.accounts import queries, services


@never_cache
@require_http_methods(["GET", "POST"])
def accept_invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Show what is offered, and by a POST take it."""
    now = timezone.now()
    found = services.invitation_of(token, now=now)
    if found is None:
        return _page(request, None, "unknown", 404)
    if not request.user.is_authenticated:
        if found.state == "open":
            # Whoever has the link reads the mail of that address: signing up with it needs no second proof.
            request.session["invitation"] = request.path
            get_adapter().stash_verified_email(request, found.email)
        return _page(request, found, found.state, 200 if found.state == "open" else 410)
    if request.method == "POST":
        return _accept(request, request.user.pk, token, found)
    inside = any(place.agency_id == found.agency_id for place in queries.memberships(request.user.pk))
    if inside:
        return _page(request, found, "inside", 200)
    if found.state != "open":
        return _page(request, found, found.state, 410)
    return _page(request, found, "open" if services.owns(request.user, found.email) else "other", 200)


def _accept(request: HttpRequest, user_id: int, token: str, found: queries.Invitation) -> HttpResponse:
    try:
        slug = services.accept_invitation(token=token, user_id=user_id, now=timezone.now())
    except services.NoSuchInvitation:
        return _page(request, None, "unknown", 404)
    except services.InvitationSpent as error:
        return _page(request, found, error.state, 410)
    except services.OtherAddress:
        return _page(request, found, "other", 403)
    request.session.pop("invitation", None)
    messages.success(request, _("Welcome to %(agency)s.") % {"agency": found.agency})
    return redirect("inbox:enquiry_list", slug)


def _page(request: HttpRequest, found: queries.Invitation | None, state: str, status: int) -> HttpResponse:
    context = {"invitation": found, "state": state}
    return render(request, "accounts/accept_invitation.html", context, status=status)
