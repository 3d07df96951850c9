"""Sign-up, sign-in and the mails about them."""

import datetime as dt
from typing import Any
from urllib.parse import urlencode

from allauth.account import signals
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.signup import prevent_enumeration
from allauth.account.models import EmailAddress
from allauth.account.utils import perform_login
from allauth.core.exceptions import ImmediateHttpResponse, RateLimited
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consult.accounts import models, rules, services
from consult.core import origin

# What the session keeps between sign-up and the moment when the address is verified: {user, name, slug}.
AGENCY_WANTED = "agency_wanted"
# Put there by the page of an invitation: its own path.
INVITATION = "invitation"


class Accounts(DefaultAccountAdapter):
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": gettext_lazy("This e-mail address and this password do not belong together."),
        "incorrect_code": gettext_lazy("This is not the code."),
        "incorrect_password": gettext_lazy("This is not your password."),
        "enter_current_password": gettext_lazy("This is not your current password."),
        "duplicate_email": gettext_lazy("This is your address already."),
        "email_taken": gettext_lazy("This address cannot be used here: it belongs to another account."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Whether everybody may sign up here (CONSULT_SIGN_UP), or this person was invited."""
        return settings.CONSULT_SIGN_UP == "open" or is_invited(request)

    def validation_error(self, code: str, *args: Any) -> ValidationError:
        # A form that says so with status 200 would be a page like any other for programs and for caches.
        if code in ("too_many_login_attempts", "rate_limited"):
            raise RateLimited
        return super().validation_error(code, *args)

    def clean_email(self, email: str) -> str:
        return models.normalise_email(email)

    def is_email_verified(self, request: HttpRequest, email: str) -> bool:
        verified = str(request.session.get("account_verified_email") or "")
        return (
            bool(verified) and is_invited(request) and models.normalise_email(verified) == models.normalise_email(email)
        )

    def unstash_verified_email(self, request: HttpRequest) -> str | None:
        """None for allauth: whoever was invited by one address may sign up with another, which is then verified."""
        return None

    def save_user(
        self, request: HttpRequest, user: AbstractBaseUser, form: BaseForm, commit: bool = True
    ) -> AbstractBaseUser:
        if not isinstance(user, models.User):
            raise TypeError("not a user of ours")
        user.name = form.cleaned_data["name"]
        try:
            with transaction.atomic():
                return super().save_user(request, user, form, commit)
        except IntegrityError:
            # Of two sign-ups with one address at once: as if this one had come a moment later.
            raise ImmediateHttpResponse(prevent_enumeration(request, email=form.cleaned_data["email"])) from None

    def post_login(self, request: HttpRequest, user: AbstractBaseUser, **kwargs: Any) -> HttpResponse:
        response = super().post_login(request, user, **kwargs)
        request.session.pop("account_verified_email", None)
        wanted = request.session.pop(AGENCY_WANTED, None)
        if path := _invitation(request):
            # Also one that is spent: its page says so.
            request.session.pop(INVITATION)
            return redirect(path)
        if wanted and wanted["user"] == user.pk:
            return self._open_agency(request, user, wanted) or response
        return response

    def _open_agency(self, request: HttpRequest, user: AbstractBaseUser, wanted: dict[str, Any]) -> HttpResponse | None:
        """The agency that somebody named when they signed up, now that they are who they said."""
        try:
            services.create_agency(slug=wanted["slug"], name=wanted["name"], owner_id=user.pk)
        except (services.NameTaken, services.BadName):
            messages.warning(
                request, _("Meanwhile somebody else has taken the address that you chose. Please choose another.")
            )
            given = urlencode({"name": wanted["name"], "slug": wanted["slug"]})
            return redirect(f"{reverse('accounts:create_agency')}?{given}")
        return redirect("inbox:enquiry_list", agency=wanted["slug"])

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("accounts:account")

    def get_reset_password_from_key_url(self, key: str) -> str:
        """The address that the operator gave, not the one that the request names: mails are trusted."""
        path = super().get_reset_password_from_key_url(key)
        return settings.CONSULT_OFFICE_URL + path[path.index("/accounts/") :]

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Account and address together: a stranger who guesses locks nobody out but themselves."""
        return f"{origin.sender(self.get_client_ip(request))}:{models.normalise_email(credentials.get('email', ''))}"

    def is_ajax(self, request: HttpRequest) -> bool:
        """Only where a page asks what a passkey has to sign: JSON answers to a form repeat what it was sent."""
        match = request.resolver_match
        return request.method == "GET" and match is not None and match.url_name == "mfa_login_webauthn"

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address that core.http.TrustedProxies has established."""
        return str(request.META.get("REMOTE_ADDR") or "0.0.0.0")  # noqa: S104


def _confirmed(*, request: HttpRequest, email_address: EmailAddress, **_kwargs: Any) -> None:
    """An address's owner comes in by code, for the first time: the password is of whoever signed up with it."""
    by_code = request.resolver_match is not None and request.resolver_match.url_name == "account_confirm_login_code"
    if by_code and email_address.user.last_login is None:
        services.forget_ways_in(user=email_address.user)


def _reset(*, user: models.User, **_kwargs: Any) -> None:
    """Who resets has the mailbox; nobody had shown that before."""
    if not EmailAddress.objects.filter(user_id=user.pk, verified=True).exists():
        services.forget_ways_in(user=user, but_password=True)


def _new_password(*, user: models.User, **_kwargs: Any) -> None:
    """Whoever came in with the old one may have signed a program in."""
    services.sign_programs_out(user_id=user.pk, now=dt.datetime.now(dt.UTC))


def listen() -> None:
    """Hear what allauth tells; called once, when the apps are ready."""
    for told in (signals.password_set, signals.password_changed, signals.password_reset):
        told.connect(_new_password, dispatch_uid="accounts.account.new_password")
    signals.password_reset.connect(_reset, dispatch_uid="accounts.account.reset")
    signals.email_confirmed.connect(_confirmed, dispatch_uid="accounts.account.confirmed")


def sign_in(request: HttpRequest, user: models.User) -> HttpResponse:
    """Sign in somebody who has shown who they are; a second factor is asked for where there is one."""
    response: HttpResponse = perform_login(request, user, email_verification="none")
    return response


def is_invited(request: HttpRequest) -> bool:
    """Whether the page of an invitation has sent this browser here, and it still stands."""
    token = _invitation(request).rstrip("/").rpartition("/")[2]
    found = services.invitation_of(token, now=dt.datetime.now(dt.UTC)) if token else None
    return found is not None and found.state == "open"


def _invitation(request: HttpRequest) -> str:
    path = str(request.session.get(INVITATION) or "")
    return path if path.startswith("/accounts/invitations/") else ""


def keep_wanted_agency(request: HttpRequest, user: AbstractBaseUser, *, name: str, slug: str) -> None:
    """Remember the agency until the address is verified: an unverified stranger takes no name away."""
    request.session[AGENCY_WANTED] = {"user": user.pk, "name": name, "slug": slug or rules.slug_of(name)}
