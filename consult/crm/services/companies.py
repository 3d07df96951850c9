"""Writes of companies."""

import datetime as dt
from typing import Any
from uuid import UUID

from django.utils import timezone

from consult.accounts import services as accounts
from consult.core import live, tenancy
from consult.crm import models, queries, rules
from consult.crm.services import versions
from consult.crm.services.timeline import record_event


def create_company(
    *,
    agency_id: int,
    name: str,
    by: UUID | None,
    website: str = "",
    phone: str = "",
    address: str = "",
    client_id: UUID | None = None,
    origin_submission_id: UUID | None = None,
    custom: dict[str, Any] | None = None,
    now: dt.datetime | None = None,
) -> UUID:
    """Add a company, also beside one of the same name; return its id. Raise ValueError without a name."""
    values = _values(name=name, website=website, phone=phone, address=address, client_id=client_id)
    with tenancy.agency(agency_id):
        company = models.Company.objects.create(
            agency_id=agency_id, origin_submission_id=origin_submission_id, custom=custom or {}, **values
        )
        accounts.record("crm.create_company", agency_id=agency_id, by=by, subject_id=company.id)
        record_event(
            agency_id=agency_id, kind="crm.create_company", at=now or timezone.now(), by=by, company_id=company.id
        )
        live.nudge(kind="company", id=company.id)
    return company.id


def company_for(*, agency_id: int, name: str, by: UUID | None, present: UUID | None = None) -> UUID | None:
    """Return the company that a typed name means; None for an empty one.

    It is the one that stood there before (`present`) if that is called so, else the oldest of the name, else a new one.
    """
    if not name.strip():
        return None
    with tenancy.agency(agency_id):
        if present and rules.folded(queries.company_names(agency_id, [present]).get(present, "")) == rules.folded(name):
            return present
        return queries.company_by_name(agency_id, name) or create_company(agency_id=agency_id, name=name, by=by)


def update_company(
    *,
    agency_id: int,
    company_id: UUID,
    by: UUID | None,
    name: str,
    website: str = "",
    phone: str = "",
    address: str = "",
    client_id: UUID | None = None,
    custom: dict[str, Any] | None = None,
    version: int | None = None,
    now: dt.datetime | None = None,
) -> None:
    """Change a company. Raise NoSuchCompany, ChangedMeanwhile, ValueError without a name."""
    values = _values(name=name, website=website, phone=phone, address=address, client_id=client_id)
    with tenancy.agency(agency_id):
        company = locked(agency_id, company_id)
        versions.expect(company.version, version)
        if custom is not None:
            values["custom"] = custom
        changed = [field for field, value in values.items() if getattr(company, field) != value]
        if not changed:
            return
        for field in changed:
            setattr(company, field, values[field])
        company.version += 1
        company.save(update_fields=[*changed, "version"])
        told = {"fields": [field for field in changed if field not in ("normal_name", "name_key", "domain")]}
        accounts.record("crm.update_company", agency_id=agency_id, by=by, subject_id=company.id, data=told)
        record_event(
            agency_id=agency_id,
            kind="crm.update_company",
            at=now or timezone.now(),
            by=by,
            company_id=company.id,
            data=told,
        )
        live.nudge(kind="company", id=company.id)


def locked(agency_id: int, company_id: UUID) -> models.Company:
    """Return a company, locked. Raise NoSuchCompany."""
    company = models.Company.objects.select_for_update().filter(agency_id=agency_id, id=company_id).first()
    if company is None:
        raise queries.NoSuchCompany(company_id)
    return company


def lock_company(*, agency_id: int, company_id: UUID) -> None:
    """Let nobody else change a company until this transaction ends. Raise NoSuchCompany."""
    with tenancy.agency(agency_id):
        locked(agency_id, company_id)


def _values(*, name: str, website: str, phone: str, address: str, client_id: UUID | None) -> dict[str, Any]:
    if not name.strip():
        raise ValueError("a company needs a name")
    return {
        "name": name.strip(),
        "normal_name": rules.folded(name),
        "name_key": rules.company_key(name),
        "website": website.strip(),
        "domain": rules.domain(website),
        "phone": phone.strip(),
        "address": address.strip(),
        "client_id": client_id,
    }
