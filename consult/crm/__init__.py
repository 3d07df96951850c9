"""Whom the agency works for and whom it knows: people, companies, deals, and what happened with them."""
