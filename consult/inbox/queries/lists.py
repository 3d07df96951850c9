"""Lists of enquiries: a view, narrowed by filters, a page at a time."""

import base64
import binascii
import dataclasses
import datetime as dt
import json
from collections.abc import Mapping
from uuid import UUID

from django.db import connection
from django.db.models import Q

from consult.crm import queries as crm
from consult.inbox import models, rules
from consult.inbox.queries import search
from consult.inbox.queries.enquiries import Row, bearing, rows
from consult.intake import queries as intake

PAGE = 50
# So many of the newest finds are looked through for a label.
SEARCHED = 10_000


@dataclasses.dataclass(frozen=True)
class Page:
    """One page of a list; `next_cursor` is empty on the last."""

    enquiries: list[Row]
    next_cursor: str
    # What was searched for instead of words that nobody has written: word -> those that are nearly the same.
    instead: dict[str, list[str]] = dataclasses.field(default_factory=dict)


def enquiries(
    agency_id: int,
    filters: rules.Filters,
    *,
    member_id: UUID | None,
    now: dt.datetime,
    before: str = "",
    names: Mapping[UUID, str] | None = None,
    labels: Mapping[UUID, intake.FormLabel] | None = None,
    label_names: Mapping[UUID, str] | None = None,
) -> Page:
    """Return the newest 50 that the filters leave and that lie before the cursor.

    Members' names and what forms are called are asked for where they are not given; without `label_names` no row says
    which labels it bears.
    An unreadable cursor means the first page. Whoever searches for a number or a receipt finds that one first.
    """
    labels = intake.form_labels(agency_id) if labels is None else labels
    narrow = _narrow(labels, filters, member_id, now)
    cursor = _decode(before)
    direct: list[models.Enquiry] = []
    instead: dict[str, list[str]] = {}
    if filters.q:
        looked_for = search.look_for(filters.q)
        instead = looked_for.instead
        direct = _direct(agency_id, filters.q, narrow)
        # The search knows no labels: of those that it finds the list keeps the ones that bear this one.
        most = SEARCHED if narrow.label else PAGE + 1 + len(direct)
        ids = search.ids(looked_for.query, narrow, cursor, most) if looked_for.query else []
        kept = narrow.q() if narrow.label else Q()
        found = models.Enquiry.objects.filter(kept, agency_id=agency_id, id__in=ids).exclude(
            id__in=[each.id for each in direct]
        )
        # It stands on the first page alone.
        direct = [] if cursor else direct
    else:
        found = models.Enquiry.objects.filter(narrow.q(), agency_id=agency_id)
        if cursor:
            received_at, number = cursor
            # The first condition is what the index is searched by.
            found = found.filter(received_at__lte=received_at)
            found = found.filter(Q(received_at__lt=received_at) | Q(number__lt=number))
    listed = list(bearing(found).defer("words").order_by("-received_at", "-number")[: PAGE + 1])
    more = len(listed) > PAGE
    listed = listed[:PAGE]
    return Page(
        rows(agency_id, [*direct, *listed], names=names, labels=labels, words=label_names),
        _encode(listed[-1]) if more else "",
        instead,
    )


def _narrow(
    labels: Mapping[UUID, intake.FormLabel], filters: rules.Filters, member_id: UUID | None, now: dt.datetime
) -> search.Narrow:
    statuses: list[str] | None = ["open"]
    assignee = UUID(filters.assignee) if rules.is_uuid(filters.assignee) else None
    nobody = filters.assignee == rules.NOBODY_YET
    match filters.view:
        case "mine":
            assignee = member_id
            # An agency's own token is nobody, and so has nothing.
            statuses = ["open"] if member_id else []
        case "unassigned":
            nobody = True
        case "waiting" | "snoozed" | "held" | "closed" | "spam":
            statuses = [filters.view]
        case "all":
            statuses = None
    since = until = None
    if filters.age:
        bound, days = rules.AGES[filters.age]
        moment = now - dt.timedelta(days=days)
        since, until = (moment, None) if bound == "at most" else (None, moment)
    label = UUID(filters.label) if filters.label else None
    return search.Narrow(statuses, assignee, nobody, _forms(labels, filters), since, until, label)


def _forms(labels: Mapping[UUID, intake.FormLabel], filters: rules.Filters) -> list[UUID] | None:
    """Return the forms that site, form and client leave; None when none of them was chosen."""
    if not (filters.site or filters.form or filters.client):
        return None
    return [
        id
        for id, label in labels.items()
        if (not filters.site or str(label.site_id) == filters.site)
        and (not filters.client or str(label.client_id) == filters.client)
        and (not filters.form or str(id) == filters.form)
    ]


def _direct(agency_id: int, text: str, narrow: search.Narrow) -> list[models.Enquiry]:
    """Return the enquiry whose number or receipt this text is."""
    found = models.Enquiry.objects.filter(search.named(agency_id, text), narrow.q(), agency_id=agency_id)
    return list(bearing(found))


# Counted so far and no further: of a million nobody needs the number, and counting them takes longer than the page.
MOST_COUNTED = 1_000
_SO_MANY = (
    """(SELECT count(*) FROM (SELECT FROM inbox_enquiry WHERE agency_id = %(agency)s {} LIMIT %(most)s) counted)"""
)
_COUNTS = ",\n       ".join(
    _SO_MANY.format(condition)
    for condition in (
        "AND status = 'open'",
        "AND status = 'open' AND assignee_id = %(member)s",
        "AND status = 'open' AND assignee_id IS NULL",
        *(f"AND status = '{status}'" for status in ("waiting", "snoozed", "held", "closed", "spam")),
        "",
    )
)
ASIDE = f"""
SELECT {_COUNTS},
       (SELECT coalesce(jsonb_agg(jsonb_build_array(id, name, query, shared, member_id = %(member)s)
                                  ORDER BY name, id), '[]')
          FROM inbox_savedview WHERE agency_id = %(agency)s AND (shared OR member_id = %(member)s)),
       {crm.EVERY_LABEL}
"""  # noqa: S608 (the parts are written here, and one by the CRM)
COUNTED = ("open", "mine", "unassigned", "waiting", "snoozed", "held", "closed", "spam", "all")


@dataclasses.dataclass(frozen=True)
class SavedView:
    """Filters under a name; `mine` are the member's own, others are shared."""

    id: UUID
    name: str
    query: str
    shared: bool
    mine: bool


@dataclasses.dataclass(frozen=True)
class Aside:
    """What stands around a list: how many enquiries each view holds, saved views by name, and the agency's labels."""

    counts: dict[str, int]
    views: list[SavedView]
    labels: dict[UUID, str]


def aside(agency_id: int, *, member_id: UUID | None) -> Aside:
    """Return what stands around the member's list: views are their own and the shared ones.

    A count of MOST_COUNTED + 1 means more than that. One question for all: the page asks for enough without.
    """
    with connection.cursor() as cursor:
        cursor.execute(ASIDE, {"agency": agency_id, "member": member_id, "most": MOST_COUNTED + 1})
        *counts, views, labels = cursor.fetchone()
    views, labels = (json.loads(each) if isinstance(each, str) else each for each in (views, labels))
    return Aside(
        dict(zip(COUNTED, counts, strict=True)),
        [SavedView(UUID(id), name, query, shared, bool(mine)) for id, name, query, shared, mine in views],
        {UUID(id): name for id, name in labels},
    )


def choices(
    agency_id: int, labels: Mapping[UUID, intake.FormLabel], label_names: Mapping[UUID, str]
) -> dict[str, list[tuple[str, str]]]:
    """Return what lists can be narrowed to, as (id, name): sites with forms, forms, those sites' clients, labels."""
    wanted = {label.client_id for label in labels.values() if label.client_id}
    clients = crm.client_names(agency_id) if wanted else {}
    return {
        "sites": list({str(label.site_id): label.site_name for label in labels.values()}.items()),
        "forms": [(str(id), f"{label.site_name} · {label.form_name}") for id, label in labels.items()],
        "clients": [(str(id), name) for id, name in clients.items() if id in wanted],
        "labels": [(str(id), name) for id, name in label_names.items()],
    }


def others_of_sender(agency_id: int, enquiry_id: UUID, email: str, limit: int = 6) -> list[Row]:
    """Return the newest other enquiries from this address; none when there is no address."""
    if not email:
        return []
    found = models.Enquiry.objects.filter(agency_id=agency_id, sender_key=email.lower()).exclude(id=enquiry_id)
    return rows(agency_id, list(found.defer("words").order_by("-received_at", "-number")[:limit]))


def _encode(row: models.Enquiry) -> str:
    return _written(row.received_at, row.number)


def _written(received_at: dt.datetime, number: int) -> str:
    return base64.urlsafe_b64encode(f"{received_at.isoformat()}|{number}".encode()).decode().rstrip("=")


def clean_cursor(cursor: str) -> str:
    """Return a place in a list as this module writes it; empty for anything else."""
    place = _decode(cursor)
    return _written(*place) if place else ""


def _decode(cursor: str) -> tuple[dt.datetime, int] | None:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        received_at, _, number = text.partition("|")
        moment = dt.datetime.fromisoformat(received_at)
        # In UTC, since Postgres knows fewer offsets than Python.
        return (moment.astimezone(dt.UTC), int(number)) if moment.tzinfo else None
    except (ValueError, OverflowError, binascii.Error, UnicodeDecodeError):
        return None
