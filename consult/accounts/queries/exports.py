"""Exports of an agency."""

import dataclasses
import datetime as dt
from uuid import UUID

from consult.accounts import models
from consult.accounts.queries.members import member_names


@dataclasses.dataclass(frozen=True)
class Export:
    """An export as its page shows it; `location` is for the office alone."""

    id: UUID
    state: str
    by: str
    done: int
    total: int
    size: int
    error: str
    created_at: dt.datetime
    expires_at: dt.datetime | None
    location: str
    kind: str


def exports(agency_id: int, limit: int = 10, *, kind: str = "agency") -> list[Export]:
    """Return the exports of the whole agency, or those of one person each (`kind`: person), the latest first."""
    names = member_names(agency_id)
    found = models.Export.objects.filter(agency_id=agency_id, kind=kind).order_by("-created_at", "-id")[:limit]
    return [_export(each, names) for each in found]


def export(agency_id: int, export_id: UUID, *, kind: str = "agency") -> Export | None:
    """Return one export of that kind, or None."""
    found = models.Export.objects.filter(agency_id=agency_id, id=export_id, kind=kind).first()
    return _export(found, {}) if found else None


def _export(row: models.Export, names: dict[UUID, str]) -> Export:
    by = names.get(row.asked_by_id, "") if row.asked_by_id else ""
    return Export(
        row.id,
        row.state,
        by,
        row.done,
        row.total,
        row.size,
        row.error,
        row.created_at,
        row.expires_at,
        row.location,
        row.kind,
    )
