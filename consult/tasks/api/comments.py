"""What people say about a task."""

import datetime as dt
from typing import Annotated
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from ninja import Query
from pydantic import Field

from consult.accounts import queries as accounts
from consult.core import api
from consult.core.errors import Refused
from consult.tasks import queries, services

router = api.Router(tags=["Tasks"])

REFUSALS = {
    services.NoSuchTask: ("not_found", ""),
    services.NoSuchComment: ("not_found", ""),
    services.EmptyComment: ("invalid", "/body"),
}
Body = Annotated[
    str, Field(min_length=1, max_length=queries.LONGEST_TEXT, description="Markdown.", examples=["On it."])
]


class Comment(api.Shape):
    """What somebody said about a task."""

    id: UUID
    author_id: Annotated[UUID | None, Field(description="A member; null: the agency's own token.")]
    body: str
    created_at: dt.datetime
    edited_at: dt.datetime | None


class CommentInput(api.Input):
    body: Body


def _comment(row: queries.Commented) -> Comment:
    return Comment(**{name: getattr(row, name) for name in Comment.model_fields})


def _task_id(agency_id: int, key: str) -> UUID:
    try:
        return queries.task(agency_id, key).id
    except queries.NoSuchTask:
        raise Http404 from None


@router.get("/{key}/comments", response=api.Listed[Comment], summary="List the comments on a task")
def list_comments(request: HttpRequest, key: str, paging: Query[api.Paging]) -> HttpResponse:
    """The oldest first."""
    here = accounts.permit(request, "records.read")
    after = api.cursor(request, paging, UUID)
    task_id = _task_id(here.agency_id, key)
    rows = queries.comments_after(here.agency_id, task_id, after[0] if after else None, paging.limit + 1)
    return api.listed(request, rows, paging, shape=_comment, place=lambda row: (row.id,))


@router.post("/{key}/comments", response={201: Comment}, summary="Comment on a task")
def add_comment(request: HttpRequest, key: str, body: CommentInput) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    now = dt.datetime.now(dt.UTC)
    with api.refusing(REFUSALS):
        try:
            made = services.add_comment(agency_id=here.agency_id, key=key, body=body.body, by=here.member_id, now=now)
        except (services.InTrash, services.ProjectArchived):
            raise Refused("conflict", "The task is in the trash, or its project is archived.") from None
    return api.answer(request, _found(here.agency_id, key, made), status=201)


@router.patch("/{key}/comments/{uuid:comment_id}", response=Comment, summary="Change a comment")
def edit_comment(request: HttpRequest, key: str, comment_id: UUID, body: CommentInput) -> HttpResponse:
    """One's own; what it said before is kept."""
    here = accounts.permit(request, "records.write")
    with api.refusing(REFUSALS):
        services.lock_task(agency_id=here.agency_id, key=key)
        api.expect(request, _found(here.agency_id, key, comment_id))
        try:
            services.edit_comment(
                agency_id=here.agency_id,
                key=key,
                comment_id=comment_id,
                body=body.body,
                by=here.member_id,
                now=dt.datetime.now(dt.UTC),
            )
        except services.NotYours:
            raise PermissionDenied("Only who wrote a comment changes it.") from None
        except (services.InTrash, services.ProjectArchived):
            raise Refused("conflict", "The task is in the trash, or its project is archived.") from None
    return api.answer(request, _found(here.agency_id, key, comment_id))


def _found(agency_id: int, key: str, comment_id: UUID) -> Comment:
    row = queries.comment(agency_id, _task_id(agency_id, key), comment_id)
    if row is None:
        raise Http404
    return _comment(row)
