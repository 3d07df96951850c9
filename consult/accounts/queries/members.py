"""An agency's members."""

import dataclasses
import datetime as dt
from uuid import UUID

from consult.accounts import models, rules


@dataclasses.dataclass(frozen=True)
class Person:
    """A member, for choosing and for showing."""

    id: UUID
    name: str
    email: str
    role: str
    has_left: bool = False


def members(agency_id: int) -> list[Person]:
    """Return the agency's members by name; not those who have left."""
    return [person for person in people(agency_id) if not person.has_left]


def people(agency_id: int) -> list[Person]:
    """Return the agency's members by name, also those who have left."""
    # Plain values: nearly every page asks for them, and rows of two tables take five times as long.
    found = models.Member.objects.filter(agency_id=agency_id).order_by("user__name", "id")
    return [
        Person(id, name or email, email, role, left_at is not None)
        for id, name, email, role, left_at in found.values_list("id", "user__name", "user__email", "role", "left_at")
    ]


def _person(member: models.Member) -> Person:
    return Person(member.id, str(member.user), member.user.email, member.role, member.left_at is not None)


def people_after(agency_id: int, after: UUID | None, limit: int) -> list[Person]:
    """Return the members from `after` on in the order of their ids, also those who have left."""
    found = models.Member.objects.filter(agency_id=agency_id).select_related("user").order_by("id")
    return [_person(member) for member in (found.filter(id__gt=after) if after else found)[:limit]]


def person(agency_id: int, member_id: UUID) -> Person | None:
    """Return one member, also one who has left, or None."""
    found = models.Member.objects.filter(agency_id=agency_id, id=member_id).select_related("user").first()
    return _person(found) if found else None


def member_names(agency_id: int) -> dict[UUID, str]:
    """Return every member's name by id, also of those who have left."""
    return {person.id: person.name for person in people(agency_id)}


def member_of(agency_id: int, user_id: int | None) -> UUID | None:
    """Return the user's member id in the agency, or None: a superuser need not be a member."""
    if user_id is None:
        return None
    found = models.Member.objects.filter(agency_id=agency_id, user_id=user_id, left_at=None)
    return found.values_list("id", flat=True).first()


@dataclasses.dataclass(frozen=True)
class Colleague:
    """A member as the people page shows one."""

    id: UUID
    name: str
    email: str
    role: str
    since: dt.datetime
    last_active_at: dt.datetime | None


def colleagues(agency_id: int) -> list[Colleague]:
    """Return the agency's members, owners first, then by name."""
    found = models.Member.objects.filter(agency_id=agency_id, left_at=None).select_related("user")
    people = [
        Colleague(each.id, str(each.user), each.user.email, each.role, each.created_at, each.user.last_active_at)
        for each in found
    ]
    return sorted(people, key=lambda person: (rules.ROLES.index(person.role), person.name.casefold(), person.id))
