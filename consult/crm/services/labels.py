"""Writes of labels."""

from collections.abc import Iterable
from typing import Literal
from uuid import UUID

from consult.accounts import services as accounts
from consult.core import live, tenancy
from consult.crm import models, queries, rules
from consult.crm.services import companies, contacts, deals

MOST = 20


def ensure_labels(*, agency_id: int, names: Iterable[str]) -> dict[UUID, str]:
    """Return the labels of these names, by id; a new name makes a new label. Empty names are left out.

    Raise ValueError for a name of more than 50 characters or over 20 of them.
    """
    typed = reversed([" ".join(name.split()) for name in names])
    wanted = {key: name for name in typed if (key := rules.label_key(name))}
    if len(wanted) > MOST or any(len(name) > 50 for name in wanted.values()):
        raise ValueError(f"at most {MOST} labels of at most 50 characters")
    with tenancy.agency(agency_id):
        # In one order always: nobody waits for who waits for them.
        models.Label.objects.bulk_create(
            [models.Label(agency_id=agency_id, name=name, normal_name=key) for key, name in sorted(wanted.items())],
            ignore_conflicts=True,
        )
        labels = models.Label.objects.filter(agency_id=agency_id, normal_name__in=list(wanted))
        return dict(labels.values_list("id", "name"))


def set_labels(
    *,
    agency_id: int,
    place: Literal["contact", "company", "deal"],
    id: UUID,
    names: Iterable[str],
    by: UUID | None,
) -> None:
    """Make exactly these the labels of a contact, a company or a deal; a new name makes a new label.

    Raise NoSuchContact, NoSuchCompany, NoSuchDeal, ValueError for a name of more than 50 characters or over 20 of them.
    """
    with tenancy.agency(agency_id):
        # Before anything else is locked.
        bearer_id = _locked_bearer(agency_id, place, id)
        ids = set(ensure_labels(agency_id=agency_id, names=names))
        bearer = {f"{place}_id": bearer_id}
        borne = models.Labelling.objects.filter(agency_id=agency_id, **bearer)
        there = set(borne.values_list("label_id", flat=True))
        if ids == there:
            return
        borne.exclude(label_id__in=ids).delete()
        models.Labelling.objects.bulk_create(
            [models.Labelling(agency_id=agency_id, label_id=label_id, **bearer) for label_id in ids - there],
            ignore_conflicts=True,
        )
        accounts.record(
            "crm.set_labels",
            agency_id=agency_id,
            by=by,
            subject_id=bearer_id,
            data={"added": sorted(map(str, ids - there)), "removed": sorted(map(str, there - ids))},
        )
        live.nudge(kind=place, id=bearer_id)


def _locked_bearer(agency_id: int, place: str, id: UUID) -> UUID:
    if place == "contact":
        return contacts.locked(agency_id, queries.contact(agency_id, id).id).id
    return companies.locked(agency_id, id).id if place == "company" else deals.locked(agency_id, id).id
