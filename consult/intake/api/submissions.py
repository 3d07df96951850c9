"""Submissions as they arrived."""

import datetime as dt
from typing import Annotated, Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from ninja import Query
from pydantic import Field

from consult.accounts import queries as accounts
from consult.core import api
from consult.intake import queries

router = api.Router(tags=["Submissions"])


class Answer(api.Shape):
    """What was sent in one field, under the label that it had then."""

    label: str
    value: str


class File(api.Shape):
    """A file that came with a submission; its type is what its content looks like. Its bytes: /api/v1/files/{id}."""

    id: UUID
    name: str
    media_type: str
    size: Annotated[int, Field(description="Bytes.")]


class Submission(api.Shape):
    """What arrived, as it arrived."""

    id: UUID
    form_id: UUID
    site_id: UUID
    receipt: str
    received_at: dt.datetime
    sender_name: str
    sender_email: str
    subject: str
    fields: list[Answer]
    page_url: str
    origin: str
    signals: list[str]


class SubmissionDetail(Submission):
    files: list[File]


class WantedSubmissions(api.Paging):
    form_id: UUID | None = None


def _same(row: queries.Submitted) -> dict[str, Any]:
    return {
        "fields": [Answer(label=label, value=value) for label, value in row.fields],
        **{name: getattr(row, name) for name in Submission.model_fields if name != "fields"},
    }


@router.get("", response=api.Listed[Submission], summary="List submissions")
def list_submissions(request: HttpRequest, wanted: Query[WantedSubmissions]) -> HttpResponse:
    """What arrived, the latest first."""
    here = accounts.permit(request, "records.read")
    found = api.cursor(request, wanted, dt.datetime.fromisoformat, UUID)
    before = (found[0], found[1]) if found else None
    rows = queries.submissions_before(here.agency_id, before, wanted.limit + 1, form_id=wanted.form_id)
    return api.listed(
        request,
        rows,
        wanted,
        shape=lambda row: Submission(**_same(row)),
        place=lambda row: (row.received_at, row.id),
    )


@router.get("/{uuid:submission_id}", response=SubmissionDetail, summary="Show a submission")
def show_submission(request: HttpRequest, submission_id: UUID) -> HttpResponse:
    here = accounts.permit(request, "records.read")
    found = queries.submissions(here.agency_id, [submission_id])
    if not found:
        raise Http404
    files = [
        File(id=file.id, name=file.name, media_type=file.media_type, size=file.size)
        for file in queries.files(here.agency_id, submission_id)
    ]
    return api.answer(request, SubmissionDetail(**_same(found[0]), files=files))
