"""An enquiry becomes a contact, a company, a deal and a task, in one transaction."""

import dataclasses
import datetime as dt
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from consult.core import tenancy
from consult.crm import queries as crm_queries
from consult.crm import services as crm
from consult.inbox import models
from consult.inbox.services import changes
from consult.tasks import queries as tasks_queries
from consult.tasks import services as tasks


class NothingChosen(Exception):
    """Neither a contact, nor a company, nor a deal, nor a task is to be made or linked."""


class KnownMeanwhile(Exception):
    """Somebody has made a contact with this address since the plan was shown. Nothing was done."""


class NotThere(Exception):
    """The contact, the company or the project that was chosen is gone, or archived."""


@dataclasses.dataclass(frozen=True)
class Plan:
    """What an enquiry is to become: for each an id that is there, or what a new one is called; neither: none."""

    contact_id: UUID | None = None
    contact_name: str = ""
    email: str = ""
    phone: str = ""
    company_id: UUID | None = None
    company_name: str = ""
    deal_title: str = ""
    # The project that a task is made in, with this title.
    project_id: UUID | None = None
    task_title: str = ""
    # Whether a new contact is wanted although somebody with this address is known.
    even_if_known: bool = False


@dataclasses.dataclass(frozen=True)
class Converted(changes.Done):
    """What a conversion left behind; `task_key` is the key of the task that it made, if it made one."""

    task_key: str = ""


def convert_enquiry(
    *, agency_id: int, number: int, plan: Plan, by: UUID | None, now: dt.datetime, seen: int | None = None
) -> Converted:
    """Make and link what the plan names and the enquiry lacks; what it is linked to already stays.

    So a second time adds what is missing, and of two at once the second finds what the first has made. Everything new
    carries the enquiry's submission, and everything linked gets lines in its timeline. An enquiry leads to as many
    tasks as are asked for, of each title one. Raise NoSuchEnquiry,
    NothingChosen, NotThere, KnownMeanwhile, and ValueError where the CRM refuses a value.
    """
    with tenancy.agency(agency_id):
        enquiry = changes.locked(agency_id, number, seen=seen, about=frozenset())
        try:
            links = _links(enquiry, plan, by, now)
        except (crm.NoSuchContact, crm.NoSuchCompany) as error:
            raise NotThere from error
        except crm.KnownAddress as error:
            raise KnownMeanwhile(error.address) from error
        if not any(links.values()) and not (plan.project_id and plan.task_title.strip()):
            raise NothingChosen(number)
        fresh = {name: id for name, id in links.items() if id and getattr(enquiry, name) is None}
        done = changes.change("inbox.convert_enquiry", enquiry, by=by, values=fresh)
        if done.version:
            _tell(enquiry, fresh, by, now)
        made = _task(enquiry, plan, links, by, now)
    return Converted(done.number, done.version, made)


def _task(enquiry: models.Enquiry, plan: Plan, links: dict[str, UUID | None], by: UUID | None, now: dt.datetime) -> str:
    """Make the task of the plan, unless the enquiry has one of that title; return its key."""
    title = " ".join(plan.task_title.split())
    if not title or not plan.project_id:
        return ""
    if any(each.title == title for each in tasks_queries.tasks_of_enquiry(enquiry.agency_id, enquiry.id)):
        return ""
    try:
        return tasks.create_task(
            agency_id=enquiry.agency_id,
            project_id=plan.project_id,
            title=title,
            by=by,
            now=now,
            origin_submission_id=enquiry.submission_id,
            enquiry_id=enquiry.id,
            enquiry_number=enquiry.number,
            deal_id=links["deal_id"],
            contact_id=links["contact_id"],
            company_id=links["company_id"],
            why="convert_enquiry",
        )
    except (tasks.NoSuchProject, tasks.ProjectArchived) as error:
        raise NotThere from error


def _links(enquiry: models.Enquiry, plan: Plan, by: UUID | None, now: dt.datetime) -> dict[str, UUID | None]:
    common: dict[str, Any] = {
        "agency_id": enquiry.agency_id,
        "by": by,
        "now": now,
        "origin_submission_id": enquiry.submission_id,
    }
    company_id = enquiry.company_id
    if company_id is None and plan.company_id:
        company_id = crm_queries.company(enquiry.agency_id, plan.company_id).id
    if company_id is None and plan.company_name.strip():
        company_id = crm.create_company(name=plan.company_name, **common)
    contact_id = enquiry.contact_id
    if contact_id is None and plan.contact_id:
        contact_id = _existing_contact(enquiry.agency_id, plan.contact_id, company_id, by, now)
    if contact_id is None and (plan.contact_name.strip() or plan.email.strip()):
        contact_id = crm.create_contact(
            name=plan.contact_name,
            emails=[plan.email] if plan.email.strip() else [],
            phones=[plan.phone] if plan.phone.strip() else [],
            company_id=company_id,
            unless_known=not plan.even_if_known,
            **common,
        )
    deal_id = enquiry.deal_id
    if deal_id is None and plan.deal_title.strip():
        deal_id = crm.create_deal(title=plan.deal_title, contact_id=contact_id, company_id=company_id, **common)
    return {"contact_id": contact_id, "company_id": company_id, "deal_id": deal_id}


def _existing_contact(
    agency_id: int, contact_id: UUID, company_id: UUID | None, by: UUID | None, now: dt.datetime
) -> UUID:
    """Return the contact that this one is now; who has no company yet gets the enquiry's."""
    contact = crm_queries.contact(agency_id, contact_id)
    if company_id and contact.company_id is None:
        # What somebody else saves at this moment is waited for, and kept.
        crm.lock_contact(agency_id=agency_id, contact_id=contact.id)
        contact = crm_queries.contact(agency_id, contact.id)
    if company_id and contact.company_id is None:
        crm.update_contact(
            agency_id=agency_id,
            contact_id=contact.id,
            by=by,
            name=contact.name,
            emails=contact.emails,
            phones=contact.phones,
            job_title=contact.job_title,
            company_id=company_id,
            client_id=contact.client_id,
            now=now,
        )
    return contact.id


def _tell(enquiry: models.Enquiry, fresh: dict[str, UUID], by: UUID | None, now: dt.datetime) -> None:
    """Write lines into the timelines of what is linked now: when the enquiry came, and that it was converted."""
    place = {"path": f"inbox/{enquiry.number}/", "number": enquiry.number}
    came = _("Enquiry #%(n)s came in") % {"n": enquiry.number}
    made = _("converted enquiry #%(n)s") % {"n": enquiry.number}
    links: dict[str, Any] = dict(fresh)
    common: dict[str, Any] = {"agency_id": enquiry.agency_id, "subject_id": enquiry.id}
    crm.record_event(kind="inbox.open_enquiry", at=enquiry.received_at, data={**place, "text": came}, **common, **links)
    crm.record_event(kind="inbox.convert_enquiry", at=now, by=by, data={**place, "text": made}, **common, **links)
