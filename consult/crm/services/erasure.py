"""Blanking people. The contact stays as a tombstone, with its deals, their values and the times of its timeline."""

import datetime as dt
import re
from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db.models import F, Model

from consult.core import erased, live, tenancy
from consult.crm import models, rules
from consult.crm.queries import held

NOTHING_CHANGED = {
    "fields": {},
    "custom": {},
    "emails": {"added": [], "primary": [None, None]},
    "phones": {"added": [], "primary": [None, None]},
    "labels": [],
}


def erase_contacts(*, agency_id: int, what: held.Held, now: dt.datetime) -> None:
    """Blank a person's contacts, merged ones among them, with addresses, numbers, labels and notes.

    A second time changes nothing. Part of an erasure, which writes the audit.
    """
    ids = what.contacts
    with tenancy.agency(agency_id):
        rows = models.Contact.objects.filter(agency_id=agency_id, id__in=ids)
        list(rows.select_for_update().order_by("id").values_list("id"))
        for model in (models.Email, models.Phone, models.Labelling):
            model._default_manager.filter(agency_id=agency_id, contact_id__in=ids).delete()
        models.Note.objects.filter(agency_id=agency_id, contact_id__in=ids).update(body=erased.TEXT)
        merges = models.Merge.objects.filter(agency_id=agency_id, id__in=held.named_in(agency_id, ids))
        merges.update(changes=NOTHING_CHANGED)
        # What an import found before it changed them: it can be taken back for the others alone.
        models.ImportRow.objects.filter(agency_id=agency_id, contact_id__in=ids).update(changes={}, issues=[])
        rows.filter(erased_at=None).update(
            name=erased.NAME,
            normal_name=rules.folded(erased.NAME),
            search=rules.search_text(erased.NAME, [], []),
            job_title="",
            custom={},
            company_id=None,
            erased_at=now,
            version=F("version") + 1,
        )
        live.nudge_each(kind="contact", ids=ids)


def forget_names(
    *, agency_id: int, deals: Collection[UUID], companies: Collection[UUID], names: re.Pattern[str] | None
) -> None:
    """Take what names a person out of the deals and companies that they stand with, and of the notes about these."""
    if names is None:
        return
    with tenancy.agency(agency_id):
        _forget(models.Deal, agency_id, deals, ("title", "lost_reason", "custom"), names)
        _forget(models.Company, agency_id, companies, ("name", "phone", "address", "website", "custom"), names)
        notes = models.Note.objects.filter(agency_id=agency_id)
        ids = [*notes.filter(deal_id__in=deals).values_list("id", flat=True)]
        ids += notes.filter(company_id__in=companies).values_list("id", flat=True)
        _forget(models.Note, agency_id, ids, ("body",), names)


def forget_rows(*, agency_id: int, names: re.Pattern[str] | None) -> None:
    """Take what names a person out of what is kept of rows that could not be imported."""
    if names is None:
        return
    with tenancy.agency(agency_id):
        rows = models.ImportRow.objects.filter(agency_id=agency_id, outcome="failed").exclude(issues=[])
        _forget(models.ImportRow, agency_id, rows.values_list("id", flat=True), ("issues",), names)


def _forget(
    model: type[Model], agency_id: int, ids: Collection[UUID], columns: tuple[str, ...], names: re.Pattern[str]
) -> None:
    for row in model._default_manager.select_for_update().filter(agency_id=agency_id, id__in=ids).order_by("id"):
        before = {column: getattr(row, column) for column in columns}
        after: dict[str, Any] = {column: erased.without(value, names) for column, value in before.items()}
        changed = [column for column in columns if before[column] != after[column]]
        for column in changed:
            value = after[column]
            longest = getattr(row._meta.get_field(column), "max_length", None) if isinstance(value, str) else None
            setattr(row, column, value[:longest] if longest else value)
        if isinstance(row, models.Company) and "name" in changed:
            row.normal_name, row.name_key = rules.folded(row.name), rules.company_key(row.name)
            changed += ["normal_name", "name_key"]
        if isinstance(row, models.Company) and "website" in changed:
            row.domain = rules.domain(row.website)
            changed.append("domain")
        if changed:
            row.save(update_fields=changed)
