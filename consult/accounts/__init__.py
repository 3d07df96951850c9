"""Agencies, their members, sign-in, the keys that sign tokens, and who did what."""
