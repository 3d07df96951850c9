"""What every feature stands on; no business tables, imports no feature, one noun per file."""
