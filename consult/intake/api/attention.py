"""What was accepted and could not be stored: set aside with its bytes, until somebody has looked."""

import datetime as dt
from typing import Annotated
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import Query
from pydantic import Field

from consult.accounts import queries as accounts
from consult.core import api, downloads
from consult.intake import reports, services
from consult.intake.api.submissions import Answer

router = api.Router(tags=["Attention"])


class SetAside(api.Shape):
    """A submission that the tables did not take."""

    id: UUID
    form_id: Annotated[UUID | None, Field(description="Null: its form is gone.")]
    receipt: str
    received_at: dt.datetime
    reason: Annotated[str, Field(description="Why it was not stored, in the words of the database.")]
    resolved_at: Annotated[dt.datetime | None, Field(description="When somebody had dealt with it; null: nobody yet.")]


class SetAsideDetail(SetAside):
    fields: Annotated[list[Answer], Field(description="As far as the bytes can be read; the raw ones hold it all.")]
    page_url: str


class Wanted(api.Paging):
    resolved: bool | None = None


def _found(agency_id: int, set_aside_id: UUID) -> SetAsideDetail:
    row = reports.set_aside(agency_id, set_aside_id)
    if row is None:
        raise Http404
    fields, page_url = reports.unpack(row.content)
    answers = [Answer(label=label, value=value) for label, value in fields]
    return SetAsideDetail(**vars(_shape(row)), fields=answers, page_url=page_url)


def _shape(row: reports.SetAside) -> SetAside:
    return SetAside(**{name: getattr(row, name) for name in SetAside.model_fields})


@router.get("", response=api.Listed[SetAside], summary="List what is set aside")
def list_set_aside(request: HttpRequest, wanted: Query[Wanted]) -> HttpResponse:
    """The latest first; what is resolved stays listed."""
    here = accounts.permit(request, "records.read")
    found = api.cursor(request, wanted, dt.datetime.fromisoformat, UUID)
    before = (found[0], found[1]) if found else None
    rows = reports.set_aside_before(here.agency_id, before, wanted.limit + 1, resolved=wanted.resolved)
    return api.listed(request, rows, wanted, shape=_shape, place=lambda row: (row.received_at, row.id))


@router.get("/{uuid:set_aside_id}", response=SetAsideDetail, summary="Show what is set aside")
def show_set_aside(request: HttpRequest, set_aside_id: UUID) -> HttpResponse:
    here = accounts.permit(request, "records.read")
    return api.answer(request, _found(here.agency_id, set_aside_id))


@router.get(
    "/{uuid:set_aside_id}/raw", response={200: None}, openapi_extra=api.gives_bytes(), summary="Download its bytes"
)
def download_set_aside(request: HttpRequest, set_aside_id: UUID) -> StreamingHttpResponse:
    """Exactly as the edge packed them (MessagePack), as an attachment."""
    here = accounts.permit(request, "records.read")
    found = reports.raw(here.agency_id, set_aside_id)
    if found is None:
        raise Http404
    receipt, content = found
    name = f"set-aside-{receipt}.msgpack"
    return downloads.attachment([content], name=name, media_type=api.MEDIA_TYPE, size=len(content))


@router.post("/{uuid:set_aside_id}/resolve", response=SetAsideDetail, summary="Mark it as resolved")
def resolve_set_aside(request: HttpRequest, set_aside_id: UUID) -> HttpResponse:
    """It stays listed, and its bytes are kept."""
    here = _manage(request, set_aside_id)
    now = dt.datetime.now(dt.UTC)
    services.resolve_set_aside(agency_id=here.agency_id, id=set_aside_id, now=now, by=here.member_id)
    return api.answer(request, _found(here.agency_id, set_aside_id))


@router.post("/{uuid:set_aside_id}/reopen", response=SetAsideDetail, summary="Mark it as not resolved")
def reopen_set_aside(request: HttpRequest, set_aside_id: UUID) -> HttpResponse:
    here = _manage(request, set_aside_id)
    services.reopen_set_aside(agency_id=here.agency_id, id=set_aside_id, by=here.member_id)
    return api.answer(request, _found(here.agency_id, set_aside_id))


def _manage(request: HttpRequest, set_aside_id: UUID) -> accounts.Membership:
    """Let in who settles what needs attention, if this is there, as the caller knows it; nobody else changes it."""
    here = accounts.permit(request, "sites.manage")
    with api.refusing({services.NothingSetAside: ("not_found", "")}):
        services.lock_set_aside(agency_id=here.agency_id, id=set_aside_id)
    api.expect(request, _found(here.agency_id, set_aside_id))
    return here
