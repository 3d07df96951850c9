"""What a batch of rows does to companies: by name they are known, by website or nearly the same name only similar."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from consult.crm import models, rules
from consult.crm.services import companies
from consult.crm.services.import_contacts import Batch, label_ids
from consult.crm.services.import_rows import Row
from consult.crm.services.timeline import record_event

FIELDS = ("website", "phone", "address", "client_id")


def key(row: Row) -> str:
    """Return by what a row's company is known."""
    return rules.folded(row.values.get("name", ""))


def known(agency_id: int, rows: Iterable[Row]) -> dict[str, UUID]:
    """Return the companies of these names, of several of one name the oldest."""
    names = {key(row) for row in rows}
    found = models.Company.objects.filter(agency_id=agency_id, normal_name__in=names).order_by("-created_at", "-id")
    return dict(found.values_list("normal_name", "id"))


def similar(agency_id: int, rows: Iterable[Row]) -> dict[int, tuple[UUID, str]]:
    """Return, by line, companies that may be the same, and by what: website or name."""
    rows = list(rows)
    domains = {rules.domain(row.values["website"]) for row in rows if row.values.get("website")}
    keys = {rules.company_key(row.values["name"]) for row in rows if row.values.get("name")}
    every = models.Company.objects.filter(agency_id=agency_id)
    by_domain = dict(every.filter(domain__in=domains).values_list("domain", "id")) if domains else {}
    by_key = dict(every.filter(name_key__in=keys).values_list("name_key", "id")) if keys else {}
    found: dict[int, tuple[UUID, str]] = {}
    for row in rows:
        site = by_domain.get(rules.domain(row.values.get("website", "")))
        if id := site or by_key.get(rules.company_key(row.values.get("name", ""))):
            found[row.line] = (id, "website" if site else "name")
    return found


def run(batch: Batch, rows: Sequence[Row]) -> None:
    """Do what good rows say. The import is locked."""
    agency_id = batch.of.agency_id
    there, labels = known(agency_id, rows), label_ids(agency_id, rows)
    before = models.ImportRow.objects.filter(agency_id=agency_id, import_id=batch.of.id, outcome="created")
    mine = set(before.filter(company_id__in=set(there.values())).values_list("company_id", flat=True))
    for row in rows:
        id = there.get(key(row))
        if id and batch.of.on_known == "skip":
            batch.count("skipped")
        elif id is None:
            company = _create(agency_id, row, labels)
            there[key(row)] = company.id
            mine.add(company.id)
            batch.count("new")
            changes: dict[str, Any] = {"labels": [str(labels[each]) for each in row.values.get("labels", {})]}
            batch.note(row, "created", company_id=company.id, changes=changes)
        elif changes := _update(batch, id, row, labels, mine=id in mine):
            batch.count("known")
            batch.note(row, "updated", company_id=id, changes=changes)
        else:
            batch.count("skipped")


def _create(agency_id: int, row: Row, labels: dict[str, UUID]) -> models.Company:
    values = row.values
    company = models.Company.objects.create(
        agency_id=agency_id,
        name=values["name"],
        normal_name=rules.folded(values["name"]),
        name_key=rules.company_key(values["name"]),
        domain=rules.domain(values.get("website", "")),
        custom=values.get("custom", {}),
        **{field: values[field] for field in FIELDS if field in values},
    )
    models.Labelling.objects.bulk_create(
        models.Labelling(agency_id=agency_id, company_id=company.id, label_id=labels[each])
        for each in values.get("labels", {})
    )
    return company


def _update(batch: Batch, id: UUID, row: Row, labels: dict[str, UUID], *, mine: bool) -> dict[str, Any]:
    """Let a company have what the row says; return what was there before, empty when nothing differs."""
    company = companies.locked(batch.of.agency_id, id)
    told = {name: row.values[name] for name in FIELDS if name in row.values}
    fields = {name: [_plain(getattr(company, name)), _plain(after)] for name, after in told.items()}
    fields = {name: pair for name, pair in fields.items() if pair[0] != pair[1]}
    given = row.values.get("custom", {})
    custom = {field: [company.custom.get(field), after] for field, after in given.items()}
    custom = {field: pair for field, pair in custom.items() if pair[0] != pair[1]}
    borne = models.Labelling.objects.filter(agency_id=company.agency_id, company_id=id)
    there = set(borne.values_list("label_id", flat=True))
    more = [labels[each] for each in row.values.get("labels", {}) if labels[each] not in there]
    models.Labelling.objects.bulk_create(
        models.Labelling(agency_id=company.agency_id, company_id=id, label_id=label_id) for label_id in more
    )
    changes = {"fields": fields, "custom": custom, "labels": list(map(str, more))}
    if not any(changes.values()):
        return {}
    for name in fields:
        setattr(company, name, told[name])
    company.custom = company.custom | given
    save(company, version=not mine)
    changed = [*fields, *(["custom"] if custom else [])]
    if not mine and changed:
        record_event(
            agency_id=company.agency_id,
            kind="crm.update_company",
            at=batch.now,
            by=batch.of.by_id,
            company_id=id,
            subject_id=batch.of.id,
            data={"fields": changed, "import": str(batch.of.id)},
        )
    return changes


def save(company: models.Company, *, version: bool = True) -> None:
    """Save a company with what it is looked up by."""
    company.domain = rules.domain(company.website)
    company.version += version
    company.save()


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else value
