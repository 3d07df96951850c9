"""Agencies, their members, people and their ways in, the keys that sign tokens, and who did what."""
