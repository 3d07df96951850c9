"""What a batch of rows does to contacts: who is known is changed or left alone, everybody else is added."""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from consult.crm import models, queries, rules
from consult.crm.services import contacts
from consult.crm.services.import_rows import Row, email_keys
from consult.crm.services.timeline import record_event


def known(agency_id: int, rows: Iterable[Row]) -> dict[str, UUID]:
    """Return whose addresses these are, by key: of two contacts with the same one the older."""
    keys = {key for row in rows for key in email_keys(row)}
    if not keys:
        return {}
    found = models.Email.objects.filter(agency_id=agency_id, normal__in=keys).order_by("-created_at", "-id")
    first = dict(found.values_list("normal", "contact_id"))
    now = queries.survivors(agency_id, first.values())
    return {key: now[id] for key, id in first.items()}


def similar(agency_id: int, rows: Iterable[Row]) -> dict[int, tuple[UUID, str]]:
    """Return, by line, contacts who may be the same person, and by what: phone, or name and company."""
    rows = list(rows)
    numbers = {key for row in rows for key in row.values.get("phones", {}).values()}
    phones = models.Phone.objects.filter(agency_id=agency_id, normal__in=numbers) if numbers else ()
    by_phone = {phone.normal: phone.contact_id for phone in phones}
    names = {rules.folded(row.values["name"]) for row in rows if row.values.get("name") and row.values.get("company")}
    people = models.Contact.objects.filter(
        agency_id=agency_id, normal_name__in=names, merged_into_id=None, company_id__isnull=False
    )
    same = list(people.values_list("normal_name", "company_id", "id")) if names else []
    firms = queries.company_names(agency_id, [company_id for _name, company_id, _id in same])
    by_name = {(name, rules.company_key(firms.get(company_id, ""))): id for name, company_id, id in same if company_id}
    found: dict[int, tuple[UUID, str]] = {}
    for row in rows:
        phone = next((by_phone[key] for key in row.values.get("phones", {}).values() if key in by_phone), None)
        who = (rules.folded(row.values.get("name", "")), rules.company_key(row.values.get("company", "")))
        if id := phone or by_name.get(who):
            found[row.line] = (id, "phone" if phone else "company")
    return found


@dataclasses.dataclass
class Batch:
    """The rows of one transaction, and what came of them."""

    of: models.Import
    now: dt.datetime
    done: list[models.ImportRow] = dataclasses.field(default_factory=list)
    counts: dict[str, int] = dataclasses.field(default_factory=dict)

    def count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1

    def note(self, row: Row, outcome: str, **more: Any) -> None:
        self.done.append(
            models.ImportRow(agency_id=self.of.agency_id, import_id=self.of.id, line=row.line, outcome=outcome, **more)
        )


def run(batch: Batch, rows: Sequence[Row]) -> None:
    """Do what good rows say. The import is locked; nobody adds one of these addresses until this transaction ends."""
    agency_id = batch.of.agency_id
    _lock(agency_id, rows)
    there = known(agency_id, rows)
    firms = Firms(agency_id, [row.values["company"] for row in rows if row.values.get("company")])
    labels = label_ids(agency_id, rows)
    mine = _made_before(batch.of, there.values())
    fresh = _Fresh(agency_id)
    for row in rows:
        keys = email_keys(row)
        id = next((there[key] for key in keys if key in there), None)
        if id and batch.of.on_known == "skip":
            batch.count("skipped")
            continue
        company_id, made = firms.take(row.values.get("company", ""))
        if id is None:
            id = fresh.add(row, company_id, labels)
            there |= dict.fromkeys(keys, id)
            mine.add(id)
            batch.count("new")
            changes = {"labels": [str(labels[key]) for key in row.values.get("labels", {})]}
            batch.note(row, "created", contact_id=id, company_id=made, changes=changes)
            continue
        # Somebody whom an earlier row of the same batch has added.
        fresh.save()
        if changes := _update(batch, id, row, company_id, labels, mine=id in mine):
            batch.count("known")
            batch.note(row, "updated", contact_id=id, company_id=made, changes=changes)
        else:
            batch.count("skipped")
    fresh.save()


def _lock(agency_id: int, rows: Sequence[Row]) -> None:
    """As contacts.create_contact does for one."""
    keys = sorted({key for row in rows for key in email_keys(row)})
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(key, 0)) FROM unnest(%s::text[]) AS key",
            [[f"crm_email {agency_id} {key}" for key in keys]],
        )


def _made_before(of: models.Import, ids: Iterable[UUID]) -> set[UUID]:
    """Return which of these contacts this import has added itself."""
    rows = models.ImportRow.objects.filter(agency_id=of.agency_id, import_id=of.id, outcome="created")
    found = rows.filter(contact_id__in=set(ids)).values_list("contact_id", flat=True)
    return {id for id in found if id}


class Firms:
    """Companies by name; one that is named and not there is made."""

    def __init__(self, agency_id: int, names: Iterable[str]) -> None:
        self.agency_id = agency_id
        folded = {rules.folded(name) for name in names}
        found = models.Company.objects.filter(agency_id=agency_id, normal_name__in=folded) if folded else None
        rows = found.order_by("-created_at", "-id").values_list("normal_name", "id") if found is not None else ()
        self.ids = dict(rows)

    def take(self, name: str) -> tuple[UUID | None, UUID | None]:
        """Return the company of this name, and once more where it was made for it."""
        key = rules.folded(name)
        if not key:
            return None, None
        if key in self.ids:
            return self.ids[key], None
        made = models.Company.objects.create(
            agency_id=self.agency_id, name=name, normal_name=key, name_key=rules.company_key(name)
        )
        self.ids[key] = made.id
        return made.id, made.id


def label_ids(agency_id: int, rows: Iterable[Row]) -> dict[str, UUID]:
    """Return the labels that rows name, by key; new ones are made."""
    wanted = {key: name for row in rows for key, name in row.values.get("labels", {}).items()}
    if not wanted:
        return {}
    models.Label.objects.bulk_create(
        [models.Label(agency_id=agency_id, name=name, normal_name=key) for key, name in sorted(wanted.items())],
        ignore_conflicts=True,
    )
    found = models.Label.objects.filter(agency_id=agency_id, normal_name__in=list(wanted))
    return dict(found.values_list("normal_name", "id"))


class _Fresh:
    """Contacts that are added together."""

    def __init__(self, agency_id: int) -> None:
        self.agency_id = agency_id
        self._clear()

    def _clear(self) -> None:
        self._contacts: list[models.Contact] = []
        self._emails: list[models.Email] = []
        self._phones: list[models.Phone] = []
        self._labels: list[models.Labelling] = []

    def add(self, row: Row, company_id: UUID | None, labels: dict[str, UUID]) -> UUID:
        values = row.values
        emails, phones = list(values.get("emails", ())), values.get("phones", {})
        name = values.get("name") or emails[0][: contacts.LONGEST_NAME]
        contact = models.Contact(
            agency_id=self.agency_id,
            name=name,
            normal_name=rules.folded(name),
            search=rules.search_text(name, emails, list(phones.values())),
            job_title=values.get("job_title", ""),
            company_id=company_id,
            client_id=values.get("client_id"),
            custom=values.get("custom", {}),
        )
        of: dict[str, Any] = {"agency_id": self.agency_id, "contact_id": contact.id}
        self._contacts.append(contact)
        self._emails += [
            models.Email(**of, address=address, normal=rules.email_key(address), is_primary=number == 0)
            for number, address in enumerate(emails)
        ]
        self._phones += [
            models.Phone(**of, number=text, normal=key, is_primary=number == 0)
            for number, (text, key) in enumerate(phones.items())
        ]
        self._labels += [models.Labelling(**of, label_id=labels[key]) for key in values.get("labels", {})]
        return contact.id

    def save(self) -> None:
        if not self._contacts:
            return
        models.Contact.objects.bulk_create(self._contacts)
        models.Email.objects.bulk_create(self._emails)
        models.Phone.objects.bulk_create(self._phones)
        models.Labelling.objects.bulk_create(self._labels)
        self._clear()


def _update(
    batch: Batch, id: UUID, row: Row, company_id: UUID | None, labels: dict[str, UUID], *, mine: bool
) -> dict[str, Any]:
    """Let a contact have what the row says: texts are replaced, addresses, numbers and labels are added.

    Return what was there before; empty when nothing differs. `mine`: this import has added it, which says it all.
    """
    contact = contacts.locked(batch.of.agency_id, id)
    told = {name: row.values.get(name) for name in ("name", "job_title", "client_id")} | {"company_id": company_id}
    fields = {name: [_plain(getattr(contact, name)), _plain(after)] for name, after in told.items() if after}
    fields = {name: pair for name, pair in fields.items() if pair[0] != pair[1]}
    given = row.values.get("custom", {})
    custom = {field: [contact.custom.get(field), after] for field, after in given.items()}
    custom = {field: pair for field, pair in custom.items() if pair[0] != pair[1]}
    emails = _added(models.Email, "address", contact, {each: rules.email_key(each) for each in row.values["emails"]})
    phones = _added(models.Phone, "number", contact, row.values.get("phones", {}))
    borne = models.Labelling.objects.filter(agency_id=contact.agency_id, contact_id=id)
    there = set(borne.values_list("label_id", flat=True))
    more = [labels[key] for key in row.values.get("labels", {}) if labels[key] not in there]
    models.Labelling.objects.bulk_create(
        models.Labelling(agency_id=contact.agency_id, contact_id=id, label_id=label_id) for label_id in more
    )
    changes = {"fields": fields, "custom": custom, "emails": emails, "phones": phones, "labels": list(map(str, more))}
    if not any(changes.values()):
        return {}
    for name in fields:
        setattr(contact, name, told[name])
    contact.custom = contact.custom | given
    save(contact, version=not mine)
    changed = [*fields, *(name for name in ("custom", "emails", "phones") if changes[name])]
    if not mine and changed:
        data = {"fields": changed, "import": str(batch.of.id)}
        record_event(
            agency_id=contact.agency_id,
            kind="crm.update_contact",
            at=batch.now,
            by=batch.of.by_id,
            contact_id=id,
            subject_id=batch.of.id,
            data=data,
        )
    return changes


def _added(
    model: type[models.Email] | type[models.Phone], field: str, contact: models.Contact, wanted: dict[str, str]
) -> list[str]:
    """Add addresses or numbers (as written: as compared) that the contact has not; return which."""
    rows: list[Any] = list(model.objects.filter(agency_id=contact.agency_id, contact_id=contact.id))
    texts, keys = {getattr(row, field) for row in rows}, {row.normal for row in rows}
    if field == "address":
        keys = set()
    fresh = [text for text, key in wanted.items() if text not in texts and key not in keys]
    fresh = fresh[: max(0, contacts.MOST - len(rows))]
    for number, text in enumerate(fresh):
        model.objects.create(
            agency_id=contact.agency_id,
            contact_id=contact.id,
            normal=wanted[text],
            is_primary=not rows and number == 0,
            **{field: text},
        )
    return fresh


def save(contact: models.Contact, *, version: bool = True) -> None:
    """Save a contact with what it is looked up by."""
    contact.normal_name = rules.folded(contact.name)
    mine = {"agency_id": contact.agency_id, "contact_id": contact.id}
    emails = models.Email.objects.filter(**mine).order_by("-is_primary", "id").values_list("address", flat=True)
    phones = models.Phone.objects.filter(**mine).order_by("-is_primary", "id").values_list("normal", flat=True)
    contact.search = rules.search_text(contact.name, list(emails), list(phones))
    contact.version += version
    contact.save()


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else value
