"""JSON routes of the inbox, by noun."""

from consult.inbox.api.enquiries import router as enquiries

__all__ = ["enquiries"]
