"""Pages of the inbox, by noun."""
