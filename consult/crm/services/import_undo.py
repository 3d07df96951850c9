"""Taking an import back as a whole: what it added goes, what it changed is as before, unless somebody has changed it.

Row by row from the last one, some in each transaction: a dead worker's job goes on where it was.
"""

from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils import timezone

from consult.accounts import services as accounts
from consult.core import live, tenancy
from consult.crm import models
from consult.crm.services import import_companies, import_contacts
from consult.crm.services.timeline import record_event

BATCH = 100


def take_back(*, agency_id: int, import_id: UUID) -> None:
    """Take back what an import did; a second run goes on with what is left."""
    try:
        while _some(agency_id, import_id):
            pass
        _end(agency_id, import_id)
    except Exception:
        with tenancy.agency(agency_id):
            found = models.Import.objects.filter(agency_id=agency_id, id=import_id, state="undoing")
            found.update(state="failed", error="unexpected", moved_at=timezone.now())
        raise


def _locked(agency_id: int, import_id: UUID) -> models.Import | None:
    found = models.Import.objects.select_for_update().filter(agency_id=agency_id, id=import_id, state="undoing")
    return found.first()


def _some(agency_id: int, import_id: UUID) -> bool:
    """Take some rows back, or the companies that were made for them; say whether there may be more."""
    with tenancy.agency(agency_id):
        of = _locked(agency_id, import_id)
        if of is None:
            return False
        every = models.ImportRow.objects.filter(agency_id=agency_id, import_id=import_id)
        rows = list(every.filter(outcome__in=("created", "updated")).order_by("-line")[:BATCH])
        for row in rows:
            outcome = _take_back(of, row)
            of.undone = of.undone | {outcome: of.undone.get(outcome, 0) + 1}
            row.outcome = outcome
            row.save(update_fields=["outcome", "changes"])
        if not rows and of.place == "contact":
            made = every.filter(company_id__isnull=False).exclude(changes__has_key="company")
            for row in (rows := list(made.order_by("-line")[:BATCH])):
                gone = row.company_id is not None and _remove_company(of, row.company_id, [])
                what = "companies" if gone else "companies_kept"
                of.undone = of.undone | {what: of.undone.get(what, 0) + 1}
                row.changes = row.changes | {"company": what}
                row.save(update_fields=["changes"])
        of.moved_at = timezone.now()
        of.save(update_fields=["undone", "moved_at"])
    return bool(rows)


def _end(agency_id: int, import_id: UUID) -> None:
    with tenancy.agency(agency_id):
        of = _locked(agency_id, import_id)
        if of is None:
            return
        of.state, of.moved_at, of.error = "undone", timezone.now(), ""
        of.save(update_fields=["state", "moved_at", "error"])
        accounts.record("crm.finish_undo", agency_id=agency_id, subject_id=of.id, data=dict(of.undone))
        live.nudge(kind="import", id=of.id)


def _take_back(of: models.Import, row: models.ImportRow) -> str:
    """Take one row back; return its outcome: removed, restored or kept."""
    if row.outcome == "created":
        if of.place == "contact":
            gone = row.contact_id is None or _remove_contact(of, row.contact_id, row.changes.get("labels", []))
            row.contact_id = None if gone else row.contact_id
        else:
            gone = row.company_id is None or _remove_company(of, row.company_id, row.changes.get("labels", []))
            row.company_id = None if gone else row.company_id
        return "removed" if gone else "kept"
    if of.place == "contact":
        return _restore_contact(of, row.contact_id, row) if row.contact_id else "kept"
    return _restore_company(of, row.company_id, row) if row.company_id else "kept"


def _remove_contact(of: models.Import, id: UUID, labels: list[str]) -> bool:
    """Remove a contact that nobody has had to do with since; say whether it is gone.

    Whatever is done with one, here or in a feature above, is a line of its timeline.
    """
    agency_id = of.agency_id
    contact = models.Contact.objects.select_for_update().filter(agency_id=agency_id, id=id).first()
    if contact is None:
        return True
    mine: dict[str, Any] = {"agency_id": agency_id, "contact_id": id}
    borne = models.Labelling.objects.filter(**mine)
    touched = (
        contact.version != 1
        or contact.merged_into_id is not None
        or models.Event.objects.filter(**mine).exists()
        or models.Deal.objects.filter(**mine).exists()
        or models.Merge.objects.filter(Q(kept_id=id) | Q(alias_id=id), agency_id=agency_id).exists()
        or {str(label) for label in borne.values_list("label_id", flat=True)} != set(labels)
    )
    if touched:
        return False
    apart = models.Distinct.objects.filter(Q(one_id=id) | Q(other_id=id), agency_id=agency_id)
    emails, phones = models.Email.objects.filter(**mine), models.Phone.objects.filter(**mine)
    return _deleted(apart, borne, emails, phones, models.Contact.objects.filter(agency_id=agency_id, id=id))


def _remove_company(of: models.Import, id: UUID, labels: list[str]) -> bool:
    """Remove a company that nobody has had to do with since; say whether it is gone."""
    agency_id = of.agency_id
    company = models.Company.objects.select_for_update().filter(agency_id=agency_id, id=id).first()
    if company is None:
        return True
    mine: dict[str, Any] = {"agency_id": agency_id, "company_id": id}
    borne = models.Labelling.objects.filter(**mine)
    touched = (
        company.version != 1
        or models.Event.objects.filter(**mine).exists()
        or models.Contact.objects.filter(**mine).exists()
        or models.Deal.objects.filter(**mine).exists()
        or {str(label) for label in borne.values_list("label_id", flat=True)} != set(labels)
    )
    return not touched and _deleted(borne, models.Company.objects.filter(agency_id=agency_id, id=id))


def _deleted(*rows: Any) -> bool:
    """Delete rows, the last ones last; say whether nothing else names them."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            for each in rows:
                each.delete()
            # Now, not at the end: then all of it would fail.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    except IntegrityError:
        return False
    return True


def _restore_contact(of: models.Import, id: UUID, row: models.ImportRow) -> str:
    agency_id, changes = of.agency_id, row.changes
    contact = models.Contact.objects.select_for_update().filter(agency_id=agency_id, id=id).first()
    if contact is None or contact.merged_into_id:
        return "kept"
    fields, changed = _given_back(contact, changes)
    mine: dict[str, Any] = {"agency_id": agency_id, "contact_id": id}
    emails = models.Email.objects.filter(**mine)
    phones = models.Phone.objects.filter(**mine)
    gone = emails.filter(address__in=changes.get("emails", [])).delete()[0]
    gone_phones = phones.filter(number__in=changes.get("phones", [])).delete()[0]
    for rows in (emails, phones):
        first = rows.order_by("id").first()
        if first and not rows.filter(is_primary=True).exists():
            rows.filter(id=first.id).update(is_primary=True)
    models.Labelling.objects.filter(**mine, label_id__in=changes.get("labels", [])).delete()
    fields += [name for name, count in (("emails", gone), ("phones", gone_phones)) if count]
    import_contacts.save(contact, version=not _is_own(of, contact_id=id))
    if fields and not _is_own(of, contact_id=id):
        _tell(of, "crm.update_contact", fields, contact_id=contact.id)
    return "kept" if changed else "restored"


def _restore_company(of: models.Import, id: UUID, row: models.ImportRow) -> str:
    agency_id, changes = of.agency_id, row.changes
    company = models.Company.objects.select_for_update().filter(agency_id=agency_id, id=id).first()
    if company is None:
        return "kept"
    fields, changed = _given_back(company, changes)
    borne = models.Labelling.objects.filter(agency_id=agency_id, company_id=id)
    borne.filter(label_id__in=changes.get("labels", [])).delete()
    import_companies.save(company, version=not _is_own(of, company_id=id))
    if fields and not _is_own(of, company_id=id):
        _tell(of, "crm.update_company", fields, company_id=company.id)
    return "kept" if changed else "restored"


def _is_own(of: models.Import, **who: UUID | None) -> bool:
    """Whether this import has added it itself: then it goes, and says nothing before."""
    rows = models.ImportRow.objects.filter(agency_id=of.agency_id, import_id=of.id, outcome="created")
    return rows.filter(**who).exists()


def _given_back(record: models.Contact | models.Company, changes: dict[str, Any]) -> tuple[list[str], bool]:
    """Set what still is as the import left it to what it was before; return what, and whether some was changed."""
    fields, changed = [], False
    for name, (before, after) in changes.get("fields", {}).items():
        present = getattr(record, name)
        if (str(present) if isinstance(present, UUID) else present) != after:
            changed = True
            continue
        setattr(record, name, UUID(before) if before and name.endswith("_id") else before)
        fields.append(name)
    for field, (before, after) in changes.get("custom", {}).items():
        if record.custom.get(field) != after:
            changed = True
            continue
        kept = {id: value for id, value in record.custom.items() if id != field}
        record.custom = kept | ({} if before is None else {field: before})
        fields.append("custom")
    return list(dict.fromkeys(fields)), changed


def _tell(of: models.Import, kind: str, fields: list[str], **who: UUID) -> None:
    data = {"fields": fields, "import": str(of.id), "undone": True}
    record_event(agency_id=of.agency_id, kind=kind, at=timezone.now(), by=of.by_id, subject_id=of.id, data=data, **who)
