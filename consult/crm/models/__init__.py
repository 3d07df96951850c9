"""Tables of the CRM, by noun."""

from consult.crm.models.companies import Client, Company
from consult.crm.models.contacts import Contact, Distinct, Email, Merge, Phone
from consult.crm.models.deals import Deal, Stage
from consult.crm.models.fields import Field
from consult.crm.models.imports import Import, ImportRow
from consult.crm.models.labels import Label, Labelling
from consult.crm.models.timeline import Event, Note

__all__ = [
    "Client",
    "Company",
    "Contact",
    "Deal",
    "Distinct",
    "Email",
    "Event",
    "Field",
    "Import",
    "ImportRow",
    "Label",
    "Labelling",
    "Merge",
    "Note",
    "Phone",
    "Stage",
]
