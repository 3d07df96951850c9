"""The search over people, text and notes, through its doors (sql/search_v1.sql)."""

import dataclasses
import datetime as dt
import re
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, Q

from consult.inbox import models, rules
from consult.intake import queries as intake

# One word is forgiven from this length on: of shorter ones nearly everything is nearly the same.
FORGIVEN_FROM = 4
_NUMBER = re.compile(r"#\d+")


@dataclasses.dataclass(frozen=True)
class Narrow:
    """What a list is narrowed to, in the words of the table; None and False filter nothing."""

    statuses: list[str] | None
    assignee: UUID | None
    nobody: bool
    forms: list[UUID] | None
    since: dt.datetime | None
    until: dt.datetime | None
    label: UUID | None = None

    def q(self) -> Q:
        """Return the same as a condition."""
        found = Q()
        if self.statuses is not None:
            found &= Q(status__in=self.statuses)
        if self.assignee:
            found &= Q(assignee_id=self.assignee)
        if self.nobody:
            found &= Q(assignee_id=None)
        if self.forms is not None:
            found &= Q(form_id__in=self.forms)
        if self.since:
            found &= Q(received_at__gte=self.since)
        if self.until:
            found &= Q(received_at__lte=self.until)
        if self.label:
            # By the agency as well, which is how the index begins.
            borne = models.Labelling.objects.filter(agency_id=OuterRef("agency_id"), label_id=self.label)
            found &= Q(Exists(borne.filter(enquiry_id=OuterRef("id"))))
        return found


@dataclasses.dataclass(frozen=True)
class LookedFor:
    """A tsquery, empty when there is nothing to look for, and what stands in it instead of unknown words."""

    query: str
    instead: dict[str, list[str]]


def look_for(text: str) -> LookedFor:
    """Return what finds the enquiries with all words of this text, the last letters of each left open."""
    asked = rules.words(text)
    if not asked:
        return LookedFor("", {})
    near = _near([word for word in asked if len(word) >= FORGIVEN_FROM])
    parts = [" | ".join(f"'{each}'" for each in near[word]) if near.get(word) else f"'{word}':*" for word in asked]
    return LookedFor(" & ".join(f"({part})" for part in parts), {word: found for word, found in near.items() if found})


def _near(words: list[str]) -> dict[str, list[str]]:
    if not words:
        return {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT word, near FROM inbox_near_words_v1(%s)", [words])
        return dict(cursor.fetchall())


SEARCH = """
SELECT inbox_search_v1(%s, %s::text[], %s::uuid, %s, %s::uuid[], %s::timestamptz, %s::timestamptz, %s::timestamptz,
                       %s::bigint, %s)
"""


def ids(query: str, narrow: Narrow, cursor: tuple[dt.datetime, int] | None, limit: int) -> list[UUID]:
    """Return the ids of what the query finds within the narrow, newest first, before the cursor (time, number)."""
    before_at, number = cursor or (None, None)
    # Postgres' bigint ends here; no enquiry has such a number.
    number = None if number is None else max(min(number, 2**63 - 1), -(2**63))
    told = (query, narrow.statuses, narrow.assignee, narrow.nobody, narrow.forms, narrow.since, narrow.until)
    with connection.cursor() as asking:
        asking.execute(SEARCH, [*told, before_at, number, limit])
        return [row[0] for row in asking.fetchall()]


def matching(agency_id: int, text: str, most: int = 10_000) -> Q:
    """Return the condition for what this text finds, of a number or a receipt too; the newest `most` of them."""
    if _NUMBER.fullmatch(text.strip()):
        # As numbers are written: nobody looks for a word.
        return named(agency_id, text.strip())
    found = Q(pk__in=[])
    looked_for = look_for(text)
    if looked_for.query:
        everything = Narrow(None, None, False, None, None, None)
        found |= Q(id__in=ids(looked_for.query, everything, None, most))
    return found | named(agency_id, text)


def named(agency_id: int, text: str) -> Q:
    """Return the condition for the enquiry whose number or receipt this text is."""
    found = Q(pk__in=[])
    if text.lstrip("#").isdecimal() and len(text) < 18:
        found |= Q(number=int(text.lstrip("#")))
    if submission_id := intake.submission_by_receipt(agency_id, text):
        found |= Q(submission_id=submission_id)
    return found
