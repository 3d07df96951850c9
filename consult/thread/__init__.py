"""What looks across features: reports, a person's export, erasure. It has no tables of its own."""
