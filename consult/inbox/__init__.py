"""Enquiries: what staff work on, opened from submissions or typed in, until they become contacts and deals."""
