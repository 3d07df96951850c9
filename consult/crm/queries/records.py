"""Contacts, companies, deals, labels and notes as programs read them: in the order in which they were added."""

import dataclasses
import datetime as dt
from collections import defaultdict
from uuid import UUID

from consult.crm import models
from consult.crm.queries.clients import client_names
from consult.crm.queries.companies import Company, company, company_names
from consult.crm.queries.companies import narrowed as narrowed_companies
from consult.crm.queries.contacts import Contact, alias_ids, contact
from consult.crm.queries.contacts import narrowed as narrowed_contacts
from consult.crm.queries.deals import Deal, deal, whole
from consult.crm.queries.labels import Place, labels_of


def contacts_after(
    agency_id: int,
    after: UUID | None,
    limit: int,
    *,
    search: str = "",
    label_id: UUID | None = None,
    company_id: UUID | None = None,
    client_id: UUID | None = None,
) -> list[Contact]:
    """Return the contacts from `after` on that were merged into no other."""
    found = narrowed_contacts(agency_id, search=search, label_id=label_id, company_id=company_id, client_id=client_id)
    found = found.filter(id__gt=after) if after else found
    rows = list(found.order_by("id")[:limit])
    ids = [row.id for row in rows]
    emails, phones = defaultdict[UUID, list[str]](list), defaultdict[UUID, list[str]](list)
    for email in models.Email.objects.filter(agency_id=agency_id, contact_id__in=ids).order_by("-is_primary", "id"):
        emails[email.contact_id].append(email.address)
    for phone in models.Phone.objects.filter(agency_id=agency_id, contact_id__in=ids).order_by("-is_primary", "id"):
        phones[phone.contact_id].append(phone.number)
    firms = company_names(agency_id, [row.company_id for row in rows])
    clients = client_names(agency_id) if any(row.client_id for row in rows) else {}
    labels = labels_of(agency_id, "contact", ids)
    return [
        Contact(
            id=row.id,
            name=row.name,
            job_title=row.job_title,
            email=next(iter(emails[row.id]), ""),
            phone=next(iter(phones[row.id]), ""),
            emails=emails[row.id],
            phones=phones[row.id],
            company_id=row.company_id,
            company_name=firms.get(row.company_id, "") if row.company_id else "",
            client_id=row.client_id,
            client_name=clients.get(row.client_id, "") if row.client_id else "",
            origin_submission_id=row.origin_submission_id,
            labels=labels.get(row.id, []),
            custom=row.custom,
            version=row.version,
            created_at=row.created_at,
        )
        for row in rows
    ]


def companies_after(
    agency_id: int,
    after: UUID | None,
    limit: int,
    *,
    search: str = "",
    label_id: UUID | None = None,
    client_id: UUID | None = None,
) -> list[Company]:
    """Return the companies from `after` on."""
    found = narrowed_companies(agency_id, search=search, label_id=label_id, client_id=client_id)
    found = found.filter(id__gt=after) if after else found
    rows = list(found.order_by("id")[:limit])
    clients = client_names(agency_id) if any(row.client_id for row in rows) else {}
    labels = labels_of(agency_id, "company", [row.id for row in rows])
    return [
        Company(
            id=row.id,
            name=row.name,
            website=row.website,
            domain=row.domain,
            phone=row.phone,
            address=row.address,
            client_id=row.client_id,
            client_name=clients.get(row.client_id, "") if row.client_id else "",
            origin_submission_id=row.origin_submission_id,
            labels=labels.get(row.id, []),
            custom=row.custom,
            version=row.version,
            created_at=row.created_at,
        )
        for row in rows
    ]


def deals_after(
    agency_id: int,
    after: UUID | None,
    limit: int,
    *,
    status: str | None = None,
    stage_id: UUID | None = None,
    owner_id: UUID | None = None,
    contact_id: UUID | None = None,
    company_id: UUID | None = None,
) -> list[Deal]:
    """Return the deals from `after` on; a contact's with those of what was merged into it."""
    wanted = {"status": status, "stage_id": stage_id, "owner_id": owner_id, "company_id": company_id}
    found = models.Deal.objects.filter(agency_id=agency_id, **{name: each for name, each in wanted.items() if each})
    if contact_id:
        found = found.filter(contact_id__in=alias_ids(agency_id, contact_id))
    found = found.filter(id__gt=after) if after else found
    return whole(agency_id, list(found.order_by("id")[:limit]))


def labels_after(agency_id: int, after: UUID | None, limit: int) -> list[tuple[UUID, str]]:
    """Return (id, name) of the labels from `after` on."""
    found = models.Label.objects.filter(agency_id=agency_id)
    found = found.filter(id__gt=after) if after else found
    return list(found.order_by("id").values_list("id", "name")[:limit])


@dataclasses.dataclass(frozen=True)
class Noted:
    """A note of staff."""

    id: UUID
    author_id: UUID | None
    body: str
    created_at: dt.datetime


_NOTED = ("id", "author_id", "body", "created_at")


def notes_after(agency_id: int, place: Place, id: UUID, after: UUID | None, limit: int) -> list[Noted]:
    """Return the notes of a contact (and of its aliases), a company or a deal from `after` on, the oldest first.

    Raise NoSuchContact, NoSuchCompany, NoSuchDeal.
    """
    found = models.Note.objects.filter(agency_id=agency_id)
    if place == "contact":
        now = contact(agency_id, id).id
        found = found.filter(contact_id__in=alias_ids(agency_id, now))
    elif place == "company":
        found = found.filter(company_id=company(agency_id, id).id)
    else:
        found = found.filter(deal_id=deal(agency_id, id).id)
    found = found.filter(id__gt=after) if after else found
    return [Noted(*row) for row in found.order_by("id").values_list(*_NOTED)[:limit]]


def note(agency_id: int, note_id: UUID) -> Noted | None:
    """Return one note, or None."""
    row = models.Note.objects.filter(agency_id=agency_id, id=note_id).values_list(*_NOTED).first()
    return Noted(*row) if row else None
