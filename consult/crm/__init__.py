"""Whom the agency works for and whom it knows."""
