"""Pages of the CRM, by noun."""
