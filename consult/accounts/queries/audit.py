"""The audit's lines."""

import dataclasses
import datetime as dt
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from consult.accounts import models


def audit_of(agency_id: int, subject_id: UUID) -> list[models.Audit]:
    """Return what was done to `subject_id`, oldest first."""
    return list(models.Audit.objects.filter(agency_id=agency_id, subject_id=subject_id).order_by("created_at", "id"))


@dataclasses.dataclass(frozen=True)
class Audited:
    """A line of the audit."""

    id: UUID
    action: str
    by_id: UUID | None
    token_id: UUID | None
    origin: str
    subject_id: UUID | None
    data: dict[str, Any]
    created_at: dt.datetime


def lying_before(found: QuerySet[models.Audit], place: tuple[dt.datetime, UUID] | None) -> QuerySet[models.Audit]:
    """Return of the audit's lines those before that place (created_at, id); all of them without a place."""
    if place is None:
        return found
    at, id = place
    return found.filter(Q(created_at__lt=at) | Q(created_at=at, id__lt=id))


def audit_before(
    agency_id: int,
    before: tuple[dt.datetime, UUID] | None,
    limit: int,
    *,
    action: str = "",
    by_id: UUID | None = None,
    subject_id: UUID | None = None,
) -> list[Audited]:
    """Return the audit's lines before that place, the latest first; only those of an action, a member, a subject."""
    wanted = {"action": action, "by_id": by_id, "subject_id": subject_id}
    found = models.Audit.objects.filter(agency_id=agency_id, **{name: each for name, each in wanted.items() if each})
    found = lying_before(found, before)
    names = [field.name for field in dataclasses.fields(Audited)]
    return [Audited(*row) for row in found.order_by("-created_at", "-id").values_list(*names)[:limit]]
