"""Enquiries: what staff work on, opened from submissions."""
