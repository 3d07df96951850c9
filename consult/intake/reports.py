"""Figures of intake: whether everything that was accepted is somewhere, and what needs somebody's attention."""

import contextlib
import dataclasses
import datetime as dt
import json
import re
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection
from django.db.models import Q, Sum
from django.utils.translation import gettext as _

from consult.intake import models, queries, rules

DAYS = 14
# A spool is replayed within seconds of PostgreSQL's return.
WAITED = dt.timedelta(minutes=10)
RESOLVED_SHOWN = 5
# One statement is one snapshot: a replay moves its rows from one column to another in one commit.
CONSERVATION = """
WITH forms AS (SELECT id FROM intake_form WHERE agency_id = %(agency)s),
counted AS (
    SELECT form_id, day, sum(accepted)::bigint AS accepted, sum(spooled)::bigint AS spooled
      FROM intake_tally WHERE agency_id = %(agency)s AND form_id IN (SELECT id FROM forms) AND day >= %(since)s
     GROUP BY form_id, day),
stored AS (
    SELECT form_id, (received_at AT TIME ZONE 'UTC')::date AS day, count(*) AS stored
      FROM intake_submission
     WHERE agency_id = %(agency)s AND form_id IN (SELECT id FROM forms)
       AND received_at >= %(since)s::timestamp AT TIME ZONE 'UTC'
     GROUP BY 1, 2),
aside AS (
    SELECT form_id, (received_at AT TIME ZONE 'UTC')::date AS day, count(*) AS set_aside
      FROM intake_setaside
     WHERE agency_id = %(agency)s AND form_id IN (SELECT id FROM forms)
       AND received_at >= %(since)s::timestamp AT TIME ZONE 'UTC'
     GROUP BY 1, 2)
SELECT form_id, day, coalesce(accepted, 0), coalesce(stored, 0), coalesce(spooled, 0), coalesce(set_aside, 0)
  FROM counted FULL JOIN stored USING (form_id, day) FULL JOIN aside USING (form_id, day)
 ORDER BY day DESC, form_id
"""
COUNT = """
SELECT (SELECT count(*) FROM intake_setaside WHERE agency_id = %(agency)s AND resolved_at IS NULL)
     + coalesce((SELECT confirmed + (waiting > 0)::int FROM intake_alarm WHERE agency_id = %(agency)s), 0)
"""


@dataclasses.dataclass(frozen=True)
class Day:
    """What became of the submissions of one form and UTC day."""

    form_id: UUID
    day: dt.date
    accepted: int
    stored: int
    spooled: int
    set_aside: int

    @property
    def difference(self) -> int:
        """What is missing (above 0) or more than was accepted (below); 0 is good."""
        return self.accepted - self.stored - self.spooled - self.set_aside


@dataclasses.dataclass(frozen=True)
class Kept:
    """What is set aside, as far as it can be read: `fields` is empty where it cannot."""

    id: UUID
    receipt: str
    form_name: str
    received_at: dt.datetime
    reason: str
    fields: list[tuple[str, str]]
    page_url: str
    resolved_at: dt.datetime | None


def conservation(agency_id: int, since: dt.date) -> list[Day]:
    """Return the agency's forms and UTC days from `since` on at which anything happened, the latest first."""
    with connection.cursor() as cursor:
        cursor.execute(CONSERVATION, {"agency": agency_id, "since": since})
        return [Day(*row) for row in cursor.fetchall()]


def attention_count(agency_id: int) -> int:
    """Return how many things need somebody: set aside, differences that stay, a spool that waits."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT, {"agency": agency_id})
        return int(cursor.fetchone()[0])


def waiting(agency_id: int, now: dt.datetime) -> int:
    """Return how many of the agency's submissions are in a spool that has waited for too long."""
    late = models.Edge.objects.filter(spooled__gt=0, oldest_at__lt=now - WAITED).values("source")
    found = models.Tally.objects.filter(agency_id=agency_id, source__in=late, spooled__gt=0).aggregate(
        total=Sum("spooled")
    )
    return int(found["total"] or 0)


def attention_page(agency_id: int, now: dt.datetime) -> dict[str, Any]:
    """Return what the page shows: kept, resolved, days, differences, edges and late (submissions that wait)."""
    names = {id: f"{label.site_name} · {label.form_name}" for id, label in queries.form_labels(agency_id).items()}
    days = conservation(agency_id, now.astimezone(dt.UTC).date() - dt.timedelta(days=DAYS - 1))
    aside = models.SetAside.objects.filter(agency_id=agency_id)
    open_ = aside.filter(resolved_at=None).order_by("-received_at")[:100]
    done = aside.exclude(resolved_at=None).order_by("-resolved_at")[:RESOLVED_SHOWN]
    # In one statement, in no order.
    rows = sorted(open_.union(done, all=True), key=lambda row: row.resolved_at or row.received_at, reverse=True)
    edges = models.Edge.objects.order_by("-spooled", "-seen_at")[:50]
    return {
        "kept": [_kept(row, names) for row in rows if not row.resolved_at],
        "resolved": [_kept(row, names) for row in rows if row.resolved_at],
        "days": [{"form": names.get(day.form_id, ""), "count": day} for day in days],
        "differences": sum(day.difference != 0 for day in days),
        "edges": [
            {
                "source": edge.source,
                "host": edge.host,
                "seen_at": edge.seen_at,
                "here": edge.seen_at > now - dt.timedelta(minutes=1),
                "spooled": edge.spooled,
                "oldest_at": edge.oldest_at,
                "late": edge.spooled > 0 and edge.oldest_at is not None and edge.oldest_at < now - WAITED,
            }
            for edge in edges
        ],
        # Asked for only where some edge has something to send: those that do come first.
        "late": waiting(agency_id, now) if any(edge.spooled for edge in edges) else 0,
    }


@dataclasses.dataclass(frozen=True)
class SetAside:
    """What is set aside, as programs read it; `content` is empty in lists."""

    id: UUID
    form_id: UUID | None
    receipt: str
    received_at: dt.datetime
    reason: str
    resolved_at: dt.datetime | None
    content: bytes = b""


def set_aside_before(
    agency_id: int, before: tuple[dt.datetime, UUID] | None, limit: int, *, resolved: bool | None = None
) -> list[SetAside]:
    """Return what is set aside before that place (received_at, id), the latest first; only what is (not) resolved."""
    found = models.SetAside.objects.filter(agency_id=agency_id)
    if resolved is not None:
        found = found.filter(resolved_at__isnull=not resolved)
    if before:
        at, id = before
        found = found.filter(Q(received_at__lt=at) | Q(received_at=at, id__lt=id))
    rows = found.defer("content").order_by("-received_at", "-id")[:limit]
    return [_set_aside(row) for row in rows]


def set_aside(agency_id: int, id: UUID) -> SetAside | None:
    """Return one of these with its bytes, or None."""
    found = models.SetAside.objects.filter(agency_id=agency_id, id=id).first()
    return _set_aside(found, bytes(found.content)) if found else None


def _set_aside(row: models.SetAside, content: bytes = b"") -> SetAside:
    receipt = rules.pretty_receipt(row.receipt)
    return SetAside(row.id, row.form_id, receipt, row.received_at, row.reason, row.resolved_at, content)


def raw(agency_id: int, id: UUID) -> tuple[str, bytes] | None:
    """Return (receipt, bytes) of what is set aside, or None."""
    found = models.SetAside.objects.filter(agency_id=agency_id, id=id).first()
    return (found.receipt, bytes(found.content)) if found else None


def _kept(row: models.SetAside, names: dict[UUID, str]) -> Kept:
    fields, page_url = unpack(bytes(row.content))
    return Kept(
        id=row.id,
        receipt=rules.pretty_receipt(row.receipt),
        form_name=names.get(row.form_id, "") if row.form_id else "",
        received_at=row.received_at,
        reason=reason_words(row.reason),
        fields=fields,
        page_url=page_url,
        resolved_at=row.resolved_at,
    )


# Positions in what the edge packs (edge/submission.py).
FIELDS, PAGE_URL = 8, 9


def unpack(content: bytes) -> tuple[list[tuple[str, str]], str]:
    """Return (fields, page) of packed bytes; what cannot be read is empty: such bytes are why this page is there."""
    row: Any = []
    with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError, ValueError):
        row = msgspec.msgpack.decode(content)
    if not isinstance(row, list) or len(row) <= PAGE_URL:
        return [], ""
    fields: Any = []
    with contextlib.suppress(ValueError, TypeError, RecursionError):
        fields = json.loads(row[FIELDS])
    if not isinstance(fields, list):
        fields = []
    pairs = [(_whole(pair[0]), _whole(pair[1])) for pair in fields if isinstance(pair, list) and len(pair) == 2]
    return pairs, row[PAGE_URL] if isinstance(row[PAGE_URL], str) else ""


def _whole(value: object) -> str:
    """Return it as a text that can be sent: JSON may name half of a surrogate pair, UTF-8 cannot."""
    return str(value).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def reason_words(reason: str) -> str:
    """Return why it was set aside, in words; the technical name stays in brackets."""
    for pattern, words in (
        (r"unknown_?form|form.*(gone|unknown)", _("Its form is gone.")),
        (r"Unique|Conflict|key_reused", _("Something with the same number is stored already.")),
        (r"Untranslatable|Encoding|CharacterNotInRepertoire", _("It holds characters that cannot be stored.")),
        (r"Json|InvalidText|Datetime|Numeric|DataError|StringData", _("It holds a value that cannot be stored.")),
        (r"Check|NotNull|ForeignKey|Integrity", _("A rule of the database refused it.")),
        (r"Limit|TooLarge|TooComplex|TooMany", _("It is larger than the database takes.")),
        (r"Unreadable|Validation|Decode|Msgspec", _("It could not be read any more when the spool was replayed.")),
    ):
        if re.search(pattern, reason, re.IGNORECASE):
            return f"{words} ({reason})"
    return _("The database did not take it. (%s)") % reason
