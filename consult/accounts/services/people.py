"""People, and the links that sign them in once."""

import datetime as dt
import secrets
import zoneinfo

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q

from consult.accounts import models, queries
from consult.accounts.services.grants import revoke_of_member
from consult.core import encryption, kv

# How long a sign-up waits for the code that was sent.
UNVERIFIED_LIFE = dt.timedelta(days=7)
# How often `last_active_at` is written at most.
ACTIVE_EVERY = dt.timedelta(minutes=5)
GITHUB_TOKEN_LIFE = dt.timedelta(days=7)
# Of somebody whom GitHub has sent here, and who has not signed up yet.
GITHUB_TOKEN_PENDING = dt.timedelta(hours=1)
SIGN_IN_LINK_LIFE = dt.timedelta(hours=24)


class LinkSpent(Exception):
    """A one-time sign-in link that is unknown, used or too old."""


def create_user(
    *, email: str, name: str, password: str | None = None, time_zone: str = "UTC", superuser: bool = False
) -> int:
    """Create a person; return their id. Without a password they come by link or by a code sent to them.

    Their address counts as verified: whoever runs the command vouches for it.
    """
    zoneinfo.ZoneInfo(time_zone)
    with transaction.atomic():
        user = models.User.objects.create_user(
            email, password, name=name, time_zone=time_zone, is_staff=superuser, is_superuser=superuser
        )
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user.pk


def update_profile(*, user_id: int, name: str, time_zone: str) -> None:
    """Change what a person is called and in which zone they read times. Raise ZoneInfoNotFoundError."""
    zoneinfo.ZoneInfo(time_zone)
    models.User.objects.filter(pk=user_id).update(name=name, time_zone=time_zone)


def note_active(*, user_id: int, now: dt.datetime) -> bool:
    """Write that this person was here, at most every ACTIVE_EVERY; say whether it was written."""
    late = Q(last_active_at=None) | Q(last_active_at__lte=now - ACTIVE_EVERY)
    # One UPDATE decides between many requests at once.
    return bool(models.User.objects.filter(late, pk=user_id).update(last_active_at=now))


def end_sign_in(*, user_id: int, sign_in_id: int) -> bool:
    """End one of this person's own sign-ins; False when it is not theirs or has ended."""
    with transaction.atomic():
        found = UserSession.objects.select_for_update().filter(user_id=user_id, pk=sign_in_id).first()
        if found is None:
            return False
        Session.objects.filter(session_key=found.session_key).delete()
        found.delete()
    return True


def end_other_sign_ins(*, user_id: int, session_key: str | None, now: dt.datetime) -> int:
    """End all of a person's sign-ins but the one with this session, None: all; return how many browsers it were.

    Programs are signed out as well, in every agency.
    """
    with transaction.atomic():
        found = list(UserSession.objects.select_for_update().filter(user_id=user_id).exclude(session_key=session_key))
        Session.objects.filter(session_key__in=[each.session_key for each in found]).delete()
        UserSession.objects.filter(pk__in=[each.pk for each in found]).delete()
    sign_programs_out(user_id=user_id, now=now)
    return len(found)


def sign_programs_out(*, user_id: int, now: dt.datetime) -> None:
    """Sign out every program that a person has signed in, in every agency."""
    for place in queries.memberships(user_id):
        if place.member_id is not None:
            revoke_of_member(agency_id=place.agency_id, member_id=place.member_id, now=now, by=place.member_id)


def remove_second_factors(*, email: str) -> int:
    """Take a person's TOTP, passkeys and recovery codes away, and end their sign-ins; return how many there were.

    For who has lost all of them. Raise User.DoesNotExist.
    """
    user = models.User.objects.get(email=models.normalise_email(email))
    removed, _by_model = Authenticator.objects.filter(user_id=user.pk).delete()
    end_other_sign_ins(user_id=user.pk, session_key=None, now=dt.datetime.now(dt.UTC))
    return removed


def connect_github(*, user_id: int, github_user_id: int, username: str, avatar_url: str) -> None:
    """Write down who a person is on GitHub."""
    models.User.objects.filter(pk=user_id).update(
        github_user_id=github_user_id,
        github_username=username[:39],
        avatar_url=avatar_url if avatar_url.startswith("https://") and len(avatar_url) <= 500 else "",
    )


def disconnect_github(*, user_id: int) -> None:
    """Forget who a person is on GitHub, and the token with which we asked for it."""
    found = models.User.objects.filter(pk=user_id).values_list("github_user_id", flat=True).first()
    models.User.objects.filter(pk=user_id).update(github_user_id=None, github_username="", avatar_url="")
    if found is not None:
        kv.delete(_github_key(found))


def keep_github_token(*, github_user_id: int, token: str, expires_at: dt.datetime) -> None:
    """Keep a person's GitHub token, sealed. Raise as kv.put does."""
    kv.put(_github_key(github_user_id), token.encode(), expires_at=expires_at)


def extend_github_token(*, github_user_id: int, now: dt.datetime) -> None:
    """Keep the token for GITHUB_TOKEN_LIFE from now, if there is one. Raise as kv.put does."""
    if token := kv.get(_github_key(github_user_id), now=now):
        kv.put(_github_key(github_user_id), token, expires_at=now + GITHUB_TOKEN_LIFE)


def github_token(*, user_id: int, now: dt.datetime) -> str | None:
    """Return the token with which GitHub may be asked in this person's name; None when there is none any more."""
    found = models.User.objects.filter(pk=user_id).values_list("github_user_id", flat=True).first()
    token = None if found is None else kv.get(_github_key(found), now=now)
    return token.decode() if token else None


def _github_key(github_user_id: int) -> str:
    return f"github_token/{github_user_id}"


def may_sign_up() -> bool:
    """Whether somebody without an invitation may sign up, and open an agency."""
    return settings.CONSULT_SIGN_UP == "open"


def create_sign_in_link(*, email: str, now: dt.datetime | None = None) -> str:
    """Return the path of a link that signs this user in once, within a day. Raise User.DoesNotExist."""
    now = now or dt.datetime.now(dt.UTC)
    user = models.User.objects.get(email=models.normalise_email(email), is_active=True)
    token = secrets.token_urlsafe(32)
    models.SignInLink.objects.create(user=user, token_hash=encryption.hashed(token), expires_at=now + SIGN_IN_LINK_LIFE)
    return f"/accounts/sign-in/{token}/"


def use_sign_in_link(*, token: str, now: dt.datetime) -> models.User:
    """Spend a link and return its user. Raise LinkSpent.

    Whoever made the link vouches for the address. Where nobody had verified it, a password may be somebody else's.
    """
    spent = models.SignInLink.objects.filter(token_hash=encryption.hashed(token), used_at=None, expires_at__gt=now)
    # One UPDATE decides between two clicks at once.
    if not spent.update(used_at=now):
        raise LinkSpent
    user = models.User.objects.get(
        id__in=models.SignInLink.objects.filter(token_hash=encryption.hashed(token)).values("user")
    )
    if not user.is_active:
        raise LinkSpent
    verify_address(user=user)
    return user


def forget_unverified(*, now: dt.datetime) -> int:
    """Delete sign-ups that nobody has verified for UNVERIFIED_LIFE, and return how many: the address is free again."""
    verified = EmailAddress.objects.filter(user_id=OuterRef("pk"), verified=True)
    # For whom the operator has made a link, they are somebody.
    linked = models.SignInLink.objects.filter(user_id=OuterRef("pk"))
    old = models.User.objects.filter(
        ~Exists(verified), ~Exists(linked), last_login=None, created_at__lte=now - UNVERIFIED_LIFE
    )
    forgotten = 0
    for user_id in list(old.values_list("pk", flat=True)[:1000]):
        # Nobody gets a place who has not come in; should somebody have one, it keeps them.
        if queries.memberships(user_id):
            continue
        with transaction.atomic():
            EmailAddress.objects.filter(user_id=user_id).delete()
            SocialAccount.objects.filter(user_id=user_id).delete()
            # Not Django's cascade: it would look for members of every agency, outside of any.
            with connection.cursor() as cursor:
                cursor.execute("DELETE FROM accounts_user WHERE id = %s", [user_id])
        forgotten += 1
    return forgotten


def verify_address(*, user: models.User) -> None:
    """Count the user's address as verified. A password that was set before that is forgotten: anybody could have."""
    with transaction.atomic():
        if EmailAddress.objects.filter(user_id=user.pk, verified=True).exists():
            return
        EmailAddress.objects.update_or_create(
            user_id=user.pk, email=user.email, defaults={"verified": True, "primary": True}
        )
        forget_ways_in(user=user)


def forget_ways_in(*, user: models.User, but_password: bool = False) -> None:
    """Take away what somebody who had not shown the address could have put there: password, GitHub, factors."""
    if not but_password:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    SocialAccount.objects.filter(user_id=user.pk).delete()
    Authenticator.objects.filter(user_id=user.pk).delete()
    disconnect_github(user_id=user.pk)
