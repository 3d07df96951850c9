"""Signing in through GitHub, and connecting a GitHub account to one's own."""

import datetime as dt
from typing import Any

import redis
import structlog
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount import signals
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.base.provider import Provider
from allauth.socialaccount.providers.github.provider import GitHubProvider
from allauth.socialaccount.providers.github.views import GitHubOAuth2Adapter
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import Error as DatabaseError
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consult.accounts import models, services

log = structlog.get_logger("consult.github")

SCOPES = ("read:user", "user:email")
# All that is kept of what GitHub tells about a person.
KEPT = ("id", "login", "name", "avatar_url", "html_url")


def is_configured() -> bool:
    return bool(settings.CONSULT_GITHUB_CLIENT_ID)


class GitHub(GitHubOAuth2Adapter):
    """GitHub where the settings say that it is."""

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request)
        # allauth has one address for both, when its modules are imported.
        self.authorize_url = f"{settings.CONSULT_GITHUB_URL}/login/oauth/authorize"
        self.access_token_url = f"{settings.CONSULT_GITHUB_URL}/login/oauth/access_token"
        self.profile_url = f"{settings.CONSULT_GITHUB_API_URL}/user"
        self.emails_url = f"{settings.CONSULT_GITHUB_API_URL}/user/emails"

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        return f"{settings.CONSULT_OFFICE_URL}/accounts/github/login/callback/"

    def complete_login(self, request: HttpRequest, app: SocialApp, token: Any, **kwargs: Any) -> SocialLogin:
        try:
            found: SocialLogin = super().complete_login(request, app, token, **kwargs)
        except (KeyError, TypeError, ValueError, AttributeError):
            # Whatever answered, it was not GitHub's API.
            raise OAuth2Error("not an answer of GitHub's API") from None
        return found


class Identity(GitHubProvider):
    """Who somebody is on GitHub, and nothing more: no page can ask for another scope."""

    oauth2_adapter_class = GitHub
    pkce_enabled_default = True

    def get_scope_from_request(self, request: HttpRequest) -> list[str]:
        return list(SCOPES)

    def get_scope(self) -> list[str]:
        return list(SCOPES)

    def get_auth_params_from_request(self, request: HttpRequest, action: str) -> dict[str, str]:
        return {}

    def extract_email_addresses(self, data: dict[str, Any]) -> list[EmailAddress]:
        """Without those whose form that we compare is another address: straße.example is not strasse.example."""
        found: list[EmailAddress] = super().extract_email_addresses(data)  # type: ignore[no-untyped-call]
        return [each for each in found if models.normalise_email(each.email) == each.email.strip().lower()]

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        return {key: data.get(key) for key in KEPT}


class Identities(DefaultSocialAccountAdapter):
    error_messages = {
        **DefaultSocialAccountAdapter.error_messages,
        "no_password": gettext_lazy("Set a password first: without it and without GitHub you could not come in."),
        "connected_other": gettext_lazy("This GitHub account belongs to another account here."),
    }

    def list_providers(self, request: HttpRequest) -> list[Provider]:
        return [self.get_provider(request, "github")] if is_configured() else []

    def get_provider(self, request: HttpRequest, provider: str, client_id: str | None = None) -> Provider:
        """Raise Http404 when it is not configured."""
        return Identity(request, app=self.get_app(request, provider, client_id))

    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """From the environment alone: the table socialaccount_socialapp is not even readable."""
        if provider not in (None, "github") or not is_configured():
            return []
        id, secret = settings.CONSULT_GITHUB_CLIENT_ID, settings.CONSULT_GITHUB_CLIENT_SECRET
        return [SocialApp(provider="github", name="GitHub", client_id=id, secret=secret)]

    def get_app(self, request: HttpRequest, provider: str, client_id: str | None = None) -> SocialApp:
        apps = self.list_apps(request, provider, client_id)
        if not apps:
            raise Http404
        return apps[0]

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> AbstractBaseUser:
        user: models.User = super().populate_user(request, sociallogin, data)
        user.name = str(data.get("name") or data.get("username") or "")[:200]
        return user

    def get_signup_form_initial_data(self, sociallogin: SocialLogin) -> dict[str, Any]:
        verified = [address.email for address in sociallogin.email_addresses if address.verified]
        initial = super().get_signup_form_initial_data(sociallogin)
        return {**initial, "email": (verified or [initial["email"]])[0], "name": getattr(sociallogin.user, "name", "")}

    def can_authenticate_by_email(self, login: SocialLogin, email: str) -> bool:
        """Only where GitHub and we have both verified that the address is theirs, and to a single identity.

        Otherwise somebody could sign up here with an address that is not theirs, and wait for its owner to join them.
        """
        found = EmailAddress.objects.filter(email=models.normalise_email(email), verified=True).first()
        return found is not None and not SocialAccount.objects.filter(user_id=found.user_id).exists()

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        # Taken off here: what comes next may put the whole of it into the session.
        token, sociallogin.token = sociallogin.token, None
        if token:
            # Of somebody who may never finish: not for a week.
            _keep(sociallogin.account, token.token, services.GITHUB_TOKEN_PENDING)
        if sociallogin.is_existing and not sociallogin.account._state.adding:
            _extend(sociallogin.account)
        if sociallogin.state.get("process") == AuthProcess.CONNECT:
            self._refuse_second(request, sociallogin)
        elif not sociallogin.is_existing:
            self._refuse_taken(request, sociallogin)

    def _refuse_second(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        mine = SocialAccount.objects.filter(user_id=request.user.pk or 0).exclude(uid=sociallogin.account.uid)
        if mine.exists():
            messages.error(request, _("You are connected with another GitHub account. Disconnect that one first."))
            raise ImmediateHttpResponse(redirect("socialaccount_connections"))

    def _refuse_taken(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """GitHub has verified that the address is theirs, so they may know that it has an account here."""
        verified = [models.normalise_email(each.email) for each in sociallogin.email_addresses if each.verified]
        if models.User.objects.filter(email__in=verified).exists():
            messages.error(
                request,
                _("Your e-mail address has an account here already. Sign in to it, then connect GitHub on its page."),
            )
            raise ImmediateHttpResponse(redirect("account_login"))

    def save_user(
        self, request: HttpRequest, sociallogin: SocialLogin, form: BaseForm | None = None
    ) -> AbstractBaseUser:
        if form is None:
            raise TypeError("people sign up by the form")
        chosen = form.cleaned_data["email"]
        # One address for each person: the chosen one, verified when GitHub says so of this very one.
        sociallogin.email_addresses = [
            each for each in sociallogin.email_addresses if models.normalise_email(each.email) == chosen
        ]
        user: AbstractBaseUser = super().save_user(request, sociallogin, form)
        _connected(sociallogin)
        return user


def _keep(account: SocialAccount, token: str, life: dt.timedelta) -> None:
    """Keep the token where it stays secret; a store that does not answer keeps nobody from signing in."""
    try:
        services.keep_github_token(
            github_user_id=int(account.uid), token=token, expires_at=dt.datetime.now(dt.UTC) + life
        )
    except (DatabaseError, redis.RedisError) as error:
        log.warning("token not kept", reason=type(error).__name__)


def _extend(account: SocialAccount) -> None:
    """Keep the token of somebody who is connected for as long as it may be kept."""
    now = dt.datetime.now(dt.UTC)
    try:
        services.extend_github_token(github_user_id=int(account.uid), now=now)
    except (DatabaseError, redis.RedisError) as error:
        log.warning("token not kept", reason=type(error).__name__)


def _connected(sociallogin: SocialLogin) -> None:
    account, extra = sociallogin.account, sociallogin.account.extra_data
    services.connect_github(
        user_id=account.user_id,
        github_user_id=int(account.uid),
        username=str(extra.get("login") or ""),
        avatar_url=str(extra.get("avatar_url") or ""),
    )
    _extend(account)


def listen() -> None:
    """Keep the user's own columns in step with what allauth does; called once, when the apps are ready."""
    signals.social_account_added.connect(_told_connected, dispatch_uid="accounts.github.added")
    signals.social_account_updated.connect(_told_connected, dispatch_uid="accounts.github.updated")
    signals.social_account_removed.connect(_told_removed, dispatch_uid="accounts.github.removed")


def _told_connected(*, sociallogin: SocialLogin, **_kwargs: Any) -> None:
    _connected(sociallogin)


def _told_removed(*, socialaccount: SocialAccount, **_kwargs: Any) -> None:
    services.disconnect_github(user_id=socialaccount.user_id)


_login = OAuth2LoginView.adapter_view(GitHub)  # type: ignore[no-untyped-call]
_callback = OAuth2CallbackView.adapter_view(GitHub)  # type: ignore[no-untyped-call]


def login(request: HttpRequest) -> HttpResponse:
    response: HttpResponse = _login(request)
    return response


def callback(request: HttpRequest) -> HttpResponse:
    response: HttpResponse = _callback(request)
    return response
