"""Two contacts that turn out to be one: merged by people alone, field by field, and taken back the same way.

Nothing is re-pointed: the one becomes an alias, and whatever names it leads to the other from then on.
"""

import datetime as dt
from collections.abc import Collection
from typing import Any
from uuid import UUID

from consult.accounts import services as accounts
from consult.core import live, tenancy
from consult.crm import models, queries, rules
from consult.crm.services.contacts import locked
from consult.crm.services.timeline import record_event

# What a merge may take from the other contact; “email” and “phone” say whose is the primary one.
FIELDS = ("name", "job_title", "company_id", "client_id")
CHOICES = (*FIELDS, "email", "phone")


class CannotMerge(Exception):
    """They are one and the same already."""


class CannotUnmerge(Exception):
    """There is no such merge, it was taken back, or one that came after it lies on top of it."""


def merge_contacts(
    *,
    agency_id: int,
    keep_id: UUID,
    alias_id: UUID,
    take: Collection[str],
    by: UUID | None,
    now: dt.datetime,
) -> UUID:
    """Merge one contact into another; return the merge's id.

    `take` names what comes from the one that goes (of CHOICES, and ids of the agency's own fields); whatever the one
    that stays lacks comes from there too. Addresses, numbers and labels of both are kept. Raise NoSuchContact,
    CannotMerge.
    """
    if keep_id == alias_id:
        raise CannotMerge
    with tenancy.agency(agency_id):
        # In one order, whoever is merged into whom: nobody waits for who waits for them.
        both = {id: locked(agency_id, id) for id in sorted((keep_id, alias_id))}
        kept, alias = both[keep_id], both[alias_id]
        changes = {
            "fields": _take_fields(kept, alias, take),
            "custom": _take_custom(kept, alias, take),
            "emails": _take_rows(models.Email, "address", kept, alias, primary="email" in take),
            "phones": _take_rows(models.Phone, "number", kept, alias, primary="phone" in take),
            "labels": _take_labels(kept, alias),
        }
        _save(kept)
        alias.merged_into_id = kept.id
        alias.version += 1
        alias.save(update_fields=["merged_into_id", "version"])
        merge = models.Merge.objects.create(
            agency_id=agency_id, kept_id=kept.id, alias_id=alias.id, by_id=by, changes=changes, merged_at=now
        )
        _tell("crm.merge_contacts", merge, by, now, [kept.id])
    return merge.id


def unmerge_contacts(*, agency_id: int, merge_id: UUID, by: UUID | None, now: dt.datetime) -> UUID:
    """Take a merge back; return the id of the contact that stands alone again.

    What was changed by hand since then stays as it is. Raise CannotUnmerge.
    """
    with tenancy.agency(agency_id):
        merge = models.Merge.objects.filter(agency_id=agency_id, id=merge_id).first()
        if merge is None:
            raise CannotUnmerge
        rows = models.Contact.objects.select_for_update().filter(
            agency_id=agency_id, id__in=(merge.kept_id, merge.alias_id)
        )
        both = {row.id: row for row in rows.order_by("id")}
        kept, alias = both[merge.kept_id], both[merge.alias_id]
        # Looked at again under the locks.
        done = models.Merge.objects.filter(agency_id=agency_id, kept_id=kept.id, undone_at=None)
        last = done.order_by("-merged_at", "-id").first()
        if kept.erased_at or kept.merged_into_id or last is None or last.id != merge.id:
            raise CannotUnmerge
        _give_fields_back(kept, merge.changes)
        _give_rows_back(models.Email, "address", kept, merge.changes["emails"])
        _give_rows_back(models.Phone, "number", kept, merge.changes["phones"])
        given = models.Labelling.objects.filter(agency_id=agency_id, contact_id=kept.id)
        given.filter(label_id__in=merge.changes["labels"]).delete()
        _save(kept)
        alias.merged_into_id = None
        alias.version += 1
        alias.save(update_fields=["merged_into_id", "version"])
        merge.undone_at = now
        merge.save(update_fields=["undone_at"])
        _tell("crm.unmerge_contacts", merge, by, now, [kept.id, alias.id])
    return alias.id


def tell_apart(*, agency_id: int, contact_id: UUID, other_id: UUID, by: UUID | None) -> None:
    """Remember that these are two people, so that nobody is asked again. Raise NoSuchContact."""
    one, other = sorted((contact_id, other_id))
    with tenancy.agency(agency_id):
        for id in (one, other):
            queries.contact(agency_id, id)
        if one == other:
            return
        pair = models.Distinct(agency_id=agency_id, one_id=one, other_id=other, by_id=by)
        models.Distinct.objects.bulk_create([pair], ignore_conflicts=True)
        accounts.record(
            "crm.tell_apart", agency_id=agency_id, by=by, subject_id=contact_id, data={"other": str(other_id)}
        )


def _take_fields(kept: models.Contact, alias: models.Contact, take: Collection[str]) -> dict[str, list[Any]]:
    changed = {}
    for field in FIELDS:
        mine, theirs = getattr(kept, field), getattr(alias, field)
        if theirs and theirs != mine and (field in take or not mine):
            setattr(kept, field, theirs)
            changed[field] = [_plain(mine), _plain(theirs)]
    return changed


def _take_custom(kept: models.Contact, alias: models.Contact, take: Collection[str]) -> dict[str, list[Any]]:
    changed = {}
    for field, theirs in alias.custom.items():
        mine = kept.custom.get(field)
        if theirs not in ("", None) and theirs != mine and (field in take or mine in ("", None)):
            changed[field] = [mine, theirs]
    kept.custom = kept.custom | {field: after for field, (_before, after) in changed.items()}
    return changed


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else value


def _take_rows(
    model: type[models.Email] | type[models.Phone],
    field: str,
    kept: models.Contact,
    alias: models.Contact,
    *,
    primary: bool,
) -> dict[str, Any]:
    """Give the kept contact what the other is reached by and it is not; say what was added and which is primary."""
    mine = {getattr(row, field): row for row in _rows(model, kept)}
    theirs = {getattr(row, field): row for row in _rows(model, alias)}
    added = [text for text in theirs if text not in mine]
    for text in added:
        model.objects.create(agency_id=kept.agency_id, contact_id=kept.id, normal=theirs[text].normal, **{field: text})
    before = next((text for text, row in mine.items() if row.is_primary), None)
    after = next((text for text, row in theirs.items() if row.is_primary), None) if primary or not before else before
    if after != before and after is not None:
        _make_primary(model, field, kept, after)
    return {"added": added, "primary": [before, after if after is not None else before]}


def _rows(model: type[models.Email] | type[models.Phone], contact: models.Contact) -> list[Any]:
    found = model.objects.filter(agency_id=contact.agency_id, contact_id=contact.id)
    return list(found.order_by("-is_primary", "id"))


def _make_primary(
    model: type[models.Email] | type[models.Phone], field: str, contact: models.Contact, text: str
) -> None:
    rows = model.objects.filter(agency_id=contact.agency_id, contact_id=contact.id)
    rows.filter(is_primary=True).update(is_primary=False)
    rows.filter(**{field: text}).update(is_primary=True)


def _take_labels(kept: models.Contact, alias: models.Contact) -> list[str]:
    borne = models.Labelling.objects.filter(agency_id=kept.agency_id)
    mine = set(borne.filter(contact_id=kept.id).values_list("label_id", flat=True))
    theirs = set(borne.filter(contact_id=alias.id).values_list("label_id", flat=True))
    models.Labelling.objects.bulk_create(
        models.Labelling(agency_id=kept.agency_id, label_id=label_id, contact_id=kept.id) for label_id in theirs - mine
    )
    return sorted(map(str, theirs - mine))


def _give_fields_back(kept: models.Contact, changes: dict[str, Any]) -> None:
    for field, (before, after) in changes["fields"].items():
        if _plain(getattr(kept, field)) == after:
            setattr(kept, field, UUID(before) if before and field.endswith("_id") else before)
    for field, (before, after) in changes["custom"].items():
        if kept.custom.get(field) == after:
            kept.custom = kept.custom | {field: before}


def _give_rows_back(
    model: type[models.Email] | type[models.Phone], field: str, kept: models.Contact, changes: dict[str, Any]
) -> None:
    rows = model.objects.filter(agency_id=kept.agency_id, contact_id=kept.id)
    before, after = changes["primary"]
    present = rows.filter(is_primary=True).values_list(field, flat=True).first()
    rows.filter(**{f"{field}__in": changes["added"]}).delete()
    left = [getattr(row, field) for row in _rows(model, kept)]
    if before in left and present == after:
        _make_primary(model, field, kept, before)
    elif left and present not in left:
        _make_primary(model, field, kept, left[0])


def _save(kept: models.Contact) -> None:
    kept.normal_name = rules.folded(kept.name)
    emails = [row.address for row in _rows(models.Email, kept)]
    kept.search = rules.search_text(kept.name, emails, [row.normal for row in _rows(models.Phone, kept)])
    kept.version += 1
    kept.save()


def _tell(action: str, merge: models.Merge, by: UUID | None, now: dt.datetime, of: list[UUID]) -> None:
    data = {"kept": str(merge.kept_id), "alias": str(merge.alias_id)}
    accounts.record(action, agency_id=merge.agency_id, by=by, subject_id=merge.kept_id, data=data)
    for contact_id in of:
        record_event(
            agency_id=merge.agency_id,
            kind=action,
            at=now,
            by=by,
            contact_id=contact_id,
            subject_id=merge.id,
            data=data,
        )
    live.nudge_each(kind="contact", ids=[merge.kept_id, merge.alias_id])
