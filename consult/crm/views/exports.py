"""Lists as CSV files, as they are filtered, sent while they are read: a page of rows is in memory at a time."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_GET

from consult.accounts import queries as accounts
from consult.accounts import services as audit
from consult.core import spreadsheet, tenancy
from consult.crm import queries
from consult.crm.queries.labels import Place
from consult.crm.views import asked

PAGE = 500
STATUSES = ("open", "won", "lost")
CONTACTS = ("Name", "E-mail", "Phone", "Job title", "Company", "Client", "Labels")
COMPANIES = ("Name", "Website", "Phone", "Address", "Client", "Labels")
DEALS = (
    *("Title", "Status", "Stage", "Value", "Currency", "Contact", "Company", "Owner", "Expected close", "Closed"),
    *("Lost because", "Labels"),
)


def day(moment: dt.datetime | None) -> str:
    """Return a time in UTC, ISO 8601."""
    return moment.astimezone(dt.UTC).isoformat(timespec="seconds") if moment else ""


@require_GET
def download_contacts(request: HttpRequest) -> HttpResponseBase:
    here = accounts.permit(request, "records.read")
    wanted: dict[str, Any] = {f"{name}_id": asked.id(request, name) for name in ("label", "company", "client")}
    wanted["search"] = asked.text(request, "find")

    def cells(row: queries.Contact) -> tuple[Any, ...]:
        reached = ("; ".join(row.emails), "; ".join(row.phones))
        return (row.name, *reached, row.job_title, row.company_name, row.client_name, "; ".join(row.labels))

    return _download(
        "crm.download_contacts", here, "contact", CONTACTS, _each(here.agency_id, queries.contacts_after, wanted), cells
    )


@require_GET
def download_companies(request: HttpRequest) -> HttpResponseBase:
    here = accounts.permit(request, "records.read")
    wanted: dict[str, Any] = {f"{name}_id": asked.id(request, name) for name in ("label", "client")}
    wanted["search"] = asked.text(request, "find")

    def cells(row: queries.Company) -> tuple[Any, ...]:
        return (row.name, row.website, row.phone, row.address, row.client_name, "; ".join(row.labels))

    return _download(
        "crm.download_companies",
        here,
        "company",
        COMPANIES,
        _each(here.agency_id, queries.companies_after, wanted),
        cells,
    )


@require_GET
def download_deals(request: HttpRequest) -> HttpResponseBase:
    here = accounts.permit(request, "records.read")
    status = request.GET.get("status", "open")
    is_mine = request.GET.get("owner") == "me"
    wanted = {
        "status": status if status in STATUSES else None,
        "owner_id": here.member_id if is_mine else None,
    }

    def cells(row: queries.Deal) -> tuple[Any, ...]:
        worth = (queries.plain_money(row.value), row.currency)
        about = (row.contact_name, row.company_name, row.owner_name, row.expected_on, day(row.closed_at))
        return (row.title, row.status, row.stage_name, *worth, *about, row.lost_reason, "; ".join(row.labels))

    return _download(
        "crm.download_deals", here, "deal", DEALS, _each(here.agency_id, queries.deals_after, wanted), cells
    )


def _each(agency_id: int, after: Callable[..., list[Any]], wanted: dict[str, Any]) -> Iterator[Any]:
    """Yield every row, each page in a transaction of its own: a slow reader keeps none open."""
    last: UUID | None = None
    while True:
        with tenancy.agency(agency_id):
            rows = after(agency_id, last, PAGE, **wanted)
        yield from rows
        if len(rows) < PAGE:
            return
        last = rows[-1].id


def _download(
    action: str,
    here: accounts.Membership,
    place: Place,
    columns: Iterable[str],
    rows: Iterator[Any],
    cells: Callable[[Any], tuple[Any, ...]],
) -> HttpResponseBase:
    """Answer with the rows, the agency's own fields behind the columns that everybody has."""
    own = queries.fields(here.agency_id, place)
    audit.record(action, agency_id=here.agency_id, by=here.member_id)
    header = [*columns, "Added", *(field.name for field in own)]

    def lines() -> Iterator[tuple[Any, ...]]:
        for row in rows:
            yield (*cells(row), day(row.created_at), *(row.custom.get(str(field.id), "") for field in own))

    return spreadsheet.download(
        f"{action.removeprefix('crm.download_')}-{here.slug}-{timezone.localdate():%Y-%m-%d}", header, lines()
    )
