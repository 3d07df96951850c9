"""The people of an agency."""

import datetime as dt
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from consult.accounts import forms, queries, rules, services


@require_GET
def member_list(request: HttpRequest) -> HttpResponse:
    return _page(request)


def _page(request: HttpRequest, form: forms.Invitation | None = None) -> HttpResponse:
    here = queries.permit(request, "records.read")
    people = queries.colleagues(here.agency_id)
    managing = queries.may(here, "members.manage")
    made = queries.tokens_of_makers(here.agency_id) if managing else {}
    owners = sum(person.role == "owner" for person in people)
    context = {
        "people": [{**_row(here, person, owners), "made": made.get(person.id, [])} for person in people],
        "invitations": [
            (offer, managing and rules.may_give(here.role, offer.role))
            for offer in queries.open_invitations(here.agency_id, timezone.now())
        ],
        "form": (form or forms.Invitation(by_role=here.role)) if managing else None,
        "last_owner": here.role == "owner" and owners == 1,
        "active_since": timezone.now() - dt.timedelta(minutes=10),
    }
    return render(request, "accounts/member_list.html", context, status=422 if form and form.errors else 200)


def _row(here: queries.Membership, person: queries.Colleague, owners: int) -> dict[str, Any]:
    """A person, and what whoever looks may do with them."""
    me = person.id == here.member_id
    stays = rules.needs_an_owner(owners, person.role, None)
    roles = [
        (role, name)
        for role, name in forms.roles_given(here.role)
        if rules.may_change(here.role, person.role, role) and not rules.needs_an_owner(owners, person.role, role)
    ]
    managing = queries.may(here, "members.manage")
    return {
        "person": person,
        "me": me,
        "roles": roles if managing and len(roles) > 1 else [],
        "removable": managing and not me and not stays and rules.may_remove(here.role, person.role),
        "heir": here.role == "owner" and not me,
    }


@require_POST
def invite_member(request: HttpRequest) -> HttpResponse:
    here = queries.permit(request, "members.manage")
    form = forms.Invitation(request.POST, by_role=here.role)
    if not form.is_valid() or here.member_id is None:
        return _page(request, form)
    given = form.cleaned_data
    try:
        services.invite_member(agency_id=here.agency_id, by=here.member_id, now=timezone.now(), **given)
    except services.AlreadyMember:
        form.add_error("email", _("Somebody with this address is in the agency already."))
    except services.NotYours:
        form.add_error("email", _("Only an owner may change this invitation: it is for an owner."))
    except services.TooManyInvitations:
        form.add_error("email", _("That is as many invitations as an agency may send in a day. Try again tomorrow."))
    except services.BadInvitation:
        form.add_error("email", _("One e-mail address, such as ann@agency.example."))
    else:
        messages.success(request, _("The invitation to %(email)s is on its way.") % given)
        return redirect("accounts:member_list", here.slug)
    return _page(request, form)


@require_POST
def resend_invitation(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    here = queries.permit(request, "members.manage")
    now = timezone.now()
    with_words = _("A new link is on its way. The one before does not work any more.")
    return _invitation(
        request,
        lambda: services.resend_invitation(
            agency_id=here.agency_id, invitation_id=invitation_id, by=queries.person_here(here), now=now
        ),
        with_words,
    )


@require_POST
def revoke_invitation(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    here = queries.permit(request, "members.manage")
    now = timezone.now()
    return _invitation(
        request,
        lambda: services.revoke_invitation(
            agency_id=here.agency_id, invitation_id=invitation_id, by=here.member_id, by_role=here.role, now=now
        ),
        _("The invitation is taken back. Its link does not work any more."),
    )


def _invitation(request: HttpRequest, act: Callable[[], None], words: str) -> HttpResponse:
    try:
        act()
        messages.success(request, words)
    except services.NoSuchInvitation:
        messages.info(request, _("This invitation is not open any more: it was accepted or taken back meanwhile."))
    except services.TooManyInvitations:
        messages.error(request, _("That is as many invitations as an agency may send in a day. Try again tomorrow."))
    except services.NotYours as error:
        raise PermissionDenied(_("An invitation for an owner is the owners' own.")) from error
    return redirect("accounts:member_list", queries.here(request).slug)


@require_POST
def change_role(request: HttpRequest, member_id: UUID) -> HttpResponse:
    here = queries.permit(request, "members.manage")
    role, now = request.POST.get("role", ""), timezone.now()
    return _change(
        request,
        lambda: services.change_role(
            agency_id=here.agency_id, member_id=member_id, role=role, by=here.member_id, by_role=here.role, now=now
        ),
        _("The role is changed. It holds from their next click on."),
    )


@require_POST
def remove_member(request: HttpRequest, member_id: UUID) -> HttpResponse:
    here = queries.permit(request, "members.manage")
    now = timezone.now()
    return _change(
        request,
        lambda: services.remove_member(
            agency_id=here.agency_id, member_id=member_id, by=here.member_id, by_role=here.role, now=now
        ),
        _("They are removed. To take it back, invite them again: they get the same place."),
    )


@require_POST
def transfer_agency(request: HttpRequest, member_id: UUID) -> HttpResponse:
    here = queries.permit(request, "agency.own")
    now = timezone.now()
    return _change(
        request,
        lambda: services.transfer_agency(
            agency_id=here.agency_id, member_id=member_id, by=queries.person_here(here), now=now
        ),
        _("The agency has another owner now, and you are an admin of it."),
    )


@require_POST
def leave_agency(request: HttpRequest) -> HttpResponse:
    here = queries.here(request)
    try:
        services.leave_agency(agency_id=here.agency_id, member_id=queries.person_here(here), now=timezone.now())
    except services.LastOwner:
        messages.error(request, _LAST_OWNER())
        return redirect("accounts:member_list", here.slug)
    messages.success(request, _("You have left %(agency)s.") % {"agency": here.name})
    return redirect("accounts:agency_list")


def _LAST_OWNER() -> str:
    return _("An agency needs an owner. Make somebody else one first, or delete the agency.")


def _change(request: HttpRequest, act: Callable[[], None], words: str) -> HttpResponse:
    try:
        act()
        messages.success(request, words)
    except services.NoSuchMember as error:
        raise Http404 from error
    except services.NotYours as error:
        raise PermissionDenied(_("Your role does not reach that far: owners are the owners' own.")) from error
    except services.LastOwner:
        messages.error(request, _LAST_OWNER())
    return redirect("accounts:member_list", queries.here(request).slug)
