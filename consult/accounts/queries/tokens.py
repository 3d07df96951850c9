"""API tokens, and programs that members have signed in."""

import dataclasses
import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from django.db.models import QuerySet

from consult.accounts import models, rules


@dataclasses.dataclass(frozen=True)
class ApiToken:
    """An API token in a list; its secret is known to nobody. `member_id` is None for the agency's own."""

    id: UUID
    name: str
    hint: str
    member_id: UUID | None
    member_name: str
    role: str
    scopes: Sequence[str]
    created_at: dt.datetime
    last_used_at: dt.datetime | None
    expires_at: dt.datetime | None
    # Who made the agency's token and has left since; they have seen its secret.
    maker_gone: str


def api_tokens(agency_id: int, *, member_id: UUID | None = None) -> list[ApiToken]:
    """Return the tokens that are not revoked, newest first: the member's own, or everybody's and the agency's."""
    found = models.ApiToken.objects.filter(agency_id=agency_id, revoked_at=None).select_related("member__user")
    if member_id is not None:
        found = found.filter(member_id=member_id)
    makers = models.Member.objects.filter(
        agency_id=agency_id,
        left_at__isnull=False,
        id__in=found.filter(member=None).values("made_by_id"),
    )
    gone = {} if member_id else {member.id: str(member.user) for member in makers.select_related("user")}
    return [
        ApiToken(
            token.id,
            token.name,
            token.hint,
            token.member.id if token.member else None,
            str(token.member.user) if token.member else "",
            token.member.role if token.member else token.role,
            token.scopes,
            token.created_at,
            token.last_used_at,
            token.expires_at,
            gone.get(token.made_by_id, "") if token.made_by_id and not token.member else "",
        )
        for token in found.order_by("-created_at", "-id")
    ]


def tokens_of_makers(agency_id: int) -> dict[UUID, list[str]]:
    """Return the names of the agency's own tokens that stand, by who made them: they stay when their maker goes."""
    found: dict[UUID, list[str]] = {}
    for token in models.ApiToken.objects.filter(
        agency_id=agency_id, member=None, revoked_at=None, made_by_id__isnull=False
    ).order_by("name", "id"):
        if token.made_by_id:
            found.setdefault(token.made_by_id, []).append(token.name)
    return found


@dataclasses.dataclass(frozen=True)
class Grant:
    """A program that a member has signed in."""

    id: UUID
    client_id: str
    member_id: UUID
    member_name: str
    scopes: Sequence[str]
    # What it runs on, as it says.
    device: str
    address: str
    created_at: dt.datetime
    last_used_at: dt.datetime
    ends_at: dt.datetime


def grants(agency_id: int, *, now: dt.datetime, member_id: UUID | None = None) -> list[Grant]:
    """Return the sign-ins of programs that stand, last used first: the member's own, or everybody's."""
    return [_grant(each) for each in _standing(agency_id, now, member_id).order_by("-last_used_at", "-id")]


def _standing(agency_id: int, now: dt.datetime, member_id: UUID | None = None) -> QuerySet[models.Grant]:
    found = models.Grant.objects.filter(agency_id=agency_id, revoked_at=None, ends_at__gt=now)
    return (found.filter(member_id=member_id) if member_id else found).select_related("member__user")


def _grant(row: models.Grant) -> Grant:
    return Grant(
        row.id,
        row.client_id,
        row.member.id,
        str(row.member.user),
        row.scopes,
        rules.device(row.user_agent),
        row.address,
        row.created_at,
        row.last_used_at,
        row.ends_at,
    )


def grants_after(
    agency_id: int, after: UUID | None, limit: int, *, now: dt.datetime, member_id: UUID | None = None
) -> list[Grant]:
    """Return the sign-ins of programs that stand, all or a member's, from `after` on in the order of their ids."""
    found = _standing(agency_id, now, member_id).order_by("id")
    return [_grant(each) for each in (found.filter(id__gt=after) if after else found)[:limit]]


def grant(agency_id: int, grant_id: UUID, *, now: dt.datetime) -> Grant | None:
    """Return a sign-in of a program that stands, or None."""
    found = _standing(agency_id, now).filter(id=grant_id).first()
    return _grant(found) if found else None


@dataclasses.dataclass(frozen=True)
class TokenRecord:
    """An API token as programs read it, also a revoked one."""

    id: UUID
    name: str
    hint: str
    # None: the agency's own, with `role`.
    member_id: UUID | None
    role: str
    scopes: list[str]
    made_by_id: UUID | None
    created_at: dt.datetime
    expires_at: dt.datetime | None
    last_used_at: dt.datetime | None
    revoked_at: dt.datetime | None


_TOKEN = [field.name for field in dataclasses.fields(TokenRecord)]


def api_tokens_after(
    agency_id: int, after: UUID | None, limit: int, *, member_id: UUID | None = None
) -> list[TokenRecord]:
    """Return the agency's tokens, or those of one member, in the order in which they were made."""
    found = models.ApiToken.objects.filter(agency_id=agency_id, **({"member_id": member_id} if member_id else {}))
    rows = (found.filter(id__gt=after) if after else found).order_by("id").values_list(*_TOKEN)[:limit]
    return [TokenRecord(*row) for row in rows]


def api_token(agency_id: int, token_id: UUID) -> TokenRecord | None:
    row = models.ApiToken.objects.filter(agency_id=agency_id, id=token_id).values_list(*_TOKEN).first()
    return TokenRecord(*row) if row else None
