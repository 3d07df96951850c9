"""People, and the links that sign them in once."""

import datetime as dt
import hashlib
import secrets
import zoneinfo

from consult.accounts import models

SIGN_IN_LINK_LIFE = dt.timedelta(hours=24)


class LinkSpent(Exception):
    """A one-time sign-in link that is unknown, used or too old."""


def create_user(
    *, email: str, name: str, password: str | None = None, time_zone: str = "UTC", superuser: bool = False
) -> int:
    """Create a person; return their id. Without a password they can only come by link."""
    zoneinfo.ZoneInfo(time_zone)
    user = models.User.objects.create_user(
        email, password, name=name, time_zone=time_zone, is_staff=superuser, is_superuser=superuser
    )
    return user.pk


def create_sign_in_link(*, email: str, now: dt.datetime | None = None) -> str:
    """Return the path of a link that signs this user in once, within a day. Raise User.DoesNotExist."""
    now = now or dt.datetime.now(dt.UTC)
    user = models.User.objects.get(email=models.normalise_email(email), is_active=True)
    token = secrets.token_urlsafe(32)
    models.SignInLink.objects.create(user=user, token_hash=_hash(token), expires_at=now + SIGN_IN_LINK_LIFE)
    return f"/accounts/sign-in/{token}/"


def use_sign_in_link(*, token: str, now: dt.datetime) -> models.User:
    """Spend a link and return its user. Raise LinkSpent."""
    spent = models.SignInLink.objects.filter(token_hash=_hash(token), used_at=None, expires_at__gt=now)
    # One UPDATE decides between two clicks at once.
    if not spent.update(used_at=now):
        raise LinkSpent
    user = models.User.objects.get(id__in=models.SignInLink.objects.filter(token_hash=_hash(token)).values("user"))
    if not user.is_active:
        raise LinkSpent
    return user


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
