"""The keys that sign tokens, and their life: next → current → previous → gone. And the token for live pages.

Every change is made under one lock, so that two workers at once make it once, and is told to the edges by NOTIFY.
"""

import contextlib
import datetime as dt
import secrets
from collections.abc import Iterator
from uuid import UUID

import jwt
import structlog
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.db import connection, transaction

from consult.accounts import models
from consult.accounts.services.key_ring import ring
from consult.core import encryption

log = structlog.get_logger("consult.keys")

LIVE_TOKEN_LIFE = dt.timedelta(minutes=10)
# How long others may keep the published keys without asking again.
JWKS_MAX_AGE = dt.timedelta(minutes=5)
# So long a key is published before it signs: whoever has the list from just before it came asks again in time.
PUBLISHED_BEFORE = 2 * JWKS_MAX_AGE
# So long a key is believed after it has signed last: 15 minutes is the longest life that edge or office take, 30
# seconds the leeway, and half a minute lies between the clocks.
BELIEVED_AFTER = dt.timedelta(minutes=16)


class NoSuchKey(Exception):
    """No key has this kid, or it is revoked already."""


class TooEarly(Exception):
    """The next key is not published for long enough: somebody might refuse what it signs."""

    def __init__(self, until: dt.datetime) -> None:
        super().__init__(until)
        self.until = until


def live_token(*, agency_id: int, member_id: UUID, now: dt.datetime) -> str:
    """Return an ES256 token with which one page may listen to its agency's nudges for LIVE_TOKEN_LIFE."""
    claims = {
        "iss": "consult",
        "aud": "consult-live",
        "sub": str(member_id),
        "agency": agency_id,
        "iat": now,
        "exp": now + LIVE_TOKEN_LIFE,
        "jti": secrets.token_urlsafe(12),
    }
    return sign(claims, typ="live+jwt", now=now)


def sign(claims: dict[str, object], *, typ: str, now: dt.datetime) -> str:
    """Return the claims as a JWT of this type, signed by the current key. Raise encryption.CannotOpen."""
    key = models.SigningKey.objects.filter(state="current").first()
    if key is None:
        tend_keys(now=now)
        key = models.SigningKey.objects.get(state="current")
    pem = encryption.open_sealed(key.private_key_sealed, bound_to=_bound_to(key.kid))
    private = serialization.load_pem_private_key(pem, None)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise TypeError("the signing key is not an elliptic curve key")
    return jwt.encode(claims, private, algorithm="ES256", headers={"kid": key.kid, "typ": typ})


def tend_keys(*, now: dt.datetime) -> None:
    """Make the keys that are missing, rotate when the current one is old, forget what is believed no more."""
    with _turn():
        current = _current(now)
        waiting = _next(now)
        due = (current.activated_at or now) + dt.timedelta(days=settings.CONSULT_KEY_ROTATION_DAYS)
        if due <= now and waiting.not_before <= now:
            _rotate(current, waiting, now)
        _forget(now)


def rotate_keys(*, now: dt.datetime) -> str:
    """Let the next key sign from now on; return its kid. Raise TooEarly."""
    with _turn():
        current, waiting = _current(now), _next(now)
        if waiting.not_before > now:
            raise TooEarly(waiting.not_before)
        _rotate(current, waiting, now)
        _forget(now)
    return waiting.kid


def revoke_key(*, kid: str, now: dt.datetime) -> str:
    """Believe nothing that this key has signed any more; return the kid of the one that signs now. Raise NoSuchKey."""
    with _turn():
        key = models.SigningKey.objects.exclude(state="revoked").filter(kid=kid).first()
        if key is None:
            raise NoSuchKey(kid)
        _move(key, "revoked", revoked_at=now, retired_at=key.retired_at or now, private_key_sealed="")
        log.warning("key revoked", kid=kid)
        current = _current(now)
        _next(now)
    return current.kid


@contextlib.contextmanager
def _turn() -> Iterator[None]:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('accounts_signingkey'))")
        yield
        transaction.on_commit(ring.outdated)


def _current(now: dt.datetime) -> models.SigningKey:
    """Return the key that signs; when there is none, the next one has to, however new it is."""
    keys = models.SigningKey.objects
    if key := keys.filter(state="current").first():
        return key
    key = keys.filter(state="next").first() or _make(now)
    _move(key, "current", activated_at=now, not_before=min(key.not_before, now))
    log.info("key signs", kid=key.kid)
    return key


def _next(now: dt.datetime) -> models.SigningKey:
    return models.SigningKey.objects.filter(state="next").first() or _make(now)


def _rotate(current: models.SigningKey, waiting: models.SigningKey, now: dt.datetime) -> None:
    _move(current, "previous", retired_at=now, private_key_sealed="")
    _move(waiting, "current", activated_at=now)
    log.info("key signs", kid=waiting.kid, instead_of=current.kid)
    _next(now)


def _forget(now: dt.datetime) -> None:
    gone = models.SigningKey.objects.filter(state="previous", retired_at__lte=now - BELIEVED_AFTER)
    for key in gone:
        log.info("key gone", kid=key.kid)
        key.delete()


def _make(now: dt.datetime) -> models.SigningKey:
    private = ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    # It must not begin with a dash: it is an argument of commands.
    kid = secrets.token_hex(8)
    key = models.SigningKey.objects.create(
        kid=kid,
        state="next",
        public_key=public.decode(),
        private_key_sealed=encryption.seal(pem, bound_to=_bound_to(kid)),
        created_at=now,
        not_before=now + PUBLISHED_BEFORE,
    )
    _tell(kid)
    return key


def _move(key: models.SigningKey, state: str, **changes: object) -> None:
    key.state = state
    for name, value in changes.items():
        setattr(key, name, value)
    key.save(update_fields=["state", *changes])
    _tell(key.kid)


def _tell(kid: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify('consult_keys', %s)", [kid])


def _bound_to(kid: str) -> str:
    return f"accounts_signingkey.private_key_sealed/{kid}"
