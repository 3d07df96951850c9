"""People, companies and deals by what they are called: for jumping to one of them."""

import dataclasses
from typing import Literal
from uuid import UUID

from django.db import connection

from consult.crm import rules

# Whoever is not found by how their name begins is looked for among so many: by name, or the newest. However many the
# agency has, this asks for no more.
AMONG = 5_000
NAMED = """
WITH asked AS (SELECT %(text)s::text AS text, %(agency)s::bigint AS agency)
(SELECT 0, 'contact', id, name FROM crm_contact, asked
  WHERE agency_id = agency AND merged_into_id IS NULL AND normal_name >= text AND normal_name < %(end)s
  ORDER BY normal_name, id LIMIT %(limit)s)
UNION ALL
(SELECT 0, 'company', id, name FROM crm_company, asked
  WHERE agency_id = agency AND normal_name >= text AND normal_name < %(end)s
  ORDER BY normal_name, id LIMIT %(limit)s)
UNION ALL
(SELECT 1, 'contact', id, name FROM (SELECT id, name, normal_name FROM crm_contact, asked
   WHERE agency_id = agency AND merged_into_id IS NULL ORDER BY normal_name, id LIMIT %(among)s) few, asked
  WHERE strpos(normal_name, text) > 0 LIMIT %(limit)s)
UNION ALL
(SELECT 1, 'company', id, name FROM (SELECT id, name, normal_name FROM crm_company, asked
   WHERE agency_id = agency ORDER BY normal_name, id LIMIT %(among)s) few, asked
  WHERE strpos(normal_name, text) > 0 LIMIT %(limit)s)
UNION ALL
(SELECT 1, 'deal', id, title FROM (SELECT id, title FROM crm_deal, asked
   WHERE agency_id = agency AND status = 'open' ORDER BY created_at DESC, id DESC LIMIT %(among)s) few, asked
  WHERE strpos(lower(title), text) > 0 LIMIT %(limit)s)
UNION ALL
(SELECT 2, 'deal', id, title FROM (SELECT id, title FROM crm_deal, asked
   WHERE agency_id = agency AND status = 'won' ORDER BY created_at DESC, id DESC LIMIT %(among)s) few, asked
  WHERE strpos(lower(title), text) > 0 LIMIT %(limit)s)
"""


@dataclasses.dataclass(frozen=True)
class Named:
    """Somebody or something, and what they are called."""

    kind: Literal["contact", "company", "deal"]
    id: UUID
    name: str


def named(agency_id: int, text: str, *, limit: int = 5) -> list[Named]:
    """Return up to `limit` contacts, companies and deals each whose name has this text in it, one question for all."""
    plain = rules.folded(text)[:100]
    if not plain:
        return []
    asked: dict[str, str | int] = {
        "text": plain,
        "end": plain + chr(1114111),
        "agency": agency_id,
        "among": AMONG,
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(NAMED, asked)
        rows = sorted(cursor.fetchall(), key=lambda row: row[0])
    found: dict[str, dict[UUID, Named]] = {"contact": {}, "company": {}, "deal": {}}
    for _rank, kind, id, name in rows:
        found[kind].setdefault(id, Named(kind, id, name))
    return [each for kind in found.values() for each in list(kind.values())[:limit]]
