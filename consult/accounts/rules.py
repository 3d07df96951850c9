"""Roles and what they may; names that no agency may take."""

import re

ROLES = ("owner", "admin", "member", "viewer")
WRITERS = frozenset({"owner", "admin", "member"})
MANAGERS = frozenset({"owner", "admin"})

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
# First path parts that the product itself answers.
RESERVED = frozenset(
    [
        "f",
        "v1",
        "live",
        "hooks",
        "api",
        "admin",
        "accounts",
        "oauth",
        "health",
        "ready",
        "metrics",
        "static",
        "media",
        "mail",
        ".well-known",
        "favicon.ico",
        "robots.txt",
        "about",
        "docs",
        "help",
        "login",
        "logout",
        "settings",
        "signup",
        "www",
    ]
)


def may_write(role: str) -> bool:
    """Viewers read; everybody else changes the agency's records."""
    return role in WRITERS


def may_manage(role: str) -> bool:
    """Owners and admins change sites and forms: what the outside world sees."""
    return role in MANAGERS
