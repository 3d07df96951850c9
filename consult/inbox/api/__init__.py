"""JSON routes of the inbox, by noun."""

from consult.inbox.api.enquiries import enquiries
from consult.inbox.api.jobs import jobs

__all__ = ["enquiries", "jobs"]
