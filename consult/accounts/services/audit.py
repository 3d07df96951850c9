"""The audit: who did what, written in the transaction of the change."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from consult.accounts import models


def record(
    action: str,
    *,
    agency_id: int,
    by: UUID | None = None,
    subject_id: UUID | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    """Write an audit row in the current transaction. `by` is a member; None means the program itself."""
    models.Audit.objects.create(agency_id=agency_id, action=action, by_id=by, subject_id=subject_id, data=data or {})


def record_each(action: str, *, agency_id: int, subject_ids: Sequence[UUID], by: UUID | None = None) -> None:
    """Write the audit rows of one action on several subjects, as `record` does."""
    models.Audit.objects.bulk_create(
        models.Audit(agency_id=agency_id, action=action, by_id=by, subject_id=id) for id in subject_ids
    )
