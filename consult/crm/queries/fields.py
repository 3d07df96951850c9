"""Reads of the agency's own fields."""

import dataclasses
import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils import formats

from consult.crm import models
from consult.crm.queries.labels import Place


@dataclasses.dataclass(frozen=True)
class Field:
    """One of the agency's own fields; `kind` is text, number, date or choice, the last with its `options`."""

    id: UUID
    place: str
    name: str
    kind: str
    options: list[str]


def fields(agency_id: int, place: Place | None = None) -> list[Field]:
    """Return the fields in use, of contacts, companies or deals or of all, in their order."""
    found = models.Field.objects.filter(agency_id=agency_id, retired_at=None)
    if place:
        found = found.filter(place=place)
    return [
        Field(row.id, row.place, row.name, row.kind, row.options) for row in found.order_by("place", "position", "id")
    ]


def filled(every: Iterable[Field], custom: dict[str, Any]) -> list[tuple[str, str]]:
    """Return (name, value in words) of the fields that have one."""
    return [(each.name, _words(each, value)) for each in every if (value := custom.get(str(each.id)))]


def _words(field: Field, value: str) -> str:
    if field.kind == "date":
        return formats.date_format(dt.date.fromisoformat(value), "j M Y")
    return formats.number_format(Decimal(value)) if field.kind == "number" else value
