"""Reads of accounts: who is who, where."""

import dataclasses
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import HttpRequest

from consult.accounts import models, rules


@dataclasses.dataclass(frozen=True)
class Membership:
    """A user's place in one agency, as known before that agency is entered."""

    agency_id: int
    slug: str
    name: str
    time_zone: str
    member_id: UUID
    role: str


@dataclasses.dataclass(frozen=True)
class Person:
    """A member, for choosing and for showing."""

    id: UUID
    name: str
    email: str
    role: str


def memberships(user_id: int | None) -> list[Membership]:
    """Return the agencies of a user by name, through the door that knows no agency yet."""
    return [Membership(*row) for row in _rows("SELECT * FROM accounts_memberships_v1(%s)", [user_id])]


def agencies() -> list[tuple[int, str, str]]:
    """Return (id, slug, name) of every agency; for the admin's chooser and for commands."""
    return [(row[0], row[1], row[2]) for row in _rows("SELECT * FROM accounts_agencies_v1()", [])]


def _rows(statement: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def members(agency_id: int) -> list[Person]:
    """Return the agency's members by name."""
    found = models.Member.objects.filter(agency_id=agency_id).select_related("user").order_by("user__name", "id")
    return [Person(member.id, str(member.user), member.user.email, member.role) for member in found]


def member_names(agency_id: int) -> dict[UUID, str]:
    """Return every member's name by id."""
    return {person.id: person.name for person in members(agency_id)}


def member_of(agency_id: int, user_id: int | None) -> UUID | None:
    """Return the user's member id in the agency, or None: a superuser need not be a member."""
    if user_id is None:
        return None
    return models.Member.objects.filter(agency_id=agency_id, user_id=user_id).values_list("id", flat=True).first()


def agency_slug(agency_id: int) -> str:
    """Return the agency's part of addresses."""
    return models.Agency.objects.values_list("slug", flat=True).get(id=agency_id)


def audit_of(agency_id: int, subject_id: UUID) -> list[models.Audit]:
    """Return what was done to `subject_id`, oldest first."""
    return list(models.Audit.objects.filter(agency_id=agency_id, subject_id=subject_id).order_by("created_at", "id"))


def here(request: HttpRequest) -> Membership:
    """Return the agency that this request is inside and the caller's place in it."""
    found = getattr(request, "agency", None)
    if not isinstance(found, Membership):
        raise TypeError("this view's route names no agency")
    return found


def writer(request: HttpRequest) -> Membership:
    """Like `here`, for who changes records. Raise PermissionDenied (403) for viewers."""
    found = here(request)
    if not rules.may_write(found.role):
        raise PermissionDenied("Viewers read; ask an owner or admin of the agency for another role.")
    return found


def manager(request: HttpRequest) -> Membership:
    """Like `here`, for who changes sites and forms. Raise PermissionDenied (403) for members and viewers."""
    found = here(request)
    if not rules.may_manage(found.role):
        raise PermissionDenied("This is for owners and admins of the agency.")
    return found


def is_manager(here: Membership) -> bool:
    """Whether this member is an owner or admin."""
    return rules.may_manage(here.role)


def user_by_email(email: str) -> models.User | None:
    """Return the active user of that address, whatever its case, or None."""
    return models.User.objects.filter(email=models.normalise_email(email), is_active=True).first()
