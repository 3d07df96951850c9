"""A person, found by contact or by e-mail address, and all that the agency holds of them, feature by feature.

Whoever adds a table in which a person's data may stand adds it in its feature's `queries/held.py`, declares its columns
in `columns.py` here, and blanks it in its feature's `services/erasure.py`.
"""

import dataclasses
import datetime as dt
import re
from collections.abc import Collection
from uuid import UUID

from consult.accounts import queries as accounts
from consult.core import erased
from consult.crm import queries as contacts
from consult.crm.queries import held as crm
from consult.inbox.queries import held as inbox
from consult.intake import reports as intake_reports
from consult.intake.queries import held as intake


class NoSuchPerson(Exception):
    """The agency holds nothing of such a person."""


@dataclasses.dataclass(frozen=True)
class Person:
    """Ids of what is held of a person, and what names them. Without a contact: who has only ever written."""

    contact_id: UUID | None
    # What has to be typed to have them erased: the contact's name, or the address.
    name: str
    addresses: list[str]
    phones: list[str]
    names: list[str]
    crm: crm.Held
    inbox: inbox.Held
    set_aside: list[UUID]
    files: int
    saved_views: list[UUID]
    deals: list[UUID]
    companies: list[UUID]

    @property
    def pattern(self) -> re.Pattern[str] | None:
        """What finds them in what stands with them: their name, addresses, numbers."""
        return erased.pattern([*self.names, *self.addresses, *self.phones])

    @property
    def exact(self) -> re.Pattern[str] | None:
        """What finds them anywhere: a first name alone would be others' as well."""
        return erased.pattern([*(name for name in self.names if " " in name), *self.addresses, *self.phones])

    @property
    def is_held(self) -> bool:
        """Whether there is anything of them at all."""
        return bool(
            self.crm.contacts or self.inbox.enquiries or self.inbox.messages or self.inbox.mails or self.set_aside
        )

    def counts(self) -> dict[str, int]:
        """How many of each there are, for the preview and the audit."""
        return {
            "contacts": len(self.crm.contacts),
            "enquiries": len(self.inbox.enquiries),
            "submissions": len(self.inbox.submissions),
            "files": self.files,
            "messages": len(self.inbox.messages),
            "mails": len(self.inbox.mails),
            "notes": len(self.inbox.notes) + len(self.crm.notes),
            "set_aside": len(self.set_aside),
            "events": self.crm.events,
            "saved_views": len(self.saved_views),
        }


def contacts_with(agency_id: int, address: str) -> list[tuple[UUID, str]]:
    """Return (contact, name) of those who have this address."""
    return crm.contacts_with(agency_id, address)


def find(agency_id: int, *, contact_id: UUID | None = None, address: str = "") -> Person:
    """Return a contact with everything of theirs; or what came from an address and belongs to no contact.

    An alias is whom it was merged into. Raise NoSuchContact, NoSuchPerson.
    """
    if contact_id:
        contact = contacts.contact(agency_id, contact_id)
        return gather(agency_id, contact_id=contact.id, name=contact.name, contact_ids=[contact.id])
    if not address.strip():
        raise NoSuchPerson
    return gather(agency_id, name=address.strip().lower(), addresses=crm.addresses_like(address))


def gather(
    agency_id: int,
    *,
    contact_id: UUID | None = None,
    name: str = "",
    contact_ids: Collection[UUID] = (),
    addresses: Collection[str] = (),
    enquiry_ids: Collection[UUID] = (),
    mail_ids: Collection[UUID] = (),
    set_aside: Collection[UUID] = (),
    before: dt.datetime | None = None,
) -> Person:
    """Return what is held of whom these lead to; with `before` nothing that came later. Raise NoSuchPerson."""
    of_crm = crm.held(agency_id, contact_ids)
    known = {*of_crm.addresses, *addresses}
    of_inbox = inbox.held(
        agency_id,
        contact_ids=of_crm.contacts,
        addresses=sorted(known),
        enquiry_ids=enquiry_ids,
        mail_ids=mail_ids,
        before=before,
    )
    own = {erased.NAME, erased.TEXT, ""}
    phones = {*of_crm.phones, *intake.phones_in(agency_id, of_inbox.submissions)} - own
    names = {*of_crm.names, *of_inbox.names} - own
    aside = intake.set_aside_with(agency_id, sorted(known | phones), before)
    person = Person(
        contact_id=contact_id,
        name=name,
        addresses=sorted(known - own),
        phones=sorted(phones),
        names=sorted(names),
        crm=of_crm,
        inbox=of_inbox,
        set_aside=sorted({*aside, *set_aside}),
        files=len(intake.held_files(agency_id, of_inbox.submissions)),
        saved_views=[],
        deals=sorted(of_crm.deals | of_inbox.deals),
        companies=sorted(of_crm.companies | of_inbox.companies),
    )
    if not person.is_held:
        raise NoSuchPerson
    return dataclasses.replace(person, saved_views=inbox.saved_views_naming(agency_id, person.exact))


def spooled(agency_id: int) -> int:
    """Return how many of the agency's submissions wait in an edge's spool, where nobody can look for a person."""
    return intake_reports.spooled(agency_id)


def agencies() -> list[tuple[int, str, str]]:
    """Return (id, slug, name) of every agency."""
    return list(accounts.agencies())
