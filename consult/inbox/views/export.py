"""The inbox as a CSV file: the enquiries that the filters leave, sent while they are read."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_GET

from consult.accounts import queries as accounts
from consult.accounts import services as audit
from consult.core import spreadsheet, tenancy
from consult.inbox import forms, queries
from consult.intake import queries as intake

COLUMNS = (
    *("Number", "Status", "Received", "Name", "E-mail", "Subject", "Text", "Site", "Form", "Assignee"),
    *("First answer", "Closed", "Closed because"),
)


@require_GET
def download_enquiries(request: HttpRequest) -> HttpResponseBase:
    here = accounts.permit(request, "records.read")
    filters = forms.filters(request.GET)
    names = {person.id: person.name for person in accounts.people(here.agency_id)}
    labels = intake.form_labels(here.agency_id)
    now = dt.datetime.now(dt.UTC)
    audit.record("inbox.download_enquiries", agency_id=here.agency_id, by=here.member_id)

    def rows() -> Iterator[tuple[Any, ...]]:
        before = ""
        while True:
            # A page at a time, each in a transaction of its own: a slow reader keeps none open.
            with tenancy.agency(here.agency_id):
                page = queries.enquiries(
                    here.agency_id,
                    filters,
                    member_id=here.member_id,
                    now=now,
                    before=before,
                    names=names,
                    labels=labels,
                )
            yield from map(_cells, page.enquiries)
            before = page.next_cursor
            if not before:
                return

    return spreadsheet.download(f"enquiries-{here.slug}-{timezone.localdate():%Y-%m-%d}", COLUMNS, rows())


def _cells(row: queries.Row) -> tuple[Any, ...]:
    def utc(moment: dt.datetime | None) -> str:
        return moment.astimezone(dt.UTC).isoformat(timespec="seconds") if moment else ""

    return (
        *(row.number, row.status, utc(row.received_at), row.sender_name, row.sender_email, row.subject, row.excerpt),
        *(row.site_name, row.form_name, row.assignee_name, utc(row.first_answer_at), utc(row.closed_at)),
        row.close_reason,
    )
