"""Pages across features."""
