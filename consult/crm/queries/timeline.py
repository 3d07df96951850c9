"""The timeline of a contact, a company or a deal: one query, paged, the latest first."""

import dataclasses
import datetime as dt
from typing import Any
from uuid import UUID

from django.db.models import Q

from consult.accounts import queries as accounts
from consult.crm import models
from consult.crm.queries import pages
from consult.crm.queries.contacts import alias_ids, contact_names
from consult.crm.queries.deals import deal_titles
from consult.crm.queries.imports import imported


@dataclasses.dataclass(frozen=True)
class Line:
    """One line: what (`kind`, with its `data`), when and by whom; `note` is what was written, where it is a note."""

    id: UUID
    kind: str
    at: dt.datetime
    by_name: str
    contact_id: UUID | None
    company_id: UUID | None
    deal_id: UUID | None
    subject_id: UUID | None
    data: dict[str, Any]
    note: str
    contact_name: str
    deal_title: str


@dataclasses.dataclass(frozen=True)
class Timeline:
    """One page of lines; `next_cursor` is empty on the last."""

    lines: list[Line]
    next_cursor: str


def timeline(
    agency_id: int,
    *,
    contact_id: UUID | None = None,
    company_id: UUID | None = None,
    deal_id: UUID | None = None,
    before: str = "",
    size: int = 30,
) -> Timeline:
    """Return the latest lines of one of the three before the cursor; a contact's with those of its aliases."""
    found = models.Event.objects.filter(agency_id=agency_id)
    if contact_id:
        found = found.filter(contact_id__in=alias_ids(agency_id, contact_id))
    elif company_id:
        found = found.filter(company_id=company_id)
    else:
        found = found.filter(deal_id=deal_id)
    if place := pages.place(before):
        at, id = pages.moment(place[0]), place[1]
        if at:
            found = found.filter(at__lte=at).filter(Q(at__lt=at) | Q(id__lt=id))
    rows = list(found.order_by("-at", "-id")[: size + 1])
    more, rows = len(rows) > size, rows[:size]
    written = [row.subject_id for row in rows if row.kind == "crm.add_note" and row.subject_id]
    notes = models.Note.objects.filter(agency_id=agency_id, id__in=written) if written else ()
    bodies = {note.id: note.body for note in notes}
    titles = deal_titles(agency_id, [row.deal_id for row in rows])
    people = contact_names(agency_id, [row.contact_id for row in rows])
    # Who came with an import has no line of its own that would have to go when the import is taken back.
    came = None if more or deal_id else _came(agency_id, contact_id, company_id)
    names = accounts.member_names(agency_id) if came or any(row.by_id for row in rows) else {}
    lines = [
        Line(
            id=row.id,
            kind=row.kind,
            at=row.at,
            by_name=names.get(row.by_id, "") if row.by_id else "",
            contact_id=row.contact_id,
            company_id=row.company_id,
            deal_id=row.deal_id,
            subject_id=row.subject_id,
            data=row.data,
            note=bodies.get(row.subject_id, "") if row.subject_id else "",
            contact_name=people.get(row.contact_id, "") if row.contact_id else "",
            deal_title=titles.get(row.deal_id, "") if row.deal_id else "",
        )
        for row in rows
    ]
    if came:
        lines.append(dataclasses.replace(came[0], by_name=names.get(came[1], "") if came[1] else ""))
    return Timeline(lines, pages.cursor(rows[-1].at.isoformat(), rows[-1].id) if more else "")


def _came(agency_id: int, contact_id: UUID | None, company_id: UUID | None) -> tuple[Line, UUID | None] | None:
    """Return the line that says with which import somebody came, and who has imported it."""
    found = imported(agency_id, **({"contact_id": contact_id} if contact_id else {"company_id": company_id}))
    if found is None:
        return None
    id, name, line, at, by = found
    data = {"file": name, "row": line}
    return Line(id, "crm.start_import", at, "", contact_id, company_id, None, id, data, "", "", ""), by
