"""JSON routes of the thread, by noun."""

from consult.thread.api.reports import router as reports

__all__ = ["reports"]
