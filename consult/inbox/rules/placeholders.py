"""Placeholders of reply templates: {{ name }} and the few others that there are."""

import re
from collections.abc import Mapping

# What stands in a template, and what it stands for.
PLACEHOLDERS = ("name", "first_name", "email", "subject", "number", "receipt", "site", "agency", "member")
_PLACEHOLDER = re.compile(r"\{\{([^{}]*)\}\}")


def unknown_placeholders(text: str) -> list[str]:
    """Return what stands between braces in a text and is none of PLACEHOLDERS, each once, as it was written."""
    found = (match[1].strip() for match in _PLACEHOLDER.finditer(text))
    return list(dict.fromkeys(name for name in found if name not in PLACEHOLDERS))


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return a text with its placeholders filled, once: what a value says is never a placeholder itself.

    One that is unknown stays as it is.
    """
    return _PLACEHOLDER.sub(lambda match: values.get(match[1].strip(), match[0]), text)
