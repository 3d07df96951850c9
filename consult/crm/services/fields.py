"""Writes of the agency's own fields."""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from django.db.models import Max

from consult.accounts import services as accounts
from consult.core import tenancy
from consult.crm import models

MOST = 30


class FieldTaken(Exception):
    """There is a field of this name already."""


class TooManyFields(Exception):
    """Nobody fills in so many."""


class NoSuchField(Exception):
    """The agency has no field of this id in use."""


def create_field(
    *, agency_id: int, place: str, name: str, kind: str, by: UUID | None, options: Sequence[str] = ()
) -> UUID:
    """Add a field to contacts, companies or deals; return its id. Raise FieldTaken, TooManyFields."""
    with tenancy.agency(agency_id):
        there = models.Field.objects.filter(agency_id=agency_id, place=place)
        if there.filter(retired_at=None).count() >= MOST:
            raise TooManyFields
        last = there.aggregate(last=Max("position"))["last"] or 0
        made = models.Field(
            agency_id=agency_id, place=place, name=name.strip(), kind=kind, options=list(options), position=last + 1
        )
        # Of two who add it at once, one finds it there.
        models.Field.objects.bulk_create([made], ignore_conflicts=True)
        if not models.Field.objects.filter(agency_id=agency_id, id=made.id).exists():
            raise FieldTaken(name)
        accounts.record("crm.create_field", agency_id=agency_id, by=by, subject_id=made.id)
    return made.id


def retire_field(*, agency_id: int, field_id: UUID, by: UUID | None, now: dt.datetime) -> None:
    """Take a field out of use; what was filled in stays stored. Raise NoSuchField."""
    with tenancy.agency(agency_id):
        found = models.Field.objects.filter(agency_id=agency_id, id=field_id, retired_at=None)
        if not found.update(retired_at=now):
            raise NoSuchField(field_id)
        accounts.record("crm.retire_field", agency_id=agency_id, by=by, subject_id=field_id)
