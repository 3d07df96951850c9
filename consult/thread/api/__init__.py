"""JSON routes of the thread, by noun."""

from consult.thread.api.people import router as people

__all__ = ["people"]
