"""Where the command palette leads: enquiries by number, people, companies and deals by name."""

import dataclasses
import re

from django.urls import reverse

from consult.crm import queries as crm
from consult.inbox import queries as inbox

LONGEST = 100
_NUMBER = re.compile(r"#?(\d{1,17})")


@dataclasses.dataclass(frozen=True)
class Place:
    """A page that one can go to. `kind` is enquiry, contact, company or deal."""

    kind: str
    name: str
    url: str


def places(agency_id: int, slug: str, text: str) -> list[Place]:
    """Return where this text may lead, in three questions at most however much the agency has."""
    text = " ".join(text.replace("\0", "").split())[:LONGEST]
    found: list[Place] = []
    if number := _NUMBER.fullmatch(text):
        enquiry = inbox.enquiry_named(agency_id, int(number[1]))
        if enquiry:
            found.append(Place("enquiry", enquiry, reverse("inbox:enquiry_detail", args=[slug, int(number[1])])))
    if len(text) > 1:
        found += [
            Place(each.kind, each.name, reverse(f"crm:{each.kind}_detail", args=[slug, each.id]))
            for each in crm.named(agency_id, text)
        ]
    return found
