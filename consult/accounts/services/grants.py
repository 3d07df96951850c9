"""Programs that members sign in (OAuth 2.0): code, access token, refresh tokens, and their end.

A grant is one sign-in: the family of its refresh tokens. Each of these is used once; its successor is derived from it
with SECRET_KEY, so that an honest retry gets the same one again although only hashes are stored.
"""

import base64
import dataclasses
import datetime as dt
import hashlib
import ipaddress
import secrets
from collections.abc import Collection, Sequence
from uuid import UUID

import structlog
from django.db import connection
from django.db.models import QuerySet
from django.utils.crypto import constant_time_compare, salted_hmac

from consult.accounts import models
from consult.accounts.services.access_tokens import ACCESS_TOKEN_LIFE, access_token, verify
from consult.accounts.services.audit import record
from consult.accounts.services.tokens import BadScopes, BadToken
from consult.core import encryption, tenancy

log = structlog.get_logger("consult.grants")

CODE_LIFE = dt.timedelta(seconds=60)
REFRESH_TOKEN_LIFE = dt.timedelta(days=7)
# However often it is refreshed, a sign-in ends here.
GRANT_LIFE = dt.timedelta(days=30)
# So long the token before the newest one is an honest retry: its answer may have been lost on the way.
GRACE = dt.timedelta(seconds=20)
# So long a sign-in that has ended can still be seen in the database.
ENDED_KEPT = dt.timedelta(days=90)
# Why a grant was ended by itself: somebody else may have had the secret.
THEFT = ("code used twice", "refresh token used again")


class BadGrant(Exception):
    """A code or refresh token that gives nothing: unknown, used, too old, of another program, or revoked."""


@dataclasses.dataclass(frozen=True)
class Issued:
    """What a program gets; `expires_in` is the access token's life in seconds."""

    access_token: str
    refresh_token: str
    scopes: list[str]
    expires_in: int = int(ACCESS_TOKEN_LIFE.total_seconds())


@dataclasses.dataclass(frozen=True)
class Device:
    """Where a program runs, as it says, and its network address, which is stored cut short."""

    user_agent: str = ""
    address: str = ""

    def stored(self) -> dict[str, str]:
        return {"user_agent": self.user_agent[:300].replace("\0", ""), "address": _network(self.address)}


def authorize(
    *,
    agency_id: int,
    member_id: UUID,
    client_id: str,
    redirect_uri: str,
    challenge: str,
    scopes: Collection[str],
    now: dt.datetime,
) -> str:
    """Return an authorization code for the member's consent, good once and for CODE_LIFE."""
    code = secrets.token_urlsafe(32)
    with tenancy.agency(agency_id):
        models.AuthorizationCode.objects.create(
            agency_id=agency_id,
            member_id=member_id,
            code_hash=encryption.hashed(code),
            client_id=client_id,
            redirect_uri=redirect_uri,
            challenge=challenge,
            scopes=sorted(scopes),
            expires_at=now + CODE_LIFE,
        )
        record("accounts.authorize", agency_id=agency_id, by=member_id, data={"client": client_id})
    return code


def has_consented(
    *, agency_id: int, member_id: UUID, client_id: str, scopes: Collection[str], now: dt.datetime
) -> bool:
    """Whether a sign-in of this program, with these scopes at least, stands: it need not ask the member again."""
    with tenancy.agency(agency_id):
        standing = models.Grant.objects.filter(
            agency_id=agency_id, member_id=member_id, client_id=client_id, revoked_at=None, ends_at__gt=now
        )
        return any(set(scopes) <= set(grant.scopes) for grant in standing)


def exchange_code(
    *, code: str, client_id: str, redirect_uri: str, verifier: str, device: Device, now: dt.datetime
) -> Issued:
    """Begin a grant. A second use of the code ends what the first one gave. Raise BadGrant."""
    agency_id = _agency_of(code)
    with tenancy.agency(agency_id):
        found = (
            models.AuthorizationCode.objects.select_for_update()
            .filter(agency_id=agency_id, code_hash=encryption.hashed(code))
            .first()
        )
        issued = None
        if found and found.grant_id:
            _revoke(agency_id, found.grant_id, now, why=THEFT[0])
        elif found and found.expires_at > now and _fits(found, client_id, redirect_uri, verifier):
            issued = _begin(found, device, now)
    # Outside: what was revoked must stay so.
    if issued is None:
        raise BadGrant
    return issued


def _fits(code: models.AuthorizationCode, client_id: str, redirect_uri: str, verifier: str) -> bool:
    return (
        (code.client_id, code.redirect_uri) == (client_id, redirect_uri)
        and constant_time_compare(code.challenge, _challenge(verifier))
        and _is_here(code.agency_id, code.member_id)
    )


def _begin(code: models.AuthorizationCode, device: Device, now: dt.datetime) -> Issued:
    grant = models.Grant.objects.create(
        agency_id=code.agency_id,
        member_id=code.member_id,
        client_id=code.client_id,
        scopes=code.scopes,
        last_used_at=now,
        ends_at=now + GRANT_LIFE,
        **device.stored(),
    )
    code.grant = grant
    code.save(update_fields=["grant"])
    record(
        "accounts.exchange_code",
        agency_id=grant.agency_id,
        by=grant.member_id,
        subject_id=grant.id,
        data={"client": grant.client_id, "scopes": grant.scopes},
    )
    token = secrets.token_urlsafe(32)
    _store(grant, token, now)
    return _issued(grant, token, grant.scopes, now)


def refresh(*, token: str, client_id: str, device: Device, now: dt.datetime, scopes: Collection[str] = ()) -> Issued:
    """Give a new access token and the next refresh token. Raise BadGrant, and BadScopes for more than was granted.

    A token that was used before ends the whole grant, unless it is the one before the newest, within GRACE: then
    the answer is the same newest one.
    """
    agency_id = _agency_of(token)
    with tenancy.agency(agency_id):
        # Whoever does anything with a family holds its grant: two at once come one after the other.
        grant = (
            models.Grant.objects.select_for_update()
            .filter(agency_id=agency_id, id__in=_tokens(agency_id, token).values("grant"))
            .first()
        )
        issued = None
        if grant and _stands(grant, client_id, now):
            if not set(scopes) <= set(grant.scopes):
                raise BadScopes(scopes)
            if successor := _successor(grant, token, now):
                models.Grant.objects.filter(agency_id=agency_id, id=grant.id).update(
                    last_used_at=now, **device.stored()
                )
                issued = _issued(grant, successor, sorted(scopes) or grant.scopes, now)
    if issued is None:
        raise BadGrant
    return issued


def _stands(grant: models.Grant, client_id: str, now: dt.datetime) -> bool:
    return (
        grant.client_id == client_id
        and grant.revoked_at is None
        and grant.ends_at > now
        and _is_here(grant.agency_id, grant.member_id)
    )


def _successor(grant: models.Grant, token: str, now: dt.datetime) -> str | None:
    """Return the token that follows, stored; None when there is none to give. Revokes the grant of a stolen one."""
    found = _tokens(grant.agency_id, token).get()
    following = _derived(token)
    if found.used_at is None:
        if found.expires_at <= now:
            return None
        models.RefreshToken.objects.filter(agency_id=grant.agency_id, id=found.id).update(used_at=now)
        _store(grant, following, now)
        return following
    if now - found.used_at <= GRACE:
        newest = _tokens(grant.agency_id, following).first()
        if newest is None:
            # SECRET_KEY was replaced between the two: an honest retry that has no answer any more.
            return None
        if newest.used_at is None:
            return following
    _revoke(grant.agency_id, grant.id, now, why=THEFT[1])
    return None


def revoke(*, token: str, client_id: str, now: dt.datetime) -> None:
    """Sign the program out that shows one of its own tokens; any other token changes nothing (RFC 7009)."""
    try:
        agency_id = _agency_of(token)
    except BadGrant:
        _revoke_by_access_token(token, client_id, now)
        return
    with tenancy.agency(agency_id):
        # A code is no token: RFC 7009 takes access and refresh tokens.
        grant = models.Grant.objects.filter(
            agency_id=agency_id, client_id=client_id, id__in=_tokens(agency_id, token).values("grant")
        ).first()
        if grant:
            _revoke(agency_id, grant.id, now, why="signed out", by=grant.member_id)


def _revoke_by_access_token(token: str, client_id: str, now: dt.datetime) -> None:
    try:
        claims = verify(token, now=now)
    except BadToken:
        return
    with tenancy.agency(claims.agency_id):
        own = models.Grant.objects.filter(agency_id=claims.agency_id, id=claims.grant_id, client_id=client_id)
        if own.exists():
            _revoke(claims.agency_id, claims.grant_id, now, why="signed out", by=claims.member_id)


def lock_grant(*, agency_id: int, grant_id: UUID) -> None:
    """Let nobody else change it until the transaction is done."""
    with tenancy.agency(agency_id):
        models.Grant.objects.select_for_update(of=("self",)).filter(agency_id=agency_id, id=grant_id).first()


def revoke_grant(*, agency_id: int, grant_id: UUID, by: UUID | None, now: dt.datetime) -> None:
    """Sign a program out."""
    with tenancy.agency(agency_id):
        _revoke(agency_id, grant_id, now, why="", by=by)


def revoke_of_member(*, agency_id: int, member_id: UUID, now: dt.datetime, by: UUID | None = None) -> int:
    """Sign out every program of a member, and spoil codes on their way; return how many were signed out."""
    with tenancy.agency(agency_id):
        models.AuthorizationCode.objects.filter(agency_id=agency_id, member_id=member_id, expires_at__gt=now).update(
            expires_at=now
        )
        standing = models.Grant.objects.filter(agency_id=agency_id, member_id=member_id, revoked_at=None)
        ids = list(standing.values_list("id", flat=True))
        for id in ids:
            _revoke(agency_id, id, now, why="all of the member's", by=by)
    return len(ids)


def _revoke(agency_id: int, grant_id: UUID, now: dt.datetime, *, why: str, by: UUID | None = None) -> None:
    standing = models.Grant.objects.filter(agency_id=agency_id, id=grant_id, revoked_at=None)
    if standing.update(revoked_at=now):
        record("accounts.revoke_grant", agency_id=agency_id, by=by, subject_id=grant_id, data={"why": why})
        tell = log.warning if why in THEFT else log.info
        tell("grant revoked", agency=agency_id, grant=str(grant_id), why=why)


def forget_grants(*, agency_id: int, now: dt.datetime) -> int:
    """Delete codes and refresh tokens that could give nothing any more, and what ended long ago; return how many."""
    day = dt.timedelta(days=1)
    with tenancy.agency(agency_id):
        ended = models.Grant.objects.filter(agency_id=agency_id, ends_at__lte=now - ENDED_KEPT)
        ended |= models.Grant.objects.filter(agency_id=agency_id, revoked_at__lte=now - ENDED_KEPT)
        codes = models.AuthorizationCode.objects.filter(agency_id=agency_id, expires_at__lte=now - day)
        tokens = models.RefreshToken.objects.filter(agency_id=agency_id, expires_at__lte=now - day)
        return sum(each.delete()[0] for each in (codes, tokens, ended))


def _agency_of(secret: str) -> int:
    """Return the agency that a code or refresh token belongs to. Raise BadGrant."""
    if not secret.isascii() or len(secret) > 200:
        raise BadGrant
    with connection.cursor() as cursor:
        cursor.execute("SELECT agency_id FROM accounts_grant_secret_v1(%s)", [encryption.hashed(secret)])
        row = cursor.fetchone()
    if row is None:
        raise BadGrant
    agency_id: int = row[0]
    return agency_id


def _tokens(agency_id: int, token: str) -> QuerySet[models.RefreshToken]:
    return models.RefreshToken.objects.filter(agency_id=agency_id, token_hash=encryption.hashed(token))


def _is_here(agency_id: int, member_id: UUID) -> bool:
    return models.Member.objects.filter(agency_id=agency_id, id=member_id, left_at=None, user__is_active=True).exists()


def _store(grant: models.Grant, token: str, now: dt.datetime) -> None:
    models.RefreshToken.objects.create(
        agency_id=grant.agency_id,
        grant_id=grant.id,
        token_hash=encryption.hashed(token),
        expires_at=min(now + REFRESH_TOKEN_LIFE, grant.ends_at),
    )


def _issued(grant: models.Grant, token: str, scopes: Sequence[str], now: dt.datetime) -> Issued:
    access = access_token(
        agency_id=grant.agency_id,
        member_id=grant.member_id,
        grant_id=grant.id,
        client_id=grant.client_id,
        scopes=list(scopes),
        now=now,
    )
    return Issued(access, token, list(scopes))


def _derived(token: str) -> str:
    """Return the one successor of a refresh token: without SECRET_KEY nobody gets from one to the next."""
    digest = salted_hmac("consult.accounts.refresh_token", token, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _network(address: str) -> str:
    """Return the first 24 bits of an IPv4 address, the first 48 of an IPv6 one."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    bits = 24 if found.version == 4 else 48
    return str(ipaddress.ip_network(f"{found}/{bits}", strict=False).network_address)
