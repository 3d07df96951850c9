"""Pages of the inbox. Each action answers with its part to htmx, with the page to everybody else."""

import datetime as dt
import uuid
from typing import Any
from uuid import UUID

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from consult.accounts import queries as accounts
from consult.inbox import queries, services


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """The agency's own address leads to the day's work."""
    return redirect("inbox:enquiry_list", accounts.here(request).slug)


@require_GET
def enquiry_list(request: HttpRequest) -> HttpResponse:
    here = accounts.here(request)
    view = request.GET.get("view", "open")
    view = view if view in queries.VIEWS else "open"
    search = request.GET.get("q", "").replace("\0", "").strip()
    page = queries.enquiries(
        here.agency_id,
        # A search looks everywhere unless a view was chosen.
        view="all" if search and "view" not in request.GET else view,
        member_id=here.member_id,
        search=search,
        before=request.GET.get("before", ""),
    )
    context = {
        "enquiries": page.enquiries,
        "next_cursor": page.next_cursor,
        "view": view,
        "q": search,
        "counts": queries.counts(here.agency_id, member_id=here.member_id),
    }
    return render(request, "inbox/enquiry_list.html", context)


@require_GET
def enquiry_detail(request: HttpRequest, number: int) -> HttpResponse:
    return _page(request, number)


def _page(request: HttpRequest, number: int, *, part: str = "", status: int = 200, **more: Any) -> HttpResponse:
    here = accounts.here(request)
    enquiry = queries.enquiry(here.agency_id, number)
    if enquiry is None:
        raise Http404
    members = accounts.members(here.agency_id)
    names = {person.id: person.name for person in members}
    context = {
        "enquiry": enquiry,
        "members": members,
        "notes": queries.notes(here.agency_id, enquiry.id, names),
        "events": _events(here.agency_id, enquiry.id, names),
        **more,
    }
    return render(request, f"inbox/enquiry_detail.html{part}", context, status=status)


def _events(agency_id: int, enquiry_id: UUID, names: dict[UUID, str]) -> list[dict[str, Any]]:
    return [
        {
            "text": _said(row.action, row.data, names),
            "by": names.get(row.by_id, "") if row.by_id else "",
            "at": row.created_at,
        }
        for row in accounts.audit_of(agency_id, enquiry_id)
    ]


def _said(action: str, data: dict[str, Any], names: dict[UUID, str]) -> str:
    if action == "inbox.assign_enquiry":
        who = data.get("member")
        name = names.get(uuid.UUID(who), _("a former member")) if who else ""
        return _("assigned it to %(name)s") % {"name": name} if who else _("took it from its assignee")
    return {
        "inbox.open_enquiry": _("Opened from the form"),
        "inbox.close_enquiry": _("closed it"),
        "inbox.reopen_enquiry": _("opened it again"),
        "inbox.add_note": _("added a note"),
    }.get(action, action)


def _answer(request: HttpRequest, number: int, part: str) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return _page(request, number, part=part)
    return redirect("inbox:enquiry_detail", accounts.here(request).slug, number)


@require_POST
def close_enquiry(request: HttpRequest, number: int) -> HttpResponse:
    here = accounts.writer(request)
    try:
        services.close_enquiry(agency_id=here.agency_id, number=number, by=here.member_id, now=dt.datetime.now(dt.UTC))
    except services.NoSuchEnquiry as error:
        raise Http404 from error
    return _answer(request, number, "#status")


@require_POST
def reopen_enquiry(request: HttpRequest, number: int) -> HttpResponse:
    here = accounts.writer(request)
    try:
        services.reopen_enquiry(agency_id=here.agency_id, number=number, by=here.member_id)
    except services.NoSuchEnquiry as error:
        raise Http404 from error
    return _answer(request, number, "#status")


@require_POST
def assign_enquiry(request: HttpRequest, number: int) -> HttpResponse:
    here = accounts.writer(request)
    chosen = request.POST.get("member", "")
    try:
        member_id = UUID(chosen) if chosen else None
        services.assign_enquiry(agency_id=here.agency_id, number=number, member_id=member_id, by=here.member_id)
    except (ValueError, services.NoSuchMember) as error:
        raise BadRequest(_("This agency has no such member.")) from error
    except services.NoSuchEnquiry as error:
        raise Http404 from error
    return _answer(request, number, "#assignee")


@require_POST
def add_note(request: HttpRequest, number: int) -> HttpResponse:
    here = accounts.writer(request)
    # Postgres text holds no NUL.
    body = request.POST.get("body", "").replace("\0", "�")
    try:
        services.add_note(agency_id=here.agency_id, number=number, body=body, by=here.member_id)
    except services.NoSuchEnquiry as error:
        raise Http404 from error
    except services.EmptyNote:
        part = "#notes" if request.headers.get("HX-Request") else ""
        return _page(request, number, part=part, status=422, note_error=_("The note is empty."), note_body=body)
    return _answer(request, number, "#notes")
