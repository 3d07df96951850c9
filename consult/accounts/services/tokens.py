"""API tokens: secrets that programs call the JSON API with."""

import datetime as dt
import json
import re
import secrets
from collections.abc import Collection
from uuid import UUID

from django.db import connection

from consult.accounts import models, queries, rules
from consult.accounts.services.audit import record
from consult.core import encryption, origin, tenancy

PREFIX = "cst_"
_SECRET = re.compile(r"cst_[A-Za-z0-9_-]{43}")
# How often `last_used_at` is written at most.
USED_EVERY = dt.timedelta(minutes=5)


class BadToken(Exception):
    """A token that is unknown, revoked or too old, or whose member has left. Which of them is told to nobody."""


class BadScopes(ValueError):
    """Scopes or a role that no token may have, or scopes that this role could do nothing with."""


class NoSuchToken(Exception):
    """The agency has no API token of this id."""


def create_api_token(
    *,
    agency_id: int,
    name: str,
    scopes: Collection[str],
    by: UUID | None,
    member_id: UUID | None = None,
    role: str = "",
    expires_at: dt.datetime | None = None,
) -> tuple[UUID, str]:
    """Make a token of the member, or of the agency with `role`; return its id and the secret, shown only now.

    Raise BadScopes.
    """
    if not scopes or not set(scopes) <= set(rules.SCOPES) or (member_id is None) == (not role):
        raise BadScopes(scopes)
    if role and role not in rules.TOKEN_ROLES:
        raise BadScopes(role)
    role_now = role
    secret = PREFIX + secrets.token_urlsafe(32)
    with tenancy.agency(agency_id):
        if member_id is not None:
            role_now = _role(agency_id, member_id)
        if not set(scopes) <= set(rules.scopes_of(role_now)):
            raise BadScopes(scopes)
        token = models.ApiToken.objects.create(
            agency_id=agency_id,
            name=name,
            member_id=member_id,
            role=role,
            scopes=sorted(scopes),
            token_hash=encryption.hashed(secret),
            hint=secret[-4:],
            made_by_id=by,
            expires_at=expires_at,
        )
        record(
            "accounts.create_api_token",
            agency_id=agency_id,
            by=by,
            subject_id=token.id,
            data={
                "name": name,
                "scopes": sorted(scopes),
                "role": role,
                "member": str(member_id) if member_id else None,
            },
        )
    return token.id, secret


def _role(agency_id: int, member_id: UUID) -> str:
    return models.Member.objects.values_list("role", flat=True).get(agency_id=agency_id, id=member_id, left_at=None)


def revoke_api_token(*, agency_id: int, token_id: UUID, by: UUID | None, now: dt.datetime) -> None:
    """Let the token open nothing any more; a second time changes nothing. Raise NoSuchToken."""
    with tenancy.agency(agency_id):
        tokens = models.ApiToken.objects.filter(agency_id=agency_id, id=token_id)
        if tokens.filter(revoked_at=None).update(revoked_at=now):
            record("accounts.revoke_api_token", agency_id=agency_id, by=by, subject_id=token_id)
        elif not tokens.exists():
            raise NoSuchToken(token_id)


def believe_api_token(secret: str, *, now: dt.datetime) -> queries.Caller:
    """Return who calls with this secret. Raise BadToken."""
    if not _SECRET.fullmatch(secret):
        raise BadToken
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT found.* FROM accounts_token_v1(%s, %s) found LEFT JOIN accounts_user u ON u.id = found.user_id"
            " WHERE found.user_id IS NULL OR u.is_active",
            [encryption.hashed(secret), now],
        )
        row = cursor.fetchone()
    if row is None:
        raise BadToken
    token_id, scopes, last_used_at, user_id, *place = row
    origin.believe(token_id)
    here = queries.Membership(*place)
    if last_used_at is None or last_used_at < now - USED_EVERY:
        with tenancy.agency(here.agency_id):
            models.ApiToken.objects.filter(agency_id=here.agency_id, id=token_id).update(last_used_at=now)
    scopes = json.loads(scopes) if isinstance(scopes, str) else scopes
    return queries.Caller(here, user_id, frozenset(scopes), token_id)
