"""Who is here, and what they may."""

import dataclasses
import datetime as dt
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest

from consult.accounts import rules
from consult.accounts.queries.doors import rows


@dataclasses.dataclass(frozen=True)
class Membership:
    """A place in one agency, as known before that agency is entered: a user's, or an agency token's own."""

    agency_id: int
    slug: str
    name: str
    time_zone: str
    # None: a token of the agency itself.
    member_id: UUID | None
    role: str
    currency: str = "EUR"
    week_start: int = 1
    # Until then its owners may take back that it is to be deleted.
    closes_at: dt.datetime | None = None
    # Where its logo lies; empty: it has none.
    logo: str = ""
    # Notifications that they have not read; a hundred stands for more.
    unread: int = 0


@dataclasses.dataclass(frozen=True)
class Caller:
    """A program that calls the API: in whose place, within which scopes, with which token or sign-in."""

    here: Membership
    # None: a token of the agency itself.
    user_id: int | None
    scopes: frozenset[str]
    token_id: UUID


def memberships(user_id: int | None) -> list[Membership]:
    """Return the agencies of a user by name, through the door that knows no agency yet."""
    return [Membership(*row) for row in rows("SELECT * FROM accounts_memberships_v4(%s)", [user_id])]


def here(request: HttpRequest) -> Membership:
    """Return the agency that this request is inside and the caller's place in it."""
    found = getattr(request, "agency", None)
    if not isinstance(found, Membership):
        raise TypeError("this view's route names no agency")
    return found


def permit(request: HttpRequest, permission: str) -> Membership:
    """Like `here`, for who has this permission (rules.PERMISSIONS). Raise PermissionDenied (403) for others.

    A token needs the permission's scope as well: `request.scopes` is set by whoever believed the token.
    """
    found = here(request)
    scopes: frozenset[str] | None = getattr(request, "scopes", None)
    if scopes is not None and not rules.within(scopes, permission):
        raise PermissionDenied("This token's scopes do not cover it.")
    if not rules.may(found.role, permission):
        words = rules.PERMISSIONS[permission][1]
        raise PermissionDenied(f"Your role, {found.role}, may not {words}. Ask an owner or admin of the agency.")
    return found


def person_here(here: Membership) -> UUID:
    """Return the member who acts. Raise Http404 for a token of the agency, which is nobody."""
    if here.member_id is None:
        raise Http404
    return here.member_id


def scopes_of(role: str) -> list[str]:
    """Return the scopes that a token of this role can do something with."""
    return rules.scopes_of(role)


def may(here: Membership, permission: str) -> bool:
    """Whether this member has the permission."""
    return rules.may(here.role, permission)
