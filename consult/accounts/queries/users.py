"""People, how they come in, and where they are signed in."""

import dataclasses
import datetime as dt

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings

from consult.accounts import models, rules


@dataclasses.dataclass(frozen=True)
class WaysIn:
    """How a person may sign in, for their own page."""

    email: str
    has_password: bool
    has_totp: bool
    passkeys: int
    recovery_codes: bool
    github_username: str
    github_offered: bool
    sign_ins: int


def ways_in(user_id: int) -> WaysIn:
    """Return how this person may sign in. Raise User.DoesNotExist."""
    user = models.User.objects.get(pk=user_id)
    kinds = list(Authenticator.objects.filter(user_id=user.pk).values_list("type", flat=True))
    return WaysIn(
        email=user.email,
        has_password=user.has_usable_password(),
        has_totp=Authenticator.Type.TOTP in kinds,
        passkeys=kinds.count(Authenticator.Type.WEBAUTHN),
        recovery_codes=Authenticator.Type.RECOVERY_CODES in kinds,
        github_username=user.github_username if user.github_user_id else "",
        github_offered=bool(settings.CONSULT_GITHUB_CLIENT_ID),
        sign_ins=UserSession.objects.filter(user_id=user.pk).count(),
    )


@dataclasses.dataclass(frozen=True)
class SignIn:
    """A browser in which somebody is signed in; `device` as it calls itself, perhaps empty."""

    id: int
    device: str
    address: str
    since: dt.datetime
    is_this: bool


def sign_ins(user_id: int, *, session_key: str | None) -> list[SignIn]:
    """Return where this person is signed in, this browser first, then the latest."""
    # Deletes those that have ended meanwhile, by time or by a new password: nobody tells of these.
    found = UserSession.objects.purge_and_list(models.User.objects.get(pk=user_id))
    shown = [
        SignIn(each.pk, rules.device(each.user_agent), each.ip, each.created_at, each.session_key == session_key)
        for each in found
    ]
    return sorted(shown, key=lambda each: (each.is_this, each.since), reverse=True)


def user_by_email(email: str) -> models.User | None:
    """Return the active user of that address, whatever its case, or None."""
    return models.User.objects.filter(email=models.normalise_email(email), is_active=True).first()
