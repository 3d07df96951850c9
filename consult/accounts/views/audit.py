"""The audit: as a page with filters, and as CSV."""

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from consult.accounts import queries, reports, services
from consult.core import spreadsheet


class Filters(forms.Form):
    """What somebody looks for. Days are the reader's own, both included."""

    who = forms.ChoiceField(label=gettext_lazy("Who"), required=False)
    action = forms.ChoiceField(label=gettext_lazy("What"), required=False)
    since = forms.DateField(
        label=gettext_lazy("From"), required=False, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    )
    until = forms.DateField(
        label=gettext_lazy("To"), required=False, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    )
    subject = forms.UUIDField(required=False, widget=forms.HiddenInput)
    # Without it labels and help would be marked up for a form that is sent and may come back.
    use_required_attribute = False

    def __init__(self, *args: Any, agency_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.names = queries.member_names(agency_id)
        people = [(str(id), name) for id, name in self.names.items()]
        choices = [("", _("Everybody")), (reports.PROGRAM, _("Consult and tokens")), *people]
        self.fields["who"].choices = choices  # type: ignore[attr-defined]
        self.fields["action"].choices = [("", _("Everything")), *reports.actions().items()]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if found.get("since") and found.get("until") and found["since"] > found["until"]:
            self.add_error("until", _("This day lies before the first one."))
        return found

    def wanted(self) -> reports.Wanted:
        """Return what is looked for. What could not be understood is left out, and said beside its field."""
        found = self.cleaned_data
        who = found.get("who") or None
        return reports.Wanted(
            by=UUID(who) if who and who != reports.PROGRAM else who,
            action=found.get("action") or "",
            subject_id=found.get("subject"),
            since=_midnight(found.get("since")),
            until=_midnight(found.get("until"), days=1),
        )


def _midnight(day: dt.date | None, days: int = 0) -> dt.datetime | None:
    if day is None:
        return None
    try:
        return timezone.make_aware(dt.datetime.combine(day + dt.timedelta(days=days), dt.time.min))
    except OverflowError:
        return None


@require_GET
def audit_list(request: HttpRequest) -> HttpResponse:
    here = queries.permit(request, "audit.read")
    filters = Filters(request.GET, agency_id=here.agency_id)
    valid = filters.is_valid()
    wanted = filters.wanted()
    page = reports.audit(here.agency_id, wanted, before=request.GET.get("before", ""), names=filters.names)
    chosen = {name: str(request.GET[name]) for name in filters.fields if request.GET.get(name)}
    context = {
        "filters": filters,
        "lines": page.lines,
        "next_cursor": page.next_cursor,
        "is_later_page": bool(request.GET.get("before")),
        "is_filtered": bool(chosen),
        "subject_id": wanted.subject_id,
        "query": urlencode(chosen),
    }
    return render(request, "accounts/audit_list.html", context, status=200 if valid else 422)


COLUMNS = ("time_utc", "who", "member_id", "action", "what", "subject", "subject_id", "from", "token_id", "details")


@require_GET
def download_audit(request: HttpRequest) -> HttpResponseBase:
    """The same rows as a file, all of them."""
    here = queries.permit(request, "audit.read")
    filters = Filters(request.GET, agency_id=here.agency_id)
    if not filters.is_valid():
        return audit_list(request)
    wanted = filters.wanted()
    services.record("accounts.download_audit", agency_id=here.agency_id, by=here.member_id)
    today = timezone.localdate()
    return spreadsheet.download(f"audit-{here.slug}-{today:%Y-%m-%d}", COLUMNS, _cells(here.agency_id, wanted))


def _cells(agency_id: int, wanted: reports.Wanted) -> Iterator[tuple[Any, ...]]:
    for line in reports.every_line(agency_id, wanted):
        yield (
            line.at.astimezone(dt.UTC).isoformat(timespec="seconds"),
            line.who,
            line.member_id,
            line.action,
            line.said,
            line.subject,
            line.subject_id,
            line.origin,
            line.token_id,
            json.dumps(line.data, ensure_ascii=False) if line.data else "",
        )
