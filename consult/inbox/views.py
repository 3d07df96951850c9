"""Pages of the inbox. Each action answers with its part to htmx, with the page to everybody else."""

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext
from django.views.decorators.http import require_GET, require_POST

from consult.accounts import queries as accounts
from consult.core import queue
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
        # For whom they can do something about it.
        "failed_jobs": queue.failed_count() if accounts.may(here, "jobs.manage") else 0,
    }
    return render(request, "inbox/enquiry_list.html", context)


@require_GET
def enquiry_detail(request: HttpRequest, number: int) -> HttpResponse:
    return _page(request, number, opening=not request.headers.get("HX-Request"))


def _page(
    request: HttpRequest, number: int, *, part: str = "", status: int = 200, opening: bool = False, **more: Any
) -> HttpResponse:
    here = accounts.here(request)
    enquiry = queries.enquiry(here.agency_id, number)
    if enquiry is None:
        raise Http404
    members = accounts.members(here.agency_id)
    names = {person.id: person.name for person in members}
    ledger = queries.deliveries(here.agency_id, enquiry.id)
    if opening and not any(line.kind == "opened" for line in ledger):
        now = dt.datetime.now(dt.UTC)
        services.note_opened(agency_id=here.agency_id, enquiry_id=enquiry.id, by=here.member_id, now=now)
        ledger.append(queries.Delivered("opened", "", {"member": str(here.member_id)}, now))
    context = {
        "enquiry": enquiry,
        "members": members,
        "notes": queries.notes(here.agency_id, enquiry.id, names),
        "events": _events(here.agency_id, enquiry.id, ledger, names),
        **more,
    }
    return render(request, f"inbox/enquiry_detail.html{part}", context, status=status)


# What the delivery ledger tells in more words.
TOLD_BY_LEDGER = {"inbox.restore_enquiry", "inbox.confirm_spam", "inbox.retry_job"}


def _events(
    agency_id: int, enquiry_id: UUID, ledger: list[queries.Delivered], names: dict[UUID, str]
) -> list[dict[str, Any]]:
    """Return one history of what arrived, was delivered and was done: text, by, at, failed."""
    told = {*TOLD_BY_LEDGER, *(["inbox.open_enquiry"] if any(line.kind == "stored" for line in ledger) else [])}
    done = [
        {
            "text": _said(row.action, row.data, names),
            "by": names.get(row.by_id, "") if row.by_id else "",
            "at": row.created_at,
        }
        for row in accounts.audit_of(agency_id, enquiry_id)
        if row.action not in told
    ]
    delivered = [
        {
            "text": _delivered(line),
            "by": _name(line.detail.get("member"), names),
            "at": line.at,
            "failed": line.kind == "failed",
        }
        for line in ledger
    ]
    return sorted([*delivered, *done], key=lambda event: event["at"])


def _name(member: str | None, names: dict[UUID, str]) -> str:
    return names.get(uuid.UUID(member), _("A former member")) if member else ""


def _delivered(line: queries.Delivered) -> str:
    """Return a line of the ledger in words; one with a member begins with their name."""
    match line.kind:
        case "stored":
            if "spooled_seconds" not in line.detail:
                return _("Arrived and was stored")
            return _("Arrived, waited %(time)s in the spool") % {"time": _duration(line.detail["spooled_seconds"])}
        case "scored":
            return _("Scored %(points)s points") % {"points": line.detail.get("score", 0)}
        case "held":
            return _("Held, as this form holds from %(points)s points") % {"points": line.detail.get("hold_score", 0)}
        case "notified":
            return _("Notified %(address)s") % {"address": line.address}
        case "replied":
            return _("Replied automatically to %(address)s") % {"address": line.address}
        case "failed":
            return _("Could not reach %(address)s: %(why)s") % {"address": line.address, "why": _why(line)}
        case "retried":
            return _("tried again to reach %(address)s") % {"address": line.address}
        case "opened":
            return _("opened it first")
        case "restored":
            return _("restored it")
        case "confirmed_spam":
            return _("marked it as spam")
    return line.kind


def _duration(seconds: int) -> str:
    if seconds < 90:
        return _("%(n)s s") % {"n": seconds}
    return _("%(n)s min") % {"n": seconds // 60} if seconds < 5400 else _("%(n)s h") % {"n": seconds // 3600}


MAIL_ERRORS = {
    "recipient_refused": gettext_noop("the mail server takes nothing for this address"),
    "sender_refused": gettext_noop("the mail server takes nothing from our address"),
    "sign_in_refused": gettext_noop("the mail server does not let us sign in"),
    "message_refused": gettext_noop("the mail server refused the message"),
    "refused": gettext_noop("the mail server refused"),
    "disconnected": gettext_noop("the mail server hung up"),
    "not_trusted": gettext_noop("the mail server's certificate is not trusted"),
    "no_answer": gettext_noop("the mail server did not answer in time"),
    "not_reachable": gettext_noop("the mail server cannot be reached"),
}


def _mail_error(detail: dict[str, Any]) -> str:
    text = _(MAIL_ERRORS.get(detail.get("error", ""), gettext_noop("an unexpected error; the log has it")))
    return f"{text} ({detail['code']})" if detail.get("code") else text


def _why(line: queries.Delivered) -> str:
    if line.tries == 1:
        return _mail_error(line.detail)
    tries = ngettext("%(count)d try", "%(count)d tries", line.tries) % {"count": line.tries}
    return f"{_mail_error(line.detail)}, {tries}"


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
        "inbox.release_enquiry": _("Nobody has it any more: its assignee has left the agency"),
    }.get(action, action)


def _answer(request: HttpRequest, number: int, part: str) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return _page(request, number, part=part)
    return redirect("inbox:enquiry_detail", accounts.here(request).slug, number)


def _change(request: HttpRequest, number: int, change: Callable[..., None], **more: Any) -> HttpResponse:
    """Let somebody who may write make a change, and answer with the enquiry's state."""
    here = accounts.permit(request, "records.write")
    try:
        change(agency_id=here.agency_id, number=number, by=here.member_id, **more)
    except services.NoSuchEnquiry as error:
        raise Http404 from error
    return _answer(request, number, "#status")


@require_POST
def close_enquiry(request: HttpRequest, number: int) -> HttpResponse:
    return _change(request, number, services.close_enquiry, now=dt.datetime.now(dt.UTC))


@require_POST
def reopen_enquiry(request: HttpRequest, number: int) -> HttpResponse:
    return _change(request, number, services.reopen_enquiry)


@require_POST
def restore_enquiry(request: HttpRequest, number: int) -> HttpResponse:
    return _change(request, number, services.restore_enquiry, now=dt.datetime.now(dt.UTC))


@require_POST
def confirm_spam(request: HttpRequest, number: int) -> HttpResponse:
    return _change(request, number, services.confirm_spam, now=dt.datetime.now(dt.UTC))


@require_POST
def assign_enquiry(request: HttpRequest, number: int) -> HttpResponse:
    here = accounts.permit(request, "records.write")
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
    here = accounts.permit(request, "records.write")
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


JOBS = {
    "inbox.receive_submissions": gettext_noop("Open enquiries for what arrived"),
    "inbox.notify_enquiry": gettext_noop("Tell people of an enquiry"),
    "inbox.reply_to_sender": gettext_noop("Send the automatic reply"),
    "inbox.release_member": gettext_noop("Take enquiries from somebody who has left"),
    "accounts.send_invitation": gettext_noop("Send an invitation"),
    "accounts.tell_owners": gettext_noop("Tell the owners that the agency is to be deleted"),
    "accounts.build_export": gettext_noop("Build an export"),
    "accounts.delete_expired_exports": gettext_noop("Delete exports whose time is over"),
    "accounts.delete_agency": gettext_noop("Delete the agency"),
}


@require_GET
def job_list(request: HttpRequest) -> HttpResponse:
    here = accounts.permit(request, "jobs.manage")
    return render(request, "inbox/job_list.html", {"jobs": _jobs(here.agency_id)})


def _jobs(agency_id: int) -> list[dict[str, Any]]:
    failed = queue.failed_jobs()
    ids = [UUID(job.arguments["enquiry_id"]) for job in failed if "enquiry_id" in job.arguments]
    enquiries = queries.enquiries_by_id(agency_id, ids)
    why = queries.last_failures(agency_id, ids)
    shown = []
    for job in failed:
        enquiry = enquiries.get(UUID(job.arguments["enquiry_id"])) if "enquiry_id" in job.arguments else None
        address = job.arguments.get("address", "")
        detail = why.get((enquiry.id, address)) if enquiry else None
        shown.append(
            {
                "id": job.id,
                "name": _(JOBS[job.name]) if job.name in JOBS else job.name,
                "enquiry": enquiry,
                "address": address or (enquiry.sender_email if enquiry else ""),
                "submissions": len(job.arguments.get("submission_ids", [])),
                "failed_at": job.failed_at,
                "attempts": job.attempts,
                "why": _mail_error(detail) if detail else "",
                "request_id": job.request_id,
            }
        )
    return shown


@require_POST
def retry_job(request: HttpRequest, job_id: int) -> HttpResponse:
    here = accounts.permit(request, "jobs.manage")
    now = dt.datetime.now(dt.UTC)
    try:
        services.retry_job(agency_id=here.agency_id, job_id=job_id, by=here.member_id, now=now)
        messages.success(request, _("It is tried once more. Should it fail again, it is listed here again."))
    except services.NoSuchJob:
        # Another member was faster, or it is not this agency's: there is nothing to do in either case.
        messages.info(request, _("This job does not wait here any more."))
    return redirect("inbox:job_list", here.slug)
