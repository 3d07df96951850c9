"""JSON routes of the thread, by noun."""

from consult.thread.api.people import router as people
from consult.thread.api.reports import router as reports

__all__ = ["people", "reports"]
