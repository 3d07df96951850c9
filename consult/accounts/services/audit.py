"""The audit: who did what, written in the transaction of the change."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from consult.accounts import models
from consult.core import origin
from consult.core.logging import hide


def record(
    action: str,
    *,
    agency_id: int,
    by: UUID | None = None,
    subject_id: UUID | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    """Write an audit row in the current transaction. `by` is a member; None means the program or an agency's token.

    It names people by id only: rows are never changed, so a name in one could never be forgotten. `data` of a changed
    setting or permission is `changes(…)`.
    """
    from_where = origin.current()
    models.Audit.objects.create(
        agency_id=agency_id,
        action=action,
        by_id=by,
        subject_id=subject_id,
        data=data or {},
        origin=from_where.place,
        token_id=from_where.token_id,
    )


def record_each(action: str, *, agency_id: int, subject_ids: Sequence[UUID], by: UUID | None = None) -> None:
    """Write the audit rows of one action on several subjects, as `record` does."""
    from_where = origin.current()
    models.Audit.objects.bulk_create(
        models.Audit(
            agency_id=agency_id,
            action=action,
            by_id=by,
            subject_id=id,
            origin=from_where.place,
            token_id=from_where.token_id,
        )
        for id in subject_ids
    )


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return what differs, for the audit: {"before": {name: value}, "after": {name: value}}; empty when nothing does.

    Values are what JSON holds. Secrets are hidden, people's addresses keep their first letter and their domain, long
    texts their beginning.
    """
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    if not names:
        return {}
    return {
        side: {name: _kept(hide(values[name], name=name)) for name in names if name in values}
        for side, values in (("before", before), ("after", after))
    }


# Of an address enough stays to see that mail goes to another company from now on.
_ADDRESS = re.compile(r"([^\s@<>\"',;])[^\s@<>\"',;]{0,200}@(?=[^\s@<>\"',;])")
_LONG = 200


def _kept(value: Any) -> Any:
    if isinstance(value, str):
        text = _ADDRESS.sub(r"\1…@", value)
        return f"{text[:_LONG]}…" if len(text) > _LONG else text
    if isinstance(value, Mapping):
        return {str(key): _kept(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_kept(item) for item in value]
    return value
