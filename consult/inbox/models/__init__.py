"""The inbox's tables, by noun."""

from consult.inbox.models.enquiries import (
    CLOSE_REASONS,
    DELIVERIES,
    STATUSES,
    Counter,
    Delivery,
    Enquiry,
    Labelling,
    Note,
    SavedView,
    Word,
)
from consult.inbox.models.messages import DIRECTIONS, KINDS, MAIL_STATES, STATES, Attachment, Mail, Message, Template

__all__ = [
    "CLOSE_REASONS",
    "DELIVERIES",
    "DIRECTIONS",
    "KINDS",
    "MAIL_STATES",
    "STATES",
    "STATUSES",
    "Attachment",
    "Counter",
    "Delivery",
    "Enquiry",
    "Labelling",
    "Mail",
    "Message",
    "Note",
    "SavedView",
    "Template",
    "Word",
]
