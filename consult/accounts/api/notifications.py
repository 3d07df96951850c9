"""What the caller is told of, and how they hear of it. A token of the agency is nobody: it is told nothing."""

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query
from pydantic import Field

from consult.accounts import queries as accounts
from consult.accounts import services
from consult.core import api

router = api.Router(tags=["Notifications"])

type How = Literal["none", "app", "mail", "daily"]


class Notification(api.Shape):
    """That something happened that one wants to hear of."""

    id: UUID
    kind: Literal["new", "assigned", "mentioned"]
    subject_kind: Annotated[str, Field(description="Whose `subject_id` it is, such as `inbox` of an enquiry.")]
    subject_id: UUID
    subject: Annotated[str, Field(description="What it is called; empty when it is gone.")]
    by_id: Annotated[UUID | None, Field(description="The member who did it; null: a program.")]
    at: dt.datetime
    read_at: dt.datetime | None


class NotificationChoices(api.Shape):
    """How one hears of what: not at all, in Consult, and by e-mail too: at once or in the morning."""

    new: How
    assigned: How
    mentioned: How


class NotificationChoicesInput(api.Input):
    new: Annotated[How, Field(examples=["none"])]
    assigned: Annotated[How, Field(examples=["app"])]
    mentioned: Annotated[How, Field(examples=["mail"])]


class ReadNotifications(api.Input):
    ids: Annotated[
        list[UUID],
        Field(
            max_length=200, description="Which; empty means all.", examples=[["0198b1a2-7c3e-7d4f-8a5b-6c7d8e9f0a1b"]]
        ),
    ] = []


def _shape(row: accounts.Notification) -> Notification:
    same = ("id", "kind", "subject_id", "subject", "by_id", "at", "read_at")
    return Notification(subject_kind=row.feature, **{name: getattr(row, name) for name in same})


@router.get("", response=api.Listed[Notification], summary="List one's notifications")
def list_notifications(request: HttpRequest, paging: Query[api.Paging]) -> HttpResponse:
    """The caller's own, the latest first."""
    here = accounts.permit(request, "records.read")
    before = api.cursor(request, paging, UUID)
    rows: list[accounts.Notification] = []
    if here.member_id:
        last = before[0] if before else None
        rows = accounts.notifications_before(here.agency_id, here.member_id, last, paging.limit + 1)
    return api.listed(request, rows, paging, shape=_shape, place=lambda row: (row.id,))


@router.post("/read", response={204: None}, summary="Mark notifications as read")
def read_notifications(request: HttpRequest, body: ReadNotifications) -> HttpResponse:
    """Those of the caller with these ids, or all of theirs. Somebody else's stay as they are."""
    here = accounts.permit(request, "records.read")
    services.read_notifications(
        agency_id=here.agency_id, member_id=accounts.person_here(here), now=dt.datetime.now(dt.UTC), ids=body.ids
    )
    return HttpResponse(status=204)


@router.get("/choices", response=NotificationChoices, summary="Show how one hears of things")
def show_notification_choices(request: HttpRequest) -> HttpResponse:
    here = accounts.permit(request, "records.read")
    found = accounts.choices(here.agency_id, accounts.person_here(here))
    return api.answer(request, NotificationChoices.model_validate(found))


@router.put("/choices", response=NotificationChoices, summary="Choose how one hears of things")
def choose_notifications(request: HttpRequest, body: NotificationChoicesInput) -> HttpResponse:
    """The caller's own choice."""
    here = accounts.permit(request, "records.read")
    member_id = accounts.person_here(here)
    services.choose_notifications(agency_id=here.agency_id, member_id=member_id, chosen=dict(body))
    found = accounts.choices(here.agency_id, member_id)
    return api.answer(request, NotificationChoices.model_validate(found))
