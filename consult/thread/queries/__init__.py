"""What is read across features."""

from consult.thread.queries.places import Place, places

__all__ = ["Place", "places"]
