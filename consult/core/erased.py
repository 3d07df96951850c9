"""What stands in the place of a person's data once it is erased, and how a text loses what names them."""

import re
from collections.abc import Iterable
from typing import Any

# Stored as they are: they are data of the agency, not words of a page.
NAME = "Erased person"
TEXT = "(erased)"
# What is shorter names nobody: “An” would be found in half of all sentences' beginnings.
SHORTEST = 3


def pattern(needles: Iterable[str]) -> re.Pattern[str] | None:
    """Return what finds any of these as whole words, whatever their case; None when there is nothing to look for."""
    wanted = {" ".join(each.split()) for each in needles}
    found = sorted((each for each in wanted if len(each) >= SHORTEST), key=len, reverse=True)
    if not found:
        return None
    parts = (r"\s+".join(map(re.escape, each.split())) for each in found)
    return re.compile(rf"(?<!\w)(?:{'|'.join(parts)})(?!\w)", re.IGNORECASE)


def without(value: Any, names: re.Pattern[str] | None) -> Any:
    """Return a text, or whatever JSON holds, in which what names the person is replaced by TEXT."""
    if names is None:
        return value
    if isinstance(value, str):
        return names.sub(TEXT, value)
    if isinstance(value, list):
        return [without(each, names) for each in value]
    if isinstance(value, dict):
        return {key: without(each, names) for key, each in value.items()}
    return value
