"""What the CRM holds of people: contacts with their aliases, addresses, numbers, notes, lines, and where they stand."""

import dataclasses
from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from consult.crm import models, rules
from consult.crm.queries.contacts import alias_ids, survivors


@dataclasses.dataclass(frozen=True)
class Held:
    """What is held of a person as a contact. `deals` and `companies` are not theirs: they are named in them."""

    contacts: list[UUID]
    names: set[str]
    addresses: set[str]
    phones: set[str]
    deals: set[UUID]
    companies: set[UUID]
    notes: list[UUID]
    events: int


def contacts_with(agency_id: int, address: str) -> list[tuple[UUID, str]]:
    """Return (contact, name) of those who have this address, merged ones as whom they are now; none erased."""
    rows = models.Email.objects.filter(agency_id=agency_id, normal=rules.email_key(address))
    now = set(survivors(agency_id, rows.values_list("contact_id", flat=True)).values())
    found = models.Contact.objects.filter(agency_id=agency_id, id__in=now, erased_at=None)
    return list(found.order_by("normal_name", "id").values_list("id", "name"))


def addresses_like(address: str) -> set[str]:
    """Return an address as it is compared with what visitors typed: small letters, as it is."""
    return {rules.email_address(address), address.replace("\0", "").strip().lower()}


def held(agency_id: int, contact_ids: Collection[UUID]) -> Held:
    """Return what is held of a person who has these contacts, their aliases among it; of nobody nothing."""
    ids = list(dict.fromkeys(each for id in contact_ids for each in alias_ids(agency_id, id)))
    of: dict[str, Any] = {"agency_id": agency_id}
    contacts = list(models.Contact.objects.filter(**of, id__in=ids).values_list("name", "company_id", "erased_at"))
    emails = models.Email.objects.filter(**of, contact_id__in=ids).values_list("address", flat=True)
    phones = models.Phone.objects.filter(**of, contact_id__in=ids).values_list("number", "normal")
    deals = list(models.Deal.objects.filter(**of, contact_id__in=ids).values_list("id", "company_id"))
    return Held(
        contacts=ids,
        names={name for name, _company, gone in contacts if not gone},
        addresses={address.lower() for address in emails},
        phones={each for pair in phones for each in pair if each},
        deals={id for id, _company in deals},
        companies={id for id in (*(row[1] for row in contacts), *(row[1] for row in deals)) if id},
        notes=list(models.Note.objects.filter(**of, contact_id__in=ids).order_by("id").values_list("id", flat=True)),
        events=models.Event.objects.filter(**of, contact_id__in=ids).count(),
    )


def lock(agency_id: int, contact_ids: Collection[UUID]) -> None:
    """Let nobody change or merge these contacts until the transaction ends."""
    rows = models.Contact.objects.select_for_update().filter(agency_id=agency_id, id__in=contact_ids)
    list(rows.order_by("id").values_list("id"))


def named_in(agency_id: int, contact_ids: Collection[UUID]) -> list[UUID]:
    """Return the merges in which one of these is kept or goes."""
    either = Q(kept_id__in=contact_ids) | Q(alias_id__in=contact_ids)
    return list(models.Merge.objects.filter(either, agency_id=agency_id).values_list("id", flat=True))


CONTACT = ("id", "name", "job_title", "company_id", "client_id", "merged_into_id", "origin_submission_id", "created_at")


DEAL = ("id", "title", "status", "value_minor", "currency", "expected_on", "lost_reason", "created_at")


def records(agency_id: int, what: Held, deals: Collection[UUID]) -> dict[str, list[dict[str, Any]]]:
    """Return everything of `what` as it is stored, by what it is; own fields by their names."""
    of: dict[str, Any] = {"agency_id": agency_id}
    names = {str(id): name for id, name in models.Field.objects.filter(**of).values_list("id", "name")}
    rows = models.Contact.objects.filter(**of, id__in=what.contacts).order_by("id").values(*CONTACT, "custom")
    contacts = [{**row, "custom": {names.get(key, key): value for key, value in row["custom"].items()}} for row in rows]
    labels = models.Labelling.objects.filter(**of, contact_id__in=what.contacts)
    by_id = dict(models.Label.objects.filter(**of).values_list("id", "name"))
    theirs = {"contact_id__in": what.contacts, **of}
    merges = models.Merge.objects.filter(**of, id__in=named_in(agency_id, what.contacts))
    return {
        "contacts": contacts,
        "emails": _rows(models.Email.objects.filter(**theirs), "contact_id", "address", "is_primary"),
        "phones": _rows(models.Phone.objects.filter(**theirs), "contact_id", "number", "is_primary"),
        "labels": [{"contact_id": row.contact_id, "label": by_id.get(row.label_id, "")} for row in labels],
        "merges": _rows(merges, "kept_id", "alias_id", "changes", "merged_at", "undone_at"),
        "notes_on_contacts": _rows(
            models.Note.objects.filter(**of, id__in=what.notes), "contact_id", "body", "created_at"
        ),
        "timeline": _rows(models.Event.objects.filter(**theirs).order_by("at"), "kind", "at", "data", "deal_id"),
        "deals": _rows(models.Deal.objects.filter(**of, id__in=deals), *DEAL),
    }


def _rows(rows: QuerySet[Any], *columns: str) -> list[dict[str, Any]]:
    return [dict(row) for row in rows.order_by(*rows.query.order_by, "id").values(*columns)]


def existing_ids(agency_id: int, ids: Collection[UUID]) -> list[UUID]:
    """Return which of these contacts are there and not erased."""
    rows = models.Contact.objects.filter(agency_id=agency_id, id__in=ids, erased_at=None)
    return list(rows.order_by("id").values_list("id", flat=True))
