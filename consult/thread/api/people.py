"""Privacy: what is held of a person, their export, their erasure."""

import datetime as dt
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import Query
from pydantic import Field

from consult.accounts import queries as accounts
from consult.accounts import services as accounts_services
from consult.core import api, downloads, files
from consult.crm import queries as crm
from consult.thread.queries import erasures
from consult.thread.queries import person as people
from consult.thread.services import erasure, person_export

router = api.Router(tags=["People"])

REFUSALS = {
    crm.NoSuchContact: ("invalid", "/contact_id"),
    people.NoSuchPerson: ("invalid", "/address"),
    erasure.NotConfirmed: ("invalid", "/confirm"),
}
type ErasureReason = Literal["asked", "withdrawn", "not_needed", "mistake", "law"]
Address = Annotated[api.Words, Field(max_length=320, description="Of who is no contact. Not with `contact_id`.")]


class HeldCounts(api.Shape):
    """How many of each are held; `events` are lines of timelines, which hold no names and stay."""

    contacts: int
    enquiries: int
    submissions: int
    files: int
    messages: int
    mails: int
    notes: int
    set_aside: int
    events: int
    saved_views: int


class PersonHeld(api.Shape):
    """What the agency holds of a person. Without a contact: who has only ever written."""

    contact_id: UUID | None
    name: Annotated[str, Field(description="What `confirm` has to say to have them erased.")]
    names: list[str]
    addresses: list[str]
    phones: list[str]
    held: HeldCounts


class WantedPerson(api.Input):
    contact_id: UUID | None = None
    address: Address = ""


class PersonInput(api.Input):
    contact_id: UUID | None = None
    address: Annotated[Address, Field(examples=["ann@visitor.example"])] = ""


class ErasureInput(api.Input):
    contact_id: UUID | None = None
    address: Address = ""
    reason: ErasureReason
    confirm: Annotated[api.Line, Field(max_length=320, description="Their `name` once more.", examples=["Ann"])]


class PersonExport(api.Shape):
    """One zip file of a person; there for seven days from `finished`."""

    id: UUID
    state: Literal["waiting", "running", "ready", "failed", "expired"]
    size: int
    error: Annotated[str, Field(description="`storage`, `erased` (somebody was, meanwhile), `unexpected`, or empty.")]
    created_at: dt.datetime
    expires_at: dt.datetime | None


class Erasure(api.Shape):
    """An erasure: ids and counts, never whom. `nothing`: there was nothing left to erase."""

    id: UUID
    state: Literal["waiting", "done", "nothing"]
    contact_id: UUID | None
    reason: str
    held: dict[str, int]
    asked_at: dt.datetime
    done_at: dt.datetime | None


def _found(agency_id: int, contact_id: UUID | None, address: str) -> people.Person:
    try:
        return people.find(agency_id, contact_id=contact_id, address="" if contact_id else address)
    except (people.NoSuchPerson, crm.NoSuchContact):
        raise Http404 from None


@router.get("", response=PersonHeld, summary="Show what is held of a person")
def show_person(request: HttpRequest, wanted: Query[WantedPerson]) -> HttpResponse:
    """Of a contact, merged ones among it; or of an address, as far as it belongs to no contact."""
    here = accounts.permit(request, "privacy.manage")
    found = _found(here.agency_id, wanted.contact_id, wanted.address)
    same: dict[str, Any] = {name: getattr(found, name) for name in PersonHeld.model_fields if name != "held"}
    return api.answer(request, PersonHeld(**same, held=HeldCounts(**found.counts())))


def _export(agency_id: int, export_id: UUID) -> accounts.Export:
    found = accounts.export(agency_id, export_id, kind="person")
    if found is None:
        raise Http404
    return found


def _shown(row: accounts.Export) -> PersonExport:
    return PersonExport.model_validate({name: getattr(row, name) for name in PersonExport.model_fields})


@router.post("/exports", response={202: PersonExport}, summary="Export a person")
def start_person_export(request: HttpRequest, body: PersonInput) -> HttpResponse:
    """Everything that is held of them in one zip file. A job builds it: ask again until `state` is `ready`."""
    here = accounts.permit(request, "privacy.manage")
    with api.refusing(REFUSALS):
        id = person_export.start_person_export(
            agency_id=here.agency_id,
            contact_id=body.contact_id,
            address="" if body.contact_id else body.address,
            by=here.member_id,
            now=dt.datetime.now(dt.UTC),
        )
    location = f"/api/v1/people/exports/{id}"
    return api.answer(request, _shown(_export(here.agency_id, id)), status=202, location=location)


@router.get("/exports/{uuid:person_export_id}", response=PersonExport, summary="Show a person's export")
def show_person_export(request: HttpRequest, person_export_id: UUID) -> HttpResponse:
    here = accounts.permit(request, "privacy.manage")
    return api.answer(request, _shown(_export(here.agency_id, person_export_id)))


@router.get(
    "/exports/{uuid:person_export_id}/file",
    response={200: None},
    openapi_extra=api.gives_bytes("application/zip"),
    summary="Download a person's export",
)
def download_person_export(request: HttpRequest, person_export_id: UUID) -> StreamingHttpResponse:
    """404 until it is ready, and once it is over."""
    here = accounts.permit(request, "privacy.manage")
    found = _export(here.agency_id, person_export_id)
    if found.state != "ready" or (found.expires_at and found.expires_at <= dt.datetime.now(dt.UTC)):
        raise Http404
    content = files.read(found.location)
    accounts_services.note_download(agency_id=here.agency_id, export_id=person_export_id, by=here.member_id)
    return downloads.attachment(content, name="person.zip", media_type="application/zip", size=found.size)


def _erasure(agency_id: int, erasure_id: UUID) -> Erasure:
    found = erasures.erasure(agency_id, erasure_id)
    if found is None:
        raise Http404
    same = {name: getattr(found, name) for name in Erasure.model_fields if name != "held"}
    return Erasure.model_validate({**same, "held": found.counts})


@router.post("/erasures", response={202: Erasure}, summary="Erase a person")
def erase_person(request: HttpRequest, body: ErasureInput) -> HttpResponse:
    """Blank everything that is held of them, wherever it is; what is counted stays. It cannot be undone.

    A job does it, in one go: ask again until `state` is `done`.
    """
    here = accounts.permit(request, "privacy.manage")
    with api.refusing(REFUSALS):
        id = erasure.erase_person(
            agency_id=here.agency_id,
            contact_id=body.contact_id,
            address="" if body.contact_id else body.address,
            reason=body.reason,
            typed=body.confirm,
            by=here.member_id,
        )
    location = f"/api/v1/people/erasures/{id}"
    return api.answer(request, _erasure(here.agency_id, id), status=202, location=location)


@router.get("/erasures/{uuid:erasure_id}", response=Erasure, summary="Show an erasure")
def show_erasure(request: HttpRequest, erasure_id: UUID) -> HttpResponse:
    here = accounts.permit(request, "privacy.manage")
    return api.answer(request, _erasure(here.agency_id, erasure_id))
