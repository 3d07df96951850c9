"""Jobs that failed for good."""

import datetime as dt
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_GET, require_POST

from consult.accounts import queries as accounts
from consult.core import queue
from consult.inbox import queries, services
from consult.inbox.views.history import mail_error

JOBS = {
    "inbox.receive_submissions": gettext_noop("Open enquiries for what arrived"),
    "inbox.notify_enquiry": gettext_noop("Tell people of an enquiry"),
    "inbox.reply_to_sender": gettext_noop("Send the automatic reply"),
    "inbox.send_message": gettext_noop("Send a reply"),
    "inbox.receive_mail": gettext_noop("Take in an e-mail"),
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
                "why": mail_error(detail) if detail else "",
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
