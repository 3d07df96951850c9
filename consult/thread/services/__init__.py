"""What is done across features."""
