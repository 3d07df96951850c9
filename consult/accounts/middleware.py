"""The way into an agency: /<agency>/… for its members, 404 for everybody else."""

import datetime as dt
import zoneinfo
from collections.abc import Callable
from typing import Any

import structlog
from allauth.core.exceptions import ImmediateHttpResponse, RateLimited, ReauthenticationRequired
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from consult.accounts import queries, rules, services
from consult.core import errors, origin, tenancy
from consult.core.api import limits

log = structlog.get_logger("consult.accounts")

GetResponse = Callable[[HttpRequest], HttpResponse]
View = Callable[..., HttpResponse]
ADMIN_AGENCY = "admin_agency"
WITHOUT_AGENCY = {"choose_agency", "login", "logout", "jsi18n"}


class InsideAgency:
    """Run each view whose route names an agency inside that agency, after checking membership.

    Sets `request.agency`, a Membership, and `request.memberships`.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.agency = None  # type: ignore[attr-defined]
        response = self.get_response(request)
        _note_active(request)
        return response

    def process_view(
        self, request: HttpRequest, view: View, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        try:
            return self._enter(request, view, args, kwargs)
        except Exception as error:
            # Django shows process_exception only what a view raised when it called the view itself.
            if response := errors.on_exception(request, error):
                return response
            raise

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, RateLimited):
            return errors.too_many_requests(request)
        if isinstance(exception, ImmediateHttpResponse | ReauthenticationRequired):
            # allauth's way to answer, which its own middleware understands.
            return None
        return errors.on_exception(request, exception)

    def _enter(
        self, request: HttpRequest, view: View, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        match = request.resolver_match
        if match and "admin" in match.app_names:
            return self._enter_admin(request, view, args, kwargs)
        if "agency" not in kwargs:
            return None
        if not request.user.is_authenticated:
            if errors.wants_json(request):
                return errors.problem(401, detail="Sign in first.")
            # The same whether the agency exists or not.
            return redirect_to_login(request.get_full_path())
        slug = kwargs.pop("agency")
        memberships = queries.memberships(request.user.pk)
        found = next((membership for membership in memberships if membership.slug == slug), None)
        if found is None:
            raise Http404
        try:
            told = limits.spend([limits.Turn("pages", settings.CONSULT_API_MEMBER_LIMIT, str(found.member_id))])
        except errors.Refused as refused:
            return errors.too_many_requests(request, headers=refused.headers)
        request.agency, request.memberships = found, memberships  # type: ignore[attr-defined]
        response = _inside(found.agency_id, request, view, args, kwargs)
        for name, value in told.items():
            response[name] = value
        return response

    def _enter_admin(
        self, request: HttpRequest, view: View, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        match = request.resolver_match
        if not request.user.is_superuser or (match and match.url_name in WITHOUT_AGENCY):
            return None
        origin.enter_admin()
        if chosen := request.session.get(ADMIN_AGENCY):
            return _inside(chosen, request, view, args, kwargs)
        return redirect("admin:choose_agency")


def _inside(
    agency_id: int, request: HttpRequest, view: View, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> HttpResponse:
    with tenancy.agency(agency_id), timezone.override(_zone(getattr(request.user, "time_zone", "UTC"))):
        return _rendered(view(request, *args, **kwargs))


def _note_active(request: HttpRequest) -> None:
    """Write that the person was here, where that was not written lately. Asks nothing of its own accord."""
    user = getattr(request, "_cached_user", None)
    if user is None or not user.is_authenticated:
        return
    now = dt.datetime.now(dt.UTC)
    if user.last_active_at is not None and user.last_active_at > now - services.ACTIVE_EVERY:
        return
    try:
        services.note_active(user_id=user.pk, now=now)
    except DatabaseError as error:
        # The answer is there already; this is not worth losing it.
        log.warning("activity not written", reason=type(error).__name__)


def _zone(name: str) -> zoneinfo.ZoneInfo:
    """Return the person's zone; UTC when this machine's list does not know it, which must lock nobody out."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo("UTC")


def _rendered(response: HttpResponse) -> HttpResponse:
    """Render inside the agency: a lazy response would read its rows after the door has closed."""
    if hasattr(response, "render") and callable(response.render):
        response.render()
    return response


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor: what the frame around every agency page shows."""
    found: queries.Membership | None = getattr(request, "agency", None)
    if found is None:
        return {"may_sign_up": services.may_sign_up()}
    return {
        "agency": {
            "id": found.agency_id,
            "slug": found.slug,
            "name": found.name,
            "time_zone": found.time_zone,
            "logo": found.logo,
            "closes_at": found.closes_at,
        },
        "member": {
            "id": found.member_id,
            "role": found.role,
            "unread": found.unread,
            "name": str(request.user),
            "can_write": rules.may(found.role, "records.write"),
            "can_settings": rules.may(found.role, "settings.manage"),
            "can_privacy": rules.may(found.role, "privacy.manage"),
            "can_own": rules.may(found.role, "agency.own"),
            "can_manage": rules.may(found.role, "sites.manage"),
        },
        "agencies": request.memberships,  # type: ignore[attr-defined]
        "live_token_url": reverse("accounts:live_token", args=[found.slug]),
    }
