"""What the columns of a file may mean, and what stands in them."""

import dataclasses
from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from consult.crm import queries, rules

MEANINGS = {
    "name": gettext_noop("Name"),
    "first_name": gettext_noop("First name"),
    "last_name": gettext_noop("Last name"),
    "emails": gettext_noop("E-mail"),
    "phones": gettext_noop("Phone"),
    "phone": gettext_noop("Phone"),
    "job_title": gettext_noop("Job title"),
    "company": gettext_noop("Company"),
    "client": gettext_noop("Client"),
    "labels": gettext_noop("Labels"),
    "website": gettext_noop("Website"),
    "address": gettext_noop("Address"),
}


@dataclasses.dataclass(frozen=True)
class Column:
    """A column of a file: its name, what stands in its first rows, and what it may mean (value, words, chosen)."""

    number: int
    name: str
    samples: list[str]
    choices: list[tuple[str, str, bool]]


def columns(
    agency_id: int, of: queries.Import, preview: Sequence[Sequence[str]], mapping: Sequence[str]
) -> list[Column]:
    """Return the columns of an import as its page shows them."""
    own = [(f"own:{id}", name) for id, name in queries.own_fields(agency_id, of.place)]
    offered = [("", _("Leave out"))]
    offered += [(meaning, _(MEANINGS[meaning])) for meaning in rules.COLUMNS[of.place]]
    offered += own
    return [
        Column(
            number,
            name,
            [row[number] for row in preview if row[number]][:3],
            [(value, words, value == meaning) for value, words in offered],
        )
        for number, (name, meaning) in enumerate(zip(of.columns, mapping, strict=False))
    ]
