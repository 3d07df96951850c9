"""Reads of contacts. A merged one is an alias: whoever asks for it gets the one that it was merged into."""

import dataclasses
import datetime as dt
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from consult.crm import models, rules
from consult.crm.queries import pages
from consult.crm.queries.clients import client_names
from consult.crm.queries.companies import company_names
from consult.crm.queries.labels import labels_of

# How many of a company's people its page shows.
MOST_PEOPLE = 30


class NoSuchContact(Exception):
    """The agency has no contact of this id."""


@dataclasses.dataclass(frozen=True)
class Contact:
    """A contact as its page shows it; the primary address and number first, empty texts where there is none."""

    id: UUID
    name: str
    job_title: str
    email: str
    phone: str
    emails: list[str]
    phones: list[str]
    company_id: UUID | None
    company_name: str
    client_id: UUID | None
    client_name: str
    origin_submission_id: UUID | None
    labels: list[str]
    custom: dict[str, Any]
    version: int
    created_at: dt.datetime
    erased_at: dt.datetime | None = None


@dataclasses.dataclass(frozen=True)
class ContactRow:
    """A contact as a list shows it."""

    id: UUID
    name: str
    job_title: str
    email: str
    phone: str
    company_id: UUID | None
    company_name: str
    client_name: str
    labels: list[str]


@dataclasses.dataclass(frozen=True)
class ContactPage:
    """One page of contacts; `next_cursor` is empty on the last."""

    contacts: list[ContactRow]
    next_cursor: str


def survivors(agency_id: int, ids: Iterable[UUID | None]) -> dict[UUID, UUID]:
    """Return, for each of these contacts, the one that it is now: itself, or what it was merged into."""
    now = {id: id for id in ids if id}
    # As often as merges lie on top of each other; once where there are none.
    while now:
        found = models.Contact.objects.filter(agency_id=agency_id, id__in=set(now.values()))
        into = dict(found.exclude(merged_into_id=None).values_list("id", "merged_into_id"))
        if not into:
            break
        now = {id: into.get(present) or present for id, present in now.items()}
    return now


def alias_ids(agency_id: int, id: UUID) -> list[UUID]:
    """Return the contact's own id and those of all that were merged into it, also by way of others."""
    known, fresh = [id], [id]
    while fresh:
        found = models.Contact.objects.filter(agency_id=agency_id, merged_into_id__in=fresh)
        fresh = list(found.values_list("id", flat=True))
        known += fresh
    return known


def contact(agency_id: int, id: UUID) -> Contact:
    """Return a contact; for an alias the one that it was merged into. Raise NoSuchContact."""
    row = models.Contact.objects.filter(agency_id=agency_id, id=id).first()
    if row and row.merged_into_id:
        now = survivors(agency_id, [row.merged_into_id])[row.merged_into_id]
        row = models.Contact.objects.filter(agency_id=agency_id, id=now).first()
    if row is None:
        raise NoSuchContact(id)
    emails = models.Email.objects.filter(agency_id=agency_id, contact_id=row.id).order_by("-is_primary", "id")
    phones = models.Phone.objects.filter(agency_id=agency_id, contact_id=row.id).order_by("-is_primary", "id")
    addresses, numbers = [each.address for each in emails], [each.number for each in phones]
    clients = models.Client.objects.filter(agency_id=agency_id, id=row.client_id) if row.client_id else None
    return Contact(
        id=row.id,
        name=row.name,
        job_title=row.job_title,
        email=addresses[0] if addresses else "",
        phone=numbers[0] if numbers else "",
        emails=addresses,
        phones=numbers,
        company_id=row.company_id,
        company_name=company_names(agency_id, [row.company_id]).get(row.company_id, "") if row.company_id else "",
        client_id=row.client_id,
        client_name=clients[0].name if clients else "",
        origin_submission_id=row.origin_submission_id,
        labels=labels_of(agency_id, "contact", [row.id]).get(row.id, []),
        custom=row.custom,
        version=row.version,
        created_at=row.created_at,
        erased_at=row.erased_at,
    )


def contacts(
    agency_id: int,
    *,
    search: str = "",
    label_id: UUID | None = None,
    company_id: UUID | None = None,
    client_id: UUID | None = None,
    after: str = "",
) -> ContactPage:
    """Return up to 50 contacts by name after the cursor, no aliases. An unreadable cursor means the first page."""
    found = narrowed(agency_id, search=search, label_id=label_id, company_id=company_id, client_id=client_id)
    if place := pages.place(after):
        # The first condition is what the index is searched by.
        name, id = place
        found = found.filter(normal_name__gte=name).filter(Q(normal_name__gt=name) | Q(id__gt=id))
    rows = list(found.order_by("normal_name", "id")[: pages.PAGE + 1])
    more, rows = len(rows) > pages.PAGE, rows[: pages.PAGE]
    return ContactPage(_rows(agency_id, rows), pages.cursor(rows[-1].normal_name, rows[-1].id) if more else "")


def narrowed(
    agency_id: int, *, search: str, label_id: UUID | None, company_id: UUID | None, client_id: UUID | None
) -> QuerySet[models.Contact]:
    """Return the rows that search and filters leave, no aliases."""
    found = models.Contact.objects.filter(agency_id=agency_id, merged_into_id=None)
    if text := rules.folded(search)[:200]:
        found = found.filter(_matching(agency_id, text))
    if company_id:
        found = found.filter(company_id=company_id)
    if client_id:
        found = found.filter(client_id=client_id)
    if label_id:
        borne = models.Labelling.objects.filter(agency_id=agency_id, label_id=label_id, contact_id=OuterRef("id"))
        found = found.filter(Exists(borne))
    return found


def _matching(agency_id: int, text: str) -> Q:
    at = models.Company.objects.filter(agency_id=agency_id, normal_name__contains=text, id=OuterRef("company_id"))
    found = Q(search__contains=text) | Q(Exists(at))
    digits = "".join(letter for letter in text if letter in "0123456789")
    # A number as people write it: +44 20 7946 0000 is found as 442079460000, 020 7946 as the end of it.
    if len(number := digits.lstrip("0")) >= 4 and len(digits) >= 5 and not any(letter.isalpha() for letter in text):
        found |= Q(search__contains=number)
    return found


def _rows(agency_id: int, rows: list[models.Contact]) -> list[ContactRow]:
    ids = [row.id for row in rows]
    emails = models.Email.objects.filter(agency_id=agency_id, contact_id__in=ids, is_primary=True)
    phones = models.Phone.objects.filter(agency_id=agency_id, contact_id__in=ids, is_primary=True)
    address, number = (
        dict(emails.values_list("contact_id", "address")),
        dict(phones.values_list("contact_id", "number")),
    )
    companies = company_names(agency_id, [row.company_id for row in rows])
    clients = client_names(agency_id) if any(row.client_id for row in rows) else {}
    borne = labels_of(agency_id, "contact", ids)
    return [
        ContactRow(
            row.id,
            row.name,
            row.job_title,
            address.get(row.id, ""),
            number.get(row.id, ""),
            row.company_id,
            companies.get(row.company_id, "") if row.company_id else "",
            clients.get(row.client_id, "") if row.client_id else "",
            borne.get(row.id, []),
        )
        for row in rows
    ]


def contacts_of(agency_id: int, company_id: UUID, limit: int = 50) -> list[ContactRow]:
    """Return the people of a company by name."""
    found = models.Contact.objects.filter(agency_id=agency_id, company_id=company_id, merged_into_id=None)
    return _rows(agency_id, list(found.order_by("normal_name", "id")[:limit]))


def contact_rows(agency_id: int, ids: Iterable[UUID]) -> dict[UUID, ContactRow]:
    """Return these contacts as a list shows them, by id; aliases as they stand."""
    rows = list(models.Contact.objects.filter(agency_id=agency_id, id__in=set(ids)))
    return {row.id: row for row in _rows(agency_id, rows)} if rows else {}


def contact_names(agency_id: int, ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """Return the names of these contacts by id; of an alias the name that it goes by now."""
    names: dict[UUID, str] = {}
    # Whom each of them leads to, followed from alias to alias; one round where there are none.
    now = {id: id for id in ids if id}
    while wanted := set(now.values()) - set(names):
        found = models.Contact.objects.filter(agency_id=agency_id, id__in=wanted)
        rows = {id: (name, into) for id, name, into in found.values_list("id", "name", "merged_into_id")}
        names |= {id: name for id, (name, into) in rows.items() if into is None}
        into = {id: into for id, (_name, into) in rows.items() if into}
        now = {id: into.get(present, present) for id, present in now.items() if present in rows or present in names}
    return {id: names[present] for id, present in now.items()}


def contact_choices(agency_id: int, text: str, limit: int = 10) -> list[ContactRow]:
    """Return contacts that a search for the text finds, for choosing."""
    return contacts(agency_id, search=text).contacts[:limit] if text.strip() else []
