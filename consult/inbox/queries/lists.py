"""Lists of enquiries: a view, narrowed by filters, a page at a time."""

import base64
import binascii
import dataclasses
import datetime as dt
from typing import Any
from uuid import UUID

from django.db.models import Count, Q

from consult.inbox import models, rules
from consult.inbox.queries import search
from consult.inbox.queries.enquiries import Row, rows
from consult.intake import queries as intake

PAGE = 50


@dataclasses.dataclass(frozen=True)
class Page:
    """One page of a list; `next_cursor` is empty on the last."""

    enquiries: list[Row]
    next_cursor: str
    # What was searched for instead of words that nobody has written: word -> those that are nearly the same.
    instead: dict[str, list[str]] = dataclasses.field(default_factory=dict)


def enquiries(
    agency_id: int, filters: rules.Filters, *, member_id: UUID | None, now: dt.datetime, before: str = ""
) -> Page:
    """Return the newest 50 that the filters leave and that lie before the cursor.

    An unreadable cursor means the first page. Whoever searches for a number or a receipt finds that one first.
    """
    narrow = _narrow(agency_id, filters, member_id, now)
    cursor = _decode(before)
    direct: list[models.Enquiry] = []
    instead: dict[str, list[str]] = {}
    if filters.q:
        looked_for = search.look_for(filters.q)
        instead = looked_for.instead
        direct = _direct(agency_id, filters.q, narrow)
        ids = search.ids(looked_for.query, narrow, cursor, PAGE + 1 + len(direct)) if looked_for.query else []
        found = models.Enquiry.objects.filter(agency_id=agency_id, id__in=ids).exclude(
            id__in=[each.id for each in direct]
        )
        # It stands on the first page alone.
        direct = [] if cursor else direct
    else:
        found = models.Enquiry.objects.filter(narrow.q(), agency_id=agency_id)
        if cursor:
            received_at, number = cursor
            found = found.filter(Q(received_at__lt=received_at) | Q(received_at=received_at, number__lt=number))
    listed = list(found.defer("words").order_by("-received_at", "-number")[: PAGE + 1])
    more = len(listed) > PAGE
    listed = listed[:PAGE]
    return Page(rows(agency_id, [*direct, *listed]), _encode(listed[-1]) if more else "", instead)


def _narrow(agency_id: int, filters: rules.Filters, member_id: UUID | None, now: dt.datetime) -> search.Narrow:
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
    return search.Narrow(statuses, assignee, nobody, _forms(agency_id, filters), since, until)


def _forms(agency_id: int, filters: rules.Filters) -> list[UUID] | None:
    """Return the forms that site, form and client leave; None when none of them was chosen."""
    if not (filters.site or filters.form or filters.client):
        return None
    return [
        form["id"]
        for site in intake.sites(agency_id)
        for form in site["forms"]
        if (not filters.site or str(site["id"]) == filters.site)
        and (not filters.client or str(site["client_id"]) == filters.client)
        and (not filters.form or str(form["id"]) == filters.form)
    ]


def _direct(agency_id: int, text: str, narrow: search.Narrow) -> list[models.Enquiry]:
    """Return the enquiry whose number or receipt this text is."""
    return list(models.Enquiry.objects.filter(search.named(agency_id, text), narrow.q(), agency_id=agency_id))


def counts(agency_id: int, *, member_id: UUID | None) -> dict[str, int]:
    """Return how many enquiries each view holds."""
    is_open = Q(status="open")
    return models.Enquiry.objects.filter(agency_id=agency_id).aggregate(
        open=Count("id", filter=is_open),
        mine=Count("id", filter=is_open & Q(assignee_id=member_id)),
        unassigned=Count("id", filter=is_open & Q(assignee_id=None)),
        waiting=Count("id", filter=Q(status="waiting")),
        snoozed=Count("id", filter=Q(status="snoozed")),
        held=Count("id", filter=Q(status="held")),
        closed=Count("id", filter=Q(status="closed")),
        spam=Count("id", filter=Q(status="spam")),
        all=Count("id"),
    )


def choices(agency_id: int) -> dict[str, list[tuple[str, str]]]:
    """Return what lists can be narrowed to, as (id, name): sites, forms, clients."""
    sites = intake.sites(agency_id)
    clients = {site["client_id"]: site["client_name"] for site in sites if site["client_id"]}
    return {
        "sites": [(str(site["id"]), site["name"]) for site in sites],
        "forms": [(str(form["id"]), f"{site['name']} · {form['name']}") for site in sites for form in site["forms"]],
        "clients": sorted(((str(id), name) for id, name in clients.items()), key=lambda client: client[1]),
    }


def others_of_sender(agency_id: int, enquiry_id: UUID, email: str, limit: int = 6) -> list[Row]:
    """Return the newest other enquiries from this address; none when there is no address."""
    if not email:
        return []
    found = models.Enquiry.objects.filter(agency_id=agency_id, sender_key=email.lower()).exclude(id=enquiry_id)
    return rows(agency_id, list(found.defer("words").order_by("-received_at", "-number")[:limit]))


def saved_views(agency_id: int, *, member_id: UUID | None) -> list[dict[str, Any]]:
    """Return the member's own saved views and the shared ones by name: id, name, query, shared, mine."""
    found = models.SavedView.objects.filter(Q(shared=True) | Q(member_id=member_id), agency_id=agency_id)
    return [
        {
            "id": view.id,
            "name": view.name,
            "query": view.query,
            "shared": view.shared,
            "mine": view.member_id == member_id,
        }
        for view in found.order_by("name", "id")
    ]


def _encode(row: models.Enquiry) -> str:
    return base64.urlsafe_b64encode(f"{row.received_at.isoformat()}|{row.number}".encode()).decode().rstrip("=")


def _decode(cursor: str) -> tuple[dt.datetime, int] | None:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        received_at, _, number = text.partition("|")
        moment = dt.datetime.fromisoformat(received_at)
        # In UTC, since Postgres knows fewer offsets than Python.
        return (moment.astimezone(dt.UTC), int(number)) if moment.tzinfo else None
    except (ValueError, OverflowError, binascii.Error, UnicodeDecodeError):
        return None
