"""Erasing a person: blanked wherever they are held, while everything that is counted stays (ADR 041).

Asked for at a page, done by a job: first the register of erasures is told (`register.py`), then everything is blanked
in one transaction, then files go. Killed anywhere in between, it goes on where it was.
"""

import datetime as dt
import json
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import structlog
import uuid_utils.compat

from consult.accounts import services as accounts
from consult.core import encryption, files, queue, tenancy
from consult.crm.queries import held as crm_held
from consult.crm.services import erasure as crm
from consult.inbox.queries import held as inbox_held
from consult.inbox.services import erasure as inbox
from consult.intake.services import erasure as intake
from consult.tasks.services import erasure as tasks
from consult.thread.queries import erasures
from consult.thread.queries import person as people
from consult.thread.services import register

log = structlog.get_logger("consult.thread")

# Why somebody is erased: a word, since a sentence would name them.
REASONS = ("asked", "withdrawn", "not_needed", "mistake", "law")
FILES_AT_ONCE = 200


class NotConfirmed(Exception):
    """What was typed is not the name or address that was to be typed."""


class NoReason(Exception):
    """There is no such reason."""


def erase_person(
    *,
    agency_id: int,
    contact_id: UUID | None = None,
    address: str = "",
    reason: str,
    typed: str,
    by: UUID | None,
) -> UUID:
    """Have a person erased by a job; return the erasure's id. It is not to be undone.

    `typed` is the person's `name`, whatever its case. Raise NoSuchContact, NoSuchPerson, NoReason, NotConfirmed.
    """
    if reason not in REASONS:
        raise NoReason(reason)
    with tenancy.agency(agency_id):
        person = people.find(agency_id, contact_id=contact_id, address=address)
        if _plain(typed) != _plain(person.name):
            raise NotConfirmed
        id = UUID(str(uuid_utils.compat.uuid7()))
        about = json.dumps({"contact_id": str(person.contact_id) if person.contact_id else "", "address": address})
        about_whom = {"contact": str(person.contact_id)} if person.contact_id else {}
        accounts.record("thread.ask_erasure", agency_id=agency_id, by=by, subject_id=id, data=about_whom)
        queue.enqueue(
            "thread.erase_person",
            erasure_id=str(id),
            about=encryption.seal(about.encode(), bound_to=_bound_to(id)),
            reason=reason,
            by=str(by) if by else "",
        )
    return id


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _bound_to(id: UUID) -> str:
    return f"thread.erase_person/{id}"


def carry_out(*, agency_id: int, erasure_id: UUID, about: str, reason: str, by: UUID | None, now: dt.datetime) -> None:
    """Do what `erase_person` was asked for; a second run changes nothing. Raise files.Away before anything is done."""
    told = json.loads(encryption.open_sealed(about, bound_to=_bound_to(erasure_id)))
    contact_id = UUID(told["contact_id"]) if told["contact_id"] else None
    with tenancy.agency(agency_id):
        if erasures.is_done(agency_id, erasure_id):
            return
        try:
            person = people.find(agency_id, contact_id=contact_id, address=told["address"])
        except people.NoSuchPerson:
            # Asked for twice: the other one was first.
            return
    # Before anything is gone: a database that is restored from yesterday hears of it.
    register.write(agency_id=agency_id, id=erasure_id, person=person, now=now)
    with tenancy.agency(agency_id):
        crm_held.lock(agency_id, person.crm.contacts)
        person = people.find(agency_id, contact_id=contact_id, address=told["address"])
        blank(agency_id=agency_id, person=person, now=now)
        accounts.record(
            "thread.erase_person",
            agency_id=agency_id,
            by=by,
            subject_id=erasure_id,
            data={
                "reason": reason,
                **({"contact": str(contact_id)} if contact_id else {}),
                **{what: count for what, count in person.counts().items() if count},
            },
        )


def blank(*, agency_id: int, person: people.Person, now: dt.datetime) -> None:
    """Blank everything of a person in the current transaction; jobs of it remove files and exports."""
    locations = intake.erase_submissions(agency_id=agency_id, ids=person.inbox.submissions, now=now)
    intake.erase_set_aside(agency_id=agency_id, ids=person.set_aside, now=now)
    locations += inbox.erase_enquiries(agency_id=agency_id, what=person.inbox, addresses=person.addresses, now=now)
    inbox.erase_saved_views(agency_id=agency_id, names=person.exact)
    crm.erase_contacts(agency_id=agency_id, what=person.crm, now=now)
    crm.forget_names(agency_id=agency_id, deals=person.deals, companies=person.companies, names=person.pattern)
    crm.forget_rows(agency_id=agency_id, names=person.exact)
    tasks.forget_names(
        agency_id=agency_id,
        enquiries=person.inbox.enquiries,
        submissions=person.inbox.submissions,
        deals=person.deals,
        names=person.pattern,
    )
    intake.erase_blocks(agency_id=agency_id, addresses=person.addresses, names=person.exact)
    accounts.forget_answers(agency_id=agency_id, names=person.exact)
    accounts.end_exports(agency_id=agency_id, now=now)
    queue.forget_person(person.exact)
    remove_later(locations)


def remove_later(locations: Sequence[str]) -> None:
    """Enqueue the removal of files with the transaction that no longer names them."""
    queue.enqueue_each(
        "thread.remove_files",
        [{"locations": locations[at : at + FILES_AT_ONCE]} for at in range(0, len(locations), FILES_AT_ONCE)],
    )


def remove_files(locations: Sequence[str]) -> None:
    """Remove files; those that are gone are no error. Raise files.Away."""
    for location in locations:
        files.remove(location)


# --- after a restore ------------------------------------------------------------------------------------------------


def reapply_erasures(*, now: dt.datetime, also: Path | None = None) -> tuple[int, int]:
    """Erase again whom the register names, in every agency; return (erasures, those that found something to blank).

    What came in after an erasure is new and stays. Raise register.Unreadable, files.Away: what was done until then is.
    """
    count = found = 0
    for agency_id, _slug, _name in people.agencies():
        for entry in register.entries(agency_id, also):
            count += 1
            found += _reapply(entry, now)
    return count, found


def _reapply(entry: register.Entry, now: dt.datetime) -> bool:
    agency_id = entry.agency_id
    with tenancy.agency(agency_id):
        # A submission whose enquiry is not opened yet: a job of the restored queue will, of nothing.
        remove_later(intake.erase_submissions(agency_id=agency_id, ids=entry.submissions, now=now))
        senders = {
            *inbox_held.senders(agency_id, entry.erased_at),
            *inbox_held.mail_senders(agency_id, entry.erased_at),
        }
        there = crm_held.existing_ids(agency_id, entry.contacts)
        enquiries = inbox_held.not_erased(agency_id, entry.enquiries)
        addresses = {address for address in senders if entry.knows(address)}
        try:
            person = people.gather(
                agency_id,
                contact_ids=there,
                addresses=addresses,
                enquiry_ids=enquiries,
                mail_ids=entry.mails,
                set_aside=entry.set_aside,
                before=entry.erased_at,
            )
        except people.NoSuchPerson:
            return False
        blank(agency_id=agency_id, person=person, now=now)
        if not (there or enquiries or addresses):
            return False
        accounts.record("thread.reapply_erasure", agency_id=agency_id, subject_id=entry.id)
    log.info("erasure applied again", agency=agency_id, erasure=str(entry.id))
    return True


def seals() -> dict[str, int]:
    """Return how many entries of the register each encryption key has sealed, over all agencies."""
    counted: dict[str, int] = {}
    for agency_id, _slug, _name in people.agencies():
        for key, count in register.sealed_with(agency_id).items():
            counted[key] = counted.get(key, 0) + count
    return counted


def reseal() -> int:
    """Bring the register under the first encryption key, over all agencies; return how many entries."""
    return sum(register.reseal(agency_id) for agency_id, _slug, _name in people.agencies())
