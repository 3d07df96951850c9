"""The token's agency: its settings and its logo."""

import datetime as dt
from typing import Annotated, Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from pydantic import Field, StrictInt

from consult.accounts import queries as accounts
from consult.accounts import rules, services
from consult.core import api, downloads, files
from consult.core.errors import Refused

router = api.Router(tags=["Agency"])

REFUSALS = {services.BadName: ("invalid", "/slug"), services.NameTaken: ("name_taken", "")}


class AgencySettings(api.Shape):
    slug: Annotated[str, Field(description="The first part of its addresses.")]
    name: str
    time_zone: str
    currency: Annotated[str, Field(description="ISO 4217.")]
    week_start: Annotated[int, Field(description="1 is Monday, 7 Sunday.")]
    sender_address: Annotated[
        str, Field(description="Whom its mail says it is from, `Name <address>`; empty: the installation's sender.")
    ]
    has_logo: bool
    closes_at: Annotated[dt.datetime | None, Field(description="When all of it is deleted; null: nobody wants that.")]


class AgencyChange(api.Input):
    slug: Annotated[api.Line, Field(max_length=40, default_factory=api.kept)]
    name: Annotated[api.Line, Field(max_length=200, examples=["Northwind Web"], default_factory=api.kept)]
    time_zone: Annotated[api.Line, Field(max_length=64, examples=["Europe/Lisbon"], default_factory=api.kept)]
    currency: Annotated[api.Line, Field(max_length=3, examples=["EUR"], default_factory=api.kept)]
    week_start: Annotated[StrictInt, Field(ge=1, le=7, default_factory=api.kept)]
    sender_address: Annotated[
        api.Words, Field(max_length=320, examples=["Northwind <hello@agency.example>"], default_factory=api.kept)
    ]


def _settings(agency_id: int) -> AgencySettings:
    found = accounts.settings_of(agency_id)
    has_logo = bool(found.pop("logo"))
    return AgencySettings(**found, has_logo=has_logo, closes_at=accounts.closes_at(agency_id))


@router.get("", response=AgencySettings, summary="Show the agency's settings")
def show_agency(request: HttpRequest) -> HttpResponse:
    here = accounts.permit(request, "settings.manage")
    return api.answer(request, _settings(here.agency_id))


@router.patch("", response=AgencySettings, summary="Change the agency's settings")
def update_agency(request: HttpRequest, body: AgencyChange) -> HttpResponse:
    """Names that the body does not hold stay as they are. With another `slug` old links and bookmarks stop working."""
    here = accounts.permit(request, "settings.manage")
    services.lock_agency(agency_id=here.agency_id)
    api.expect(request, _settings(here.agency_id))
    with api.refusing(REFUSALS):
        _update(here.agency_id, body.given(), here.member_id)
    return api.answer(request, _settings(here.agency_id))


def _update(agency_id: int, changes: dict[str, Any], by: UUID | None) -> None:
    try:
        services.update_agency(agency_id=agency_id, changes=changes, by=by)
    except services.BadSetting as error:
        words = "This is no value that this setting can have."
        raise Refused("invalid", errors=[{"pointer": f"/{error}", "code": "invalid", "detail": words}]) from None


# --- logo: bytes, with an ETag of where they lie, which is another place for each new logo ---


@router.get(
    "/logo",
    response={200: None},
    openapi_extra=api.gives_bytes(*rules.LOGO_TYPES, versioned=True),
    summary="Download the agency's logo",
)
def logo(request: HttpRequest) -> HttpResponse:
    here = accounts.permit(request, "records.read")
    location = accounts.logo(here.agency_id)
    if not location:
        raise Http404
    tag = api.etag(location.encode())
    if unchanged := api.not_modified(request, tag):
        return unchanged
    content = b"".join(files.read(location))
    media_type = rules.logo_type(content)
    if not media_type:
        raise Http404
    return HttpResponse(content, content_type=media_type, headers={"ETag": tag, **downloads.HARMLESS})


@router.put("/logo", response={204: None}, openapi_extra=api.TAKES_BYTES, summary="Set the agency's logo")
def set_logo(request: HttpRequest) -> HttpResponse:
    """A PNG, JPEG or WebP picture of at most 512 KB as the body. It is looked at by content."""
    here = accounts.permit(request, "settings.manage")
    content = api.read_bytes(request)
    services.lock_agency(agency_id=here.agency_id)
    api.expect(request, accounts.logo(here.agency_id).encode())
    try:
        services.set_logo(agency_id=here.agency_id, content=content, by=here.member_id)
    except services.BadLogo:
        words = "A PNG, JPEG or WebP picture of at most 512 KB is needed."
        raise Refused("invalid", errors=[{"pointer": "", "code": "invalid", "detail": words}]) from None
    return HttpResponse(status=204)


@router.delete("/logo", response={204: None}, summary="Remove the agency's logo")
def remove_logo(request: HttpRequest) -> HttpResponse:
    """Where there is none, nothing happens."""
    here = accounts.permit(request, "settings.manage")
    services.lock_agency(agency_id=here.agency_id)
    api.expect(request, accounts.logo(here.agency_id).encode())
    services.remove_logo(agency_id=here.agency_id, by=here.member_id)
    return HttpResponse(status=204)
