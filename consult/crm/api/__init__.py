"""JSON routes of the CRM, by noun."""

from consult.crm.api.clients import router as clients
from consult.crm.api.companies import router as companies
from consult.crm.api.contacts import router as contacts
from consult.crm.api.deals import router as deals
from consult.crm.api.fields import router as fields
from consult.crm.api.imports import router as imports
from consult.crm.api.labels import router as labels
from consult.crm.api.notes import companies as company_notes
from consult.crm.api.notes import contacts as contact_notes
from consult.crm.api.notes import deals as deal_notes
from consult.crm.api.stages import router as stages

ROUTERS = (
    ("/clients", clients),
    ("/contacts", contacts),
    ("/contacts", contact_notes),
    ("/companies", companies),
    ("/companies", company_notes),
    ("/deals", deals),
    ("/deals", deal_notes),
    ("/stages", stages),
    ("/labels", labels),
    ("/fields", fields),
    ("/imports", imports),
)

__all__ = ["ROUTERS"]
