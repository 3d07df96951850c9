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
from consult.inbox.models.hooks import Hook
from consult.inbox.models.mailboxes import SECURITY, Mailbox
from consult.inbox.models.messages import DIRECTIONS, KINDS, MAIL_STATES, STATES, Attachment, Mail, Message, Template

__all__ = [
    "CLOSE_REASONS",
    "DELIVERIES",
    "DIRECTIONS",
    "KINDS",
    "MAIL_STATES",
    "SECURITY",
    "STATES",
    "STATUSES",
    "Attachment",
    "Counter",
    "Delivery",
    "Enquiry",
    "Hook",
    "Labelling",
    "Mail",
    "Mailbox",
    "Message",
    "Note",
    "SavedView",
    "Template",
    "Word",
]
