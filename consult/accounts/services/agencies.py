"""Agencies and the places in them."""

import zoneinfo
from uuid import UUID

from django.db import IntegrityError, connection

from consult.accounts import models, rules
from consult.accounts.services.audit import record
from consult.core import tenancy


class BadName(ValueError):
    """A slug that no address could hold: small letters, digits and dashes between them, at most 40."""


class NameTaken(Exception):
    """An agency's slug that the product answers itself, or that another agency has."""


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
