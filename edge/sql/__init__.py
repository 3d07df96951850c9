"""The edge's SQL statements, each with a name and a line that describes it, in statements.sql."""

import importlib.resources
import re


def statements() -> dict[str, str]:
    """Name to SQL text."""
    text = importlib.resources.files(__name__).joinpath("statements.sql").read_text(encoding="utf-8")
    parts = re.split(r"^-- (\w+): .*$", text, flags=re.MULTILINE)
    return {name: sql.strip() for name, sql in zip(parts[1::2], parts[2::2], strict=True)}


_STATEMENTS = statements()

ACCEPT_SUBMISSIONS = _STATEMENTS["accept_submissions"]
FIND_FORM = _STATEMENTS["find_form"]
LIST_PUBLIC_KEYS = _STATEMENTS["list_public_keys"]
REPORT = _STATEMENTS["report"]
ROLE_FAULTS = _STATEMENTS["role_faults"]
SET_ASIDE = _STATEMENTS["set_aside"]
