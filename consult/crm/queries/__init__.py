"""Reads of the CRM, by noun."""

from consult.crm.queries.clients import Client, client, client_names, clients_after
from consult.crm.queries.companies import (
    Company,
    NoSuchCompany,
    companies,
    company,
    company_by_name,
    company_names,
    first_company_names,
)
from consult.crm.queries.contacts import (
    MOST_PEOPLE,
    Contact,
    ContactRow,
    NoSuchContact,
    alias_ids,
    contact,
    contact_choices,
    contact_names,
    contacts,
    contacts_of,
    survivors,
)
from consult.crm.queries.deals import Deal, DealRow, NoSuchDeal, Stage, board, deal, deals, deals_of, stages, totals
from consult.crm.queries.duplicates import Candidate, Merged, contact_candidates, duplicates_of, last_merge
from consult.crm.queries.fields import Field, fields, filled
from consult.crm.queries.labels import labels, labels_of
from consult.crm.queries.phones import phone_region
from consult.crm.queries.timeline import Line, Timeline, timeline

__all__ = [
    "MOST_PEOPLE",
    "Candidate",
    "Client",
    "Company",
    "Contact",
    "ContactRow",
    "Deal",
    "DealRow",
    "Field",
    "Line",
    "Merged",
    "NoSuchCompany",
    "NoSuchContact",
    "NoSuchDeal",
    "Stage",
    "Timeline",
    "alias_ids",
    "board",
    "client",
    "client_names",
    "clients_after",
    "companies",
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
    "fields",
    "filled",
    "first_company_names",
    "labels",
    "labels_of",
    "last_merge",
    "phone_region",
    "stages",
    "survivors",
    "timeline",
    "totals",
]
