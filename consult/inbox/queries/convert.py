"""What an enquiry can become, and what it became."""

import dataclasses
from uuid import UUID

from consult.crm import queries as crm
from consult.inbox.queries.enquiries import Detail
from consult.tasks import queries as tasks_queries


@dataclasses.dataclass(frozen=True)
class Offer:
    """What a plan may choose from, before anything is done."""

    candidates: list[crm.Candidate]
    company_id: UUID | None
    company_name: str
    # Those that take new tasks.
    projects: list[tasks_queries.Project]


def offer(agency_id: int, enquiry: Detail) -> Offer:
    """Return who the sender may be, best first, and the company of the name that they gave, where it is known."""
    company = enquiry.sender_company
    candidates = crm.contact_candidates(
        agency_id,
        email=enquiry.sender_email,
        phone=enquiry.sender_phone,
        name=enquiry.sender_name,
        company=company,
    )
    company_id = crm.company_by_name(agency_id, company) if company else None
    return Offer(candidates, company_id, company, tasks_queries.open_projects(agency_id))


@dataclasses.dataclass(frozen=True)
class Links:
    """What an enquiry became, as (id, name); a merged contact is the one that it is now."""

    contact: tuple[UUID, str] | None = None
    company: tuple[UUID, str] | None = None
    deal: tuple[UUID, str] | None = None
    tasks: tuple[tasks_queries.TaskRow, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.contact or self.company or self.deal or self.tasks)

    @property
    def complete(self) -> bool:
        return bool(self.contact and self.company and self.deal and self.tasks)


def links(agency_id: int, enquiry: Detail) -> Links:
    """Return what the enquiry is linked to."""
    contact = crm.contact(agency_id, enquiry.contact_id) if enquiry.contact_id else None
    company = crm.company(agency_id, enquiry.company_id) if enquiry.company_id else None
    deal = crm.deal(agency_id, enquiry.deal_id) if enquiry.deal_id else None
    return Links(
        (contact.id, contact.name) if contact else None,
        (company.id, company.name) if company else None,
        (deal.id, deal.title) if deal else None,
        tuple(tasks_queries.tasks_of_enquiry(agency_id, enquiry.id)),
    )
