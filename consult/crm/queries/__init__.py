"""Reads of the CRM, by noun."""

from consult.crm.queries.companies import (
    Company,
    NoSuchCompany,
    client_names,
    companies,
    companies_named,
    company,
    company_by_name,
    company_names,
)
from consult.crm.queries.contacts import (
    Contact,
    NoSuchContact,
    alias_ids,
    contact,
    contact_choices,
    contact_names,
    contacts,
    contacts_of,
    survivors,
)
from consult.crm.queries.deals import Deal, NoSuchDeal, Stage, board, deal, deals, deals_of, stages, totals
from consult.crm.queries.duplicates import Candidate, contact_candidates, duplicates_of
from consult.crm.queries.labels import labels, labels_of
from consult.crm.queries.phones import phone_region
from consult.crm.queries.timeline import Line, Timeline, timeline

__all__ = [
    "Candidate",
    "Company",
    "Contact",
    "Deal",
    "Line",
    "NoSuchCompany",
    "NoSuchContact",
    "NoSuchDeal",
    "Stage",
    "Timeline",
    "alias_ids",
    "board",
    "client_names",
    "companies",
    "companies_named",
    "company",
    "company_by_name",
    "company_names",
    "contact",
    "contact_candidates",
    "contact_choices",
    "contact_names",
    "contacts",
    "contacts_of",
    "deal",
    "deals",
    "deals_of",
    "duplicates_of",
    "labels",
    "labels_of",
    "phone_region",
    "stages",
    "survivors",
    "timeline",
    "totals",
]
