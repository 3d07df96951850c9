"""JSON routes of the inbox, by noun."""

from consult.inbox.api.enquiries import enquiries

__all__ = ["enquiries"]
