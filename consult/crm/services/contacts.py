"""Writes of contacts."""

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from consult.accounts import services as accounts
from consult.core import live, tenancy
from consult.crm import models, queries, rules
from consult.crm.services import versions
from consult.crm.services.companies import company_for
from consult.crm.services.timeline import record_event

MOST = 20
LONGEST_NAME = 200


class KnownAddress(Exception):
    """A contact with this address is there already."""

    def __init__(self, contact_id: UUID, address: str) -> None:
        super().__init__(address)
        self.contact_id, self.address = contact_id, address


def create_contact(
    *,
    agency_id: int,
    name: str,
    by: UUID | None,
    emails: Sequence[str] = (),
    phones: Sequence[str] = (),
    job_title: str = "",
    company_id: UUID | None = None,
    company_name: str = "",
    client_id: UUID | None = None,
    origin_submission_id: UUID | None = None,
    custom: dict[str, Any] | None = None,
    unless_known: bool = False,
    now: dt.datetime | None = None,
) -> UUID:
    """Add a contact; return its id. The first address and the first number are the primary ones.

    Without a name it goes by its first address. `company_name`: the company of that name, made if there is none, where
    no id is given. Two contacts may have the same address, unless `unless_known`: then of two people who create one at
    once the second is told. Raise KnownAddress, NoSuchCompany, and ValueError for nothing to go by or for what is too
    long (name 200, address 320, number 50 characters).
    """
    emails, phones = _clean(emails, phones)
    name = " ".join(name.split()) or (emails[0][:LONGEST_NAME] if emails else "")
    if not name or len(name) > LONGEST_NAME:
        raise ValueError("a contact needs a name of at most 200 characters")
    with tenancy.agency(agency_id):
        if unless_known:
            _expect_unknown(agency_id, emails)
        if company_id:
            queries.company(agency_id, company_id)
        else:
            company_id = company_for(agency_id=agency_id, name=company_name, by=by)
        contact = models.Contact.objects.create(
            agency_id=agency_id,
            name=name,
            normal_name=rules.folded(name),
            job_title=job_title.strip(),
            company_id=company_id,
            client_id=client_id,
            origin_submission_id=origin_submission_id,
            custom=custom or {},
        )
        _reach_by(contact, emails, phones)
        accounts.record("crm.create_contact", agency_id=agency_id, by=by, subject_id=contact.id)
        record_event(
            agency_id=agency_id, kind="crm.create_contact", at=now or timezone.now(), by=by, contact_id=contact.id
        )
        live.nudge(kind="contact", id=contact.id)
    return contact.id


def update_contact(
    *,
    agency_id: int,
    contact_id: UUID,
    by: UUID | None,
    name: str,
    emails: Sequence[str] = (),
    phones: Sequence[str] = (),
    job_title: str = "",
    company_id: UUID | None = None,
    company_name: str | None = None,
    client_id: UUID | None = None,
    custom: dict[str, Any] | None = None,
    version: int | None = None,
    now: dt.datetime | None = None,
) -> None:
    """Change a contact to exactly this. Raise NoSuchContact (also for an alias), ChangedMeanwhile, ValueError.

    `company_name`, instead of `company_id`: the company that it has if that is called so, else one of the name, made
    if there is none.
    """
    emails, phones = _clean(emails, phones)
    name = " ".join(name.split()) or (emails[0][:LONGEST_NAME] if emails else "")
    if not name or len(name) > LONGEST_NAME:
        raise ValueError("a contact needs a name of at most 200 characters")
    with tenancy.agency(agency_id):
        contact = locked(agency_id, contact_id)
        versions.expect(contact.version, version)
        if company_name is not None:
            company_id = company_for(agency_id=agency_id, name=company_name, by=by, present=contact.company_id)
        values: dict[str, Any] = {
            "name": name,
            "job_title": job_title.strip(),
            "company_id": company_id,
            "client_id": client_id,
            **({} if custom is None else {"custom": custom}),
        }
        changed = [field for field, value in values.items() if getattr(contact, field) != value]
        for field in changed:
            setattr(contact, field, values[field])
        contact.normal_name = rules.folded(name)
        changed += _reach_by(contact, emails, phones)
        if not changed:
            return
        contact.version += 1
        contact.save()
        told = {"fields": changed}
        accounts.record("crm.update_contact", agency_id=agency_id, by=by, subject_id=contact.id, data=told)
        record_event(
            agency_id=agency_id,
            kind="crm.update_contact",
            at=now or timezone.now(),
            by=by,
            contact_id=contact.id,
            data=told,
        )
        live.nudge(kind="contact", id=contact.id)


def locked(agency_id: int, contact_id: UUID) -> models.Contact:
    """Return a contact that is neither alias nor erased, locked. Raise NoSuchContact."""
    found = models.Contact.objects.select_for_update().filter(agency_id=agency_id, id=contact_id, merged_into_id=None)
    contact = found.first()
    if contact is None or contact.erased_at:
        raise queries.NoSuchContact(contact_id)
    return contact


def lock_contact(*, agency_id: int, contact_id: UUID) -> None:
    """Let nobody else change a contact until this transaction ends. Raise NoSuchContact (also for an alias)."""
    with tenancy.agency(agency_id):
        locked(agency_id, contact_id)


def _clean(emails: Sequence[str], phones: Sequence[str]) -> tuple[list[str], list[str]]:
    addresses = [found for each in emails if (found := rules.email_address(each))]
    numbers = [found for each in phones if (found := " ".join(each.split()))]
    addresses, numbers = list(dict.fromkeys(addresses)), list(dict.fromkeys(numbers))
    if max(len(addresses), len(numbers)) > MOST:
        raise ValueError(f"a contact has at most {MOST} addresses and {MOST} numbers")
    if any(len(each) > 320 for each in addresses) or any(len(each) > 50 for each in numbers):
        raise ValueError("an address has at most 320 characters, a number 50")
    return addresses, numbers


def _expect_unknown(agency_id: int, addresses: list[str]) -> None:
    """Raise KnownAddress when a contact has one of these; until this transaction ends nobody else may add one."""
    keys = sorted({key for each in addresses if (key := rules.email_key(each))})
    with connection.cursor() as cursor:
        for key in keys:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"crm_email {agency_id} {key}"])
    found = models.Email.objects.filter(agency_id=agency_id, normal__in=keys).order_by("created_at", "id").first()
    if found:
        now = queries.survivors(agency_id, [found.contact_id])
        raise KnownAddress(now[found.contact_id], found.address)


def _reach_by(contact: models.Contact, emails: list[str], phones: list[str]) -> list[str]:
    """Make these the contact's addresses and numbers, the first ones primary; return what changed."""
    region = queries.phone_region(contact.agency_id) if phones else ""
    keys = {number: rules.phone_key(number, region) for number in phones}
    changed = []
    if _replace(models.Email, "address", contact, {address: rules.email_key(address) for address in emails}):
        changed.append("emails")
    if _replace(models.Phone, "number", contact, keys):
        changed.append("phones")
    text = rules.search_text(contact.name, emails, [keys[number] for number in phones])
    if contact.search != text:
        contact.search = text
        contact.save(update_fields=["search"])
    return changed


def _replace(
    model: type[models.Email] | type[models.Phone], field: str, contact: models.Contact, wanted: dict[str, str]
) -> bool:
    """Make exactly `wanted` (as written: as compared) the rows of a contact; say whether anything changed."""
    rows = model.objects.filter(agency_id=contact.agency_id, contact_id=contact.id)
    there = {getattr(row, field): row for row in rows}
    first = next(iter(wanted), None)
    gone = [row.id for text, row in there.items() if text not in wanted]
    fresh = [text for text in wanted if text not in there]
    turned = first is not None and first in there and not there[first].is_primary
    if not gone and not fresh and not turned:
        return False
    rows.filter(id__in=gone).delete()
    rows.filter(is_primary=True).update(is_primary=False)
    # One after the other, so that their ids keep the order in which they were given.
    for text in fresh:
        model.objects.create(agency_id=contact.agency_id, contact_id=contact.id, normal=wanted[text], **{field: text})
    rows.filter(**{field: first}).update(is_primary=True)
    return True
