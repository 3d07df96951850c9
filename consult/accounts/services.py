"""Writes of accounts: agencies, members, one-time sign-in, audit."""

import datetime as dt
import hashlib
import secrets
import zoneinfo
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.db import IntegrityError, connection, transaction

from consult.accounts import models, rules
from consult.core import encryption, tenancy

SIGN_IN_LINK_LIFE = dt.timedelta(hours=24)
LIVE_TOKEN_LIFE = dt.timedelta(minutes=10)


class BadName(ValueError):
    """A slug that no address could hold: small letters, digits and dashes between them, at most 40."""


class NameTaken(Exception):
    """An agency's slug that the product answers itself, or that another agency has."""


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


def create_agency(*, slug: str, name: str, owner_id: int, time_zone: str = "UTC") -> int:
    """Create an agency with its owner; return its id. Raise NameTaken, BadName, ZoneInfoNotFoundError."""
    if slug in rules.RESERVED:
        raise NameTaken(slug)
    if not rules.SLUG.fullmatch(slug):
        raise BadName(slug)
    zoneinfo.ZoneInfo(time_zone)
    with connection.cursor() as cursor:
        # The id comes first: row-level security lets an agency's row be written from inside it alone.
        cursor.execute("SELECT nextval(pg_get_serial_sequence('accounts_agency', 'id'))")
        agency_id: int = cursor.fetchone()[0]
    try:
        with tenancy.agency(agency_id):
            models.Agency.objects.create(id=agency_id, slug=slug, name=name, time_zone=time_zone)
            member = models.Member.objects.create(agency_id=agency_id, user_id=owner_id, role="owner")
            record("accounts.create_agency", agency_id=agency_id, by=member.id)
    except IntegrityError as error:
        if "slug" in str(error):
            raise NameTaken(slug) from error
        raise
    return agency_id


def add_member(*, agency_id: int, user_id: int, role: str, by: UUID | None = None) -> UUID:
    """Give a user a place in the agency; return the member's id."""
    with tenancy.agency(agency_id):
        member = models.Member.objects.create(agency_id=agency_id, user_id=user_id, role=role)
        record("accounts.add_member", agency_id=agency_id, by=by, subject_id=member.id, data={"role": role})
    return member.id


def record(
    action: str,
    *,
    agency_id: int,
    by: UUID | None = None,
    subject_id: UUID | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    """Write an audit row in the current transaction. `by` is a member; None means the program itself."""
    models.Audit.objects.create(agency_id=agency_id, action=action, by_id=by, subject_id=subject_id, data=data or {})


def record_each(action: str, *, agency_id: int, subject_ids: Sequence[UUID], by: UUID | None = None) -> None:
    """Write the audit rows of one action on several subjects, as `record` does."""
    models.Audit.objects.bulk_create(
        models.Audit(agency_id=agency_id, action=action, by_id=by, subject_id=id) for id in subject_ids
    )


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


def live_token(*, agency_id: int, member_id: UUID, now: dt.datetime) -> str:
    """Return an ES256 token with which one page may listen to its agency's nudges for LIVE_TOKEN_LIFE."""
    key = _signing_key()
    private = serialization.load_pem_private_key(encryption.decrypt(bytes(key.private_key_encrypted)), None)
    claims = {
        "iss": "consult",
        "aud": "consult-live",
        "sub": str(member_id),
        "agency": agency_id,
        "iat": now,
        "exp": now + LIVE_TOKEN_LIFE,
        "jti": secrets.token_urlsafe(12),
    }
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise TypeError("the signing key is not an elliptic curve key")
    return jwt.encode(claims, private, algorithm="ES256", headers={"kid": key.kid, "typ": "live+jwt"})


def _signing_key() -> models.SigningKey:
    """Return the newest key; make the first one. The lock lets only one process do so."""
    newest = models.SigningKey.objects.order_by("-created_at")
    if key := newest.first():
        return key
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('accounts_signingkey'))")
        if key := newest.first():
            return key
        private = ec.generate_private_key(ec.SECP256R1())
        pem = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        public = private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        key = models.SigningKey.objects.create(
            kid=secrets.token_urlsafe(12),
            public_key=public.decode(),
            private_key_encrypted=encryption.encrypt(pem),
        )
        cursor.execute("SELECT pg_notify('consult_keys', %s)", [key.kid])
    return key
