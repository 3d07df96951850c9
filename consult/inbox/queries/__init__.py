"""Reads of the inbox, by noun."""

from consult.inbox.queries.convert import Links, Offer, links, offer
from consult.inbox.queries.enquiries import (
    Delivered,
    Detail,
    Row,
    deliveries,
    enquiries_by_id,
    enquiry,
    last_failures,
    notes,
)
from consult.inbox.queries.jobs import agencies_to_wake
from consult.inbox.queries.lists import Page, SavedView, aside, choices, enquiries, others_of_sender
from consult.inbox.queries.mails import WORDS, notification, reply, reply_words
from consult.inbox.queries.records import Noted, Record, enquiries_before, note, notes_after, record

__all__ = [
    "WORDS",
    "Delivered",
    "Detail",
    "Links",
    "Noted",
    "Offer",
    "Page",
    "Record",
    "Row",
    "SavedView",
    "agencies_to_wake",
    "aside",
    "choices",
    "deliveries",
    "enquiries",
    "enquiries_before",
    "enquiries_by_id",
    "enquiry",
    "last_failures",
    "links",
    "note",
    "notes",
    "notes_after",
    "notification",
    "offer",
    "others_of_sender",
    "record",
    "reply",
    "reply_words",
]
