"""HTML input of the CRM to clean values, by noun."""

from consult.crm.forms.companies import Company
from consult.crm.forms.contacts import Contact
from consult.crm.forms.deals import Deal
from consult.crm.forms.imports import Column, columns
from consult.crm.forms.own import Field

__all__ = ["Column", "Company", "Contact", "Deal", "Field", "columns"]
