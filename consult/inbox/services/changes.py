"""Changes of an enquiry's state: under its lock, never over what somebody else did meanwhile, and taken back again.

Each one is written into the audit with the values before and after it and with the enquiry's version after it. That is
what undoing and telling of a conflict read; there is no second record of the same.
"""

import dataclasses
import datetime as dt
from typing import Any
from uuid import UUID

from django.db.models import Field

from consult.accounts import queries as accounts_queries
from consult.accounts import services as accounts
from consult.core import live, tenancy
from consult.crm import queries as crm
from consult.inbox import models

# What belongs together: who changed one of these has changed the same thing.
STATE = frozenset({"status", "closed_at", "close_reason", "waiting_since", "snoozed_until", "first_answer_at"})
ASSIGNEE = frozenset({"assignee_id"})
LINKS = frozenset({"contact_id", "company_id", "deal_id"})
# No column: rows beside the enquiry.
LABELS = frozenset({"label_ids"})


class NoSuchEnquiry(Exception):
    """The agency has no enquiry of this number."""


class NoSuchChange(Exception):
    """The enquiry was never changed to this version by something that can be undone."""


@dataclasses.dataclass(frozen=True)
class Change:
    """What somebody did to an enquiry: `after` holds the names that it changed."""

    action: str
    by: UUID | None
    at: dt.datetime
    version: int
    data: dict[str, Any]


class Conflict(Exception):
    """Somebody has changed the same thing since it was looked at. Nothing was done."""

    def __init__(self, number: int, changes: list[Change]) -> None:
        super().__init__(number)
        self.number, self.changes = number, changes


@dataclasses.dataclass(frozen=True)
class Done:
    """What a change left behind: `version` is the enquiry's after it, by which it is undone; None: nothing changed."""

    number: int
    version: int | None


def locked(agency_id: int, number: int, *, seen: int | None = None, about: frozenset[str] = STATE) -> models.Enquiry:
    """Return an enquiry under its lock. `seen` is the version that the person looked at, where it is known.

    Raise NoSuchEnquiry; Conflict when something of `about` has changed since.
    """
    enquiry = models.Enquiry.objects.select_for_update().filter(agency_id=agency_id, number=number).first()
    if enquiry is None:
        raise NoSuchEnquiry(number)
    if seen is not None and seen < enquiry.version:
        since = [
            change
            for change in history(agency_id, enquiry.id)
            if change.version > seen and about & set(change.data["after"])
        ]
        if since:
            raise Conflict(number, since)
    return enquiry


def lock_enquiry(*, agency_id: int, number: int) -> None:
    """Let nobody else change an enquiry until this transaction ends. Raise NoSuchEnquiry."""
    with tenancy.agency(agency_id):
        locked(agency_id, number)


def history(agency_id: int, enquiry_id: UUID) -> list[Change]:
    """Return what changed an enquiry's state, oldest first."""
    return [
        Change(row.action, row.by_id, row.created_at, row.data["version"], row.data)
        for row in accounts_queries.audit_of(agency_id, enquiry_id)
        if "version" in row.data
    ]


def change(
    action: str, enquiry: models.Enquiry, *, by: UUID | None, values: dict[str, Any], data: dict[str, Any] | None = None
) -> Done:
    """Give a locked enquiry these values, with audit row and nudge. Nothing happens when it has them already.

    `label_ids` is a sorted list, and all that it bears afterwards.
    """
    was = {name: labels_of(enquiry) if name in LABELS else getattr(enquiry, name) for name in values}
    after = {name: value for name, value in values.items() if was[name] != value}
    if not after:
        return Done(enquiry.number, None)
    before = {name: was[name] for name in after}
    columns = after.keys() - LABELS
    for name in columns:
        setattr(enquiry, name, after[name])
    if "label_ids" in after:
        _bear(enquiry, set(before["label_ids"]), set(after["label_ids"]))
    enquiry.version += 1
    enquiry.save(update_fields=[*columns, "version"])
    told = {"version": enquiry.version, "before": _plain(before), "after": _plain(after)}
    accounts.record(action, agency_id=enquiry.agency_id, by=by, subject_id=enquiry.id, data={**(data or {}), **told})
    live.nudge(kind="enquiry", id=enquiry.id)
    return Done(enquiry.number, enquiry.version)


def labels_of(enquiry: models.Enquiry) -> list[UUID]:
    """Return the ids of the labels that a locked enquiry bears, sorted."""
    borne = models.Labelling.objects.filter(agency_id=enquiry.agency_id, enquiry=enquiry)
    return sorted(borne.values_list("label_id", flat=True))


def _bear(enquiry: models.Enquiry, before: set[UUID], after: set[UUID]) -> None:
    borne = models.Labelling.objects.filter(agency_id=enquiry.agency_id, enquiry=enquiry)
    if gone := before - after:
        borne.filter(label_id__in=gone).delete()
    models.Labelling.objects.bulk_create(
        models.Labelling(agency_id=enquiry.agency_id, enquiry=enquiry, label_id=id) for id in sorted(after - before)
    )


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: [str(each) for each in value] if isinstance(value, list) else _plain_value(value)
        for name, value in values.items()
    }


def _plain_value(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.datetime) else str(value) if isinstance(value, UUID) else value


def undo_change(*, agency_id: int, number: int, version: int, by: UUID | None) -> Done:
    """Give back what the change that led to `version` had changed; undoing that brings it again.

    Raise NoSuchEnquiry, NoSuchChange; Conflict when a later change touched the same.
    """
    with tenancy.agency(agency_id):
        enquiry = locked(agency_id, number)
        past = history(agency_id, enquiry.id)
        undone = next((each for each in past if each.version == version), None)
        if undone is None:
            raise NoSuchChange(version)
        names = set(undone.data["after"])
        since = [each for each in past if each.version > version and names & set(each.data["after"])]
        if since:
            raise Conflict(number, since)
        before = {name: _value(name, plain) for name, plain in undone.data["before"].items()}
        if before.get("assignee_id") not in {None, *(each.id for each in accounts_queries.members(agency_id))}:
            # Whoever had it has left meanwhile: nobody has it, so that somebody sees it.
            before["assignee_id"] = None
        if "label_ids" in before:
            before["label_ids"] = sorted(set(before["label_ids"]) & set(crm.labels(agency_id)))
        return change(
            "inbox.undo_change", enquiry, by=by, values=before, data={"undoes": version, "action": undone.action}
        )


def _value(name: str, plain: Any) -> Any:
    if name in LABELS:
        return [UUID(each) for each in plain]
    field = models.Enquiry._meta.get_field(name)
    return field.to_python(plain) if isinstance(field, Field) else plain
