"""Labels of enquiries. The words themselves are the CRM's, which people, companies and deals bear as well."""

from collections.abc import Callable, Iterable
from uuid import UUID

from consult.core import tenancy
from consult.crm import queries as crm
from consult.crm import services as crm_services
from consult.inbox.services import changes

MOST = 20


class TooManyLabels(Exception):
    """An enquiry would bear more than MOST labels."""


def label_enquiry(
    *,
    agency_id: int,
    number: int,
    by: UUID | None,
    names: Iterable[str],
    seen: int | None = None,
) -> changes.Done:
    """Make exactly these the labels of an enquiry; a new name makes a new label.

    Raise changes.NoSuchEnquiry, changes.Conflict, TooManyLabels; ValueError for a name of more than 50 characters.
    """
    with tenancy.agency(agency_id):
        ids = ensure_labels(agency_id, names)
        enquiry = changes.locked(agency_id, number, seen=seen, about=changes.LABELS)
        return changes.change("inbox.label_enquiry", enquiry, by=by, values={"label_ids": sorted(ids)})


def add_labels(
    *, agency_id: int, number: int, by: UUID | None, ids: Iterable[UUID], seen: int | None = None
) -> changes.Done:
    """Let an enquiry bear these labels as well. What others did meanwhile stays: `seen` makes no conflict.

    Raise changes.NoSuchEnquiry. One that would bear too many stays as it is.
    """
    return _change(agency_id, number, by, lambda borne: borne | set(ids))


def take_labels(
    *, agency_id: int, number: int, by: UUID | None, ids: Iterable[UUID], seen: int | None = None
) -> changes.Done:
    """Take these labels from an enquiry. Raise changes.NoSuchEnquiry."""
    return _change(agency_id, number, by, lambda borne: borne - set(ids))


def ensure_labels(agency_id: int, names: Iterable[str]) -> set[UUID]:
    """Return the ids of the labels of these names, new ones made: before any enquiry is locked.

    Raise TooManyLabels; ValueError for a name of more than 50 characters.
    """
    named = [name for name in names if name.strip()]
    if len(named) > MOST:
        raise TooManyLabels(len(named))
    return set(crm_services.ensure_labels(agency_id=agency_id, names=named))


def known_labels(agency_id: int, names: Iterable[str]) -> set[UUID]:
    """Return the ids of those labels of these names that there are."""
    keys = {" ".join(name.split()).casefold() for name in names}
    return {id for id, name in crm.labels(agency_id).items() if name.casefold() in keys}


def _change(agency_id: int, number: int, by: UUID | None, wanted: Callable[[set[UUID]], set[UUID]]) -> changes.Done:
    with tenancy.agency(agency_id):
        enquiry = changes.locked(agency_id, number)
        after = wanted(set(changes.labels_of(enquiry)))
        if len(after) > MOST:
            return changes.Done(number, None)
        return changes.change("inbox.label_enquiry", enquiry, by=by, values={"label_ids": sorted(after)})
