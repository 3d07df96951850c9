"""Reads of companies."""

import dataclasses
import datetime as dt
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from consult.crm import models, rules
from consult.crm.queries import pages
from consult.crm.queries.clients import client_names
from consult.crm.queries.labels import labels_of


class NoSuchCompany(Exception):
    """The agency has no company of this id."""


@dataclasses.dataclass(frozen=True)
class Company:
    """A company as its page shows it."""

    id: UUID
    name: str
    website: str
    domain: str
    phone: str
    address: str
    client_id: UUID | None
    client_name: str
    origin_submission_id: UUID | None
    labels: list[str]
    custom: dict[str, Any]
    version: int
    created_at: dt.datetime


@dataclasses.dataclass(frozen=True)
class CompanyRow:
    """A company as a list shows it."""

    id: UUID
    name: str
    domain: str
    client_name: str
    contacts: int
    labels: list[str]


@dataclasses.dataclass(frozen=True)
class CompanyPage:
    """One page of companies; `next_cursor` is empty on the last."""

    companies: list[CompanyRow]
    next_cursor: str


def company_names(agency_id: int, ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """Return the names of these companies by id."""
    wanted = {id for id in ids if id}
    if not wanted:
        return {}
    found = models.Company.objects.filter(agency_id=agency_id, id__in=wanted)
    return dict(found.values_list("id", "name"))


def company(agency_id: int, id: UUID) -> Company:
    """Return a company. Raise NoSuchCompany."""
    row = models.Company.objects.filter(agency_id=agency_id, id=id).first()
    if row is None:
        raise NoSuchCompany(id)
    clients = models.Client.objects.filter(agency_id=agency_id, id=row.client_id) if row.client_id else None
    return Company(
        id=row.id,
        name=row.name,
        website=row.website,
        domain=row.domain,
        phone=row.phone,
        address=row.address,
        client_id=row.client_id,
        client_name=clients[0].name if clients else "",
        origin_submission_id=row.origin_submission_id,
        labels=labels_of(agency_id, "company", [row.id]).get(row.id, []),
        custom=row.custom,
        version=row.version,
        created_at=row.created_at,
    )


def companies(
    agency_id: int, *, search: str = "", label_id: UUID | None = None, client_id: UUID | None = None, after: str = ""
) -> CompanyPage:
    """Return up to 50 companies by name after the cursor. An unreadable cursor means the first page."""
    found = narrowed(agency_id, search=search, label_id=label_id, client_id=client_id)
    if place := pages.place(after):
        # The first condition is what the index is searched by.
        name, id = place
        found = found.filter(normal_name__gte=name).filter(Q(normal_name__gt=name) | Q(id__gt=id))
    rows = list(found.order_by("normal_name", "id")[: pages.PAGE + 1])
    more, rows = len(rows) > pages.PAGE, rows[: pages.PAGE]
    ids = [row.id for row in rows]
    borne_by = labels_of(agency_id, "company", ids)
    clients = client_names(agency_id) if any(row.client_id for row in rows) else {}
    people = models.Contact.objects.filter(agency_id=agency_id, merged_into_id=None, company_id__in=ids)
    counts: dict[UUID, int] = {}
    for of in people.values_list("company_id", flat=True):
        if of:
            counts[of] = counts.get(of, 0) + 1
    shown = [
        CompanyRow(
            row.id,
            row.name,
            row.domain,
            clients.get(row.client_id, "") if row.client_id else "",
            counts.get(row.id, 0),
            borne_by.get(row.id, []),
        )
        for row in rows
    ]
    return CompanyPage(shown, pages.cursor(rows[-1].normal_name, rows[-1].id) if more else "")


def narrowed(agency_id: int, *, search: str, label_id: UUID | None, client_id: UUID | None) -> QuerySet[models.Company]:
    """Return the rows that search and filters leave."""
    found = models.Company.objects.filter(agency_id=agency_id)
    if text := rules.folded(search)[:200]:
        found = found.filter(Q(normal_name__contains=text) | Q(domain__contains=text))
    if client_id:
        found = found.filter(client_id=client_id)
    if label_id:
        borne = models.Labelling.objects.filter(agency_id=agency_id, label_id=label_id, company_id=OuterRef("id"))
        found = found.filter(Exists(borne))
    return found


def first_company_names(agency_id: int, limit: int = 200) -> list[str]:
    """Return the names of companies in their order, for suggesting while somebody types."""
    found = models.Company.objects.filter(agency_id=agency_id).order_by("normal_name", "id")
    return list(found.values_list("name", flat=True)[:limit])


def company_by_name(agency_id: int, name: str) -> UUID | None:
    """Return the oldest company of exactly this name, whatever its case and accents, or None."""
    found = models.Company.objects.filter(agency_id=agency_id, normal_name=rules.folded(name))
    return found.order_by("created_at", "id").values_list("id", flat=True).first()
