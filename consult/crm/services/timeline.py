"""Writes of the timeline: its lines and the notes among them."""

import datetime as dt
from typing import Any, Literal
from uuid import UUID

from django.utils import timezone

from consult.accounts import services as accounts
from consult.core import live, tenancy
from consult.crm import models, queries


class EmptyNote(Exception):
    """A note with nothing in it."""


def record_event(
    *,
    agency_id: int,
    kind: str,
    at: dt.datetime,
    by: UUID | None = None,
    contact_id: UUID | None = None,
    company_id: UUID | None = None,
    deal_id: UUID | None = None,
    subject_id: UUID | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    """Write a line into the timelines of a contact, a company, a deal (at least one of them), of all that are given.

    `kind` is the name of the action (`inbox.convert_enquiry`); the pages say the CRM's own in words. Of another
    feature's they show `data["text"]`, as it stands, with a link to `data["path"]` inside the agency (`inbox/142/`)
    that is called by `data["number"]` (#142). Apart from that `data` holds ids and numbers. A contact's line also
    stands with the company that they are at.
    """
    with tenancy.agency(agency_id):
        if contact_id and company_id is None:
            of = models.Contact.objects.filter(agency_id=agency_id, id=contact_id)
            company_id = of.values_list("company_id", flat=True).first()
        models.Event.objects.create(
            agency_id=agency_id,
            kind=kind,
            at=at,
            by_id=by,
            contact_id=contact_id,
            company_id=company_id,
            deal_id=deal_id,
            subject_id=subject_id,
            data=data or {},
        )


def add_note(
    *,
    agency_id: int,
    place: Literal["contact", "company", "deal"],
    id: UUID,
    body: str,
    by: UUID | None,
    now: dt.datetime | None = None,
) -> UUID:
    """Write a note down about a contact, a company or a deal; return its id.

    Raise EmptyNote, NoSuchContact, NoSuchCompany, NoSuchDeal.
    """
    if not body.strip():
        raise EmptyNote
    with tenancy.agency(agency_id):
        of = _bearer(agency_id, place, id)
        note = models.Note.objects.create(
            agency_id=agency_id, author_id=by, body=body.strip(), **{f"{place}_id": of[f"{place}_id"]}
        )
        record_event(
            agency_id=agency_id, kind="crm.add_note", at=now or timezone.now(), by=by, subject_id=note.id, **of
        )
        subject_id = of[f"{place}_id"]
        accounts.record("crm.add_note", agency_id=agency_id, by=by, subject_id=subject_id, data={"note": str(note.id)})
        live.nudge(kind=place, id=subject_id)
    return note.id


def _bearer(agency_id: int, place: str, id: UUID) -> dict[str, Any]:
    """Return whose timelines the note stands in; of an alias, that of the contact that it is now."""
    if place == "contact":
        contact = queries.contact(agency_id, id)
        if contact.erased_at:
            raise queries.NoSuchContact(id)
        return {"contact_id": contact.id}
    if place == "company":
        return {"company_id": queries.company(agency_id, id).id}
    deal = queries.deal(agency_id, id)
    of = {"deal_id": deal.id, "contact_id": deal.contact_id, "company_id": deal.company_id}
    return {name: value for name, value in of.items() if value}
