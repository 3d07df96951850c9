"""Work in the background that failed for good: what failed, and once more."""

import datetime as dt
from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from ninja import Query
from pydantic import Field

from consult.accounts import queries as accounts
from consult.core import api, queue
from consult.inbox import queries, services

jobs = api.Router(tags=["Jobs"])


class Job(api.Shape):
    """A job that was tried as often as it may be. Nothing of what it holds is lost."""

    id: int
    name: Annotated[str, Field(description="Such as `inbox.notify_enquiry`.")]
    enquiry_number: int | None
    address: Annotated[str, Field(description="Whom it could not reach; empty: it was no mail to a single address.")]
    submission_ids: list[UUID]
    error: Annotated[str, Field(description="Of a mail, such as `recipient_refused`; empty: the log has it.")]
    attempts: int
    failed_at: dt.datetime
    request_id: Annotated[str, Field(description="Finds it in the log.")]


def _jobs(agency_id: int, failed: Sequence[queue.FailedJob]) -> list[Job]:
    of = {job.id: UUID(job.arguments["enquiry_id"]) for job in failed if "enquiry_id" in job.arguments}
    enquiries = queries.enquiries_by_id(agency_id, of.values()) if of else {}
    why = queries.last_failures(agency_id, of.values()) if of else {}
    shown = []
    for job in failed:
        enquiry = enquiries.get(of[job.id]) if job.id in of else None
        address = job.arguments.get("address", "")
        detail = why.get((enquiry.id, address), {}) if enquiry else {}
        shown.append(
            Job(
                id=job.id,
                name=job.name,
                enquiry_number=enquiry.number if enquiry else None,
                address=address or (enquiry.sender_email if enquiry else ""),
                submission_ids=job.arguments.get("submission_ids", []),
                error=detail.get("error", ""),
                attempts=job.attempts,
                failed_at=job.failed_at,
                request_id=job.request_id,
            )
        )
    return shown


def _found(agency_id: int, job_id: int, *, lock: bool = False) -> Job:
    job = queue.failed_job(job_id, lock=lock) if job_id <= queue.HIGHEST else None
    if job is None:
        raise Http404
    return _jobs(agency_id, [job])[0]


@jobs.get("", response=api.Listed[Job], summary="List failed jobs")
def list_jobs(request: HttpRequest, paging: Query[api.Paging]) -> HttpResponse:
    """Those of the agency that failed for good, the latest first."""
    here = accounts.permit(request, "jobs.manage")
    before = api.cursor(request, paging, int)
    failed = queue.failed_jobs_before(before[0] if before else None, paging.limit + 1)
    return api.listed(
        request, _jobs(here.agency_id, failed), paging, shape=lambda row: row, place=lambda row: (row.id,)
    )


@jobs.get("/{int:job_id}", response=Job, summary="Show a failed job")
def show_job(request: HttpRequest, job_id: int) -> HttpResponse:
    here = accounts.permit(request, "jobs.manage")
    return api.answer(request, _found(here.agency_id, job_id))


@jobs.post("/{int:job_id}/retry", response={204: None}, summary="Try a failed job once more")
def retry_job(request: HttpRequest, job_id: int) -> HttpResponse:
    """It is tried at once, in the background. Should it fail again, it is listed again."""
    here = accounts.permit(request, "jobs.manage")
    api.expect(request, _found(here.agency_id, job_id, lock=True))
    with api.refusing({services.NoSuchJob: ("not_found", "")}):
        services.retry_job(agency_id=here.agency_id, job_id=job_id, by=here.member_id, now=dt.datetime.now(dt.UTC))
    return HttpResponse(status=204)
