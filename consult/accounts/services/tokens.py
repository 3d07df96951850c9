"""API tokens: secrets that programs call the JSON API with."""

import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Collection
from uuid import UUID

from django.db import connection

from consult.accounts import models, queries, rules
from consult.accounts.services.audit import record
from consult.core import origin, tenancy

PREFIX = "cst_"
# How often `last_used_at` is written at most.
USED_EVERY = dt.timedelta(minutes=5)


class BadToken(Exception):
    """A token that is unknown, revoked or too old, or whose member has left. Which of them is told to nobody."""


class BadScopes(ValueError):
    """Scopes or a role that no token may have."""


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
    secret = PREFIX + secrets.token_urlsafe(32)
    with tenancy.agency(agency_id):
        token = models.ApiToken.objects.create(
            agency_id=agency_id,
            name=name,
            member_id=member_id,
            role=role,
            scopes=sorted(scopes),
            token_hash=_hash(secret),
            hint=secret[-4:],
            made_by_id=by,
            expires_at=expires_at,
        )
        record(
            "accounts.create_api_token",
            agency_id=agency_id,
            by=by,
            subject_id=token.id,
            data={"scopes": sorted(scopes), "role": role, "member": str(member_id) if member_id else None},
        )
    return token.id, secret


def believe_api_token(secret: str, *, now: dt.datetime) -> queries.Caller:
    """Return who calls with this secret. Raise BadToken."""
    if not secret.startswith(PREFIX):
        raise BadToken
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM accounts_token_v1(%s, %s)", [_hash(secret), now])
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


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
