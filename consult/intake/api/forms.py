"""Forms on sites: their fields, rules and settings."""

import dataclasses
import datetime as dt
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from ninja import Query
from pydantic import AfterValidator, Field, StrictBool, StrictInt, StringConstraints

from consult.accounts import queries as accounts
from consult.core import api
from consult.intake import queries, rules, services
from consult.intake.api.texts import Email, Language, Limit, Name, Origin, Target

router = api.Router(tags=["Forms"])

REFUSALS = {services.NoSuchForm: ("not_found", ""), rules.BadDefinition: ("invalid", "")}

type QuestionKind = Literal["text", "email", "tel", "textarea", "select", "checkbox", "file"]
type FileKind = Literal["images", "pdf", "text", "office", "media", "archives"]


class Question(api.Shape):
    """A field of a form."""

    name: str
    label: str
    type: QuestionKind
    required: bool
    options: list[str]
    max_length: int


class QuestionInput(api.Input):
    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,62}$"), Field(examples=["email"])]
    label: Annotated[api.Words, Field(max_length=200)] = ""
    type: QuestionKind = "text"
    required: StrictBool = False
    options: Annotated[list[Name], Field(max_length=100)] = []
    max_length: Annotated[StrictInt, Field(ge=1, le=rules.LONGEST)] | None = None


class Files(api.Shape):
    """What files a form takes; megabytes of one, and of all together. No kinds: anything."""

    count: Annotated[StrictInt, Field(ge=1, le=rules.MOST_FILES)]
    megabytes: Annotated[StrictInt, Field(ge=1, le=rules.MOST_MEGABYTES)]
    total_megabytes: Annotated[StrictInt, Field(ge=1, le=rules.MOST_MEGABYTES)]
    kinds: Annotated[list[FileKind], Field(max_length=6)]


class FilesInput(Files, api.Input):
    pass


class Form(api.Shape):
    """A form on a site, with its present definition."""

    id: UUID
    site_id: UUID
    name: str
    key: str
    post_url: Annotated[str, Field(description="Where pages and programs send it; opened in a browser, its own page.")]
    version: Annotated[int, Field(description="Counts up with every change; submissions keep theirs.")]
    fields: list[Question]
    files: Files | None
    honeypot: str
    allowed_origins: list[str]
    redirect_targets: list[str]
    notify_addresses: list[str]
    language: str
    hold_score: int
    address_limit: str
    form_limit: str
    over_limit: Literal["hold", "refuse"]
    daily_cap: int
    proof_of_work: bool
    auto_reply: bool
    auto_reply_text: str
    keep_address_days: int
    keep_days: Annotated[int | None, Field(description="After so many days submissions are erased; null: never.")]
    keep_held_days: Annotated[int | None, Field(description="Of held ones and spam; null: like the others.")]
    created_at: dt.datetime


def _questions(fields: list[QuestionInput]) -> list[QuestionInput]:
    rules.clean_fields([dict(field) for field in fields])
    return fields


Fields = Annotated[
    list[QuestionInput],
    Field(
        min_length=1,
        max_length=rules.MAX_FIELDS,
        examples=[[{"name": "email", "label": "E-mail", "type": "email", "required": True}]],
    ),
    AfterValidator(_questions),
]
Origins = Annotated[list[Origin], Field(max_length=50)]
Targets = Annotated[list[Target], Field(max_length=50)]
Addresses = Annotated[list[Email], Field(max_length=50)]
Honeypot = Annotated[api.Words, Field(max_length=63)]
Points = Annotated[StrictInt, Field(ge=1, le=1000)]
Cap = Annotated[StrictInt, Field(ge=1, le=10_000_000)]
Days = Annotated[StrictInt, Field(ge=0, le=3650)]
Kept = Annotated[StrictInt, Field(ge=1, le=3650)] | None
Reply = Annotated[str, Field(max_length=5000)]
Over = Literal["hold", "refuse"]


class FormInput(api.Input):
    site_id: UUID
    name: Annotated[Name, Field(examples=["Contact"])]
    fields: Fields
    files: FilesInput | None = None
    honeypot: Honeypot = ""
    allowed_origins: Origins = []
    redirect_targets: Targets = []
    notify_addresses: Addresses = []
    language: Language = "en"
    hold_score: Points = 50
    address_limit: Limit = "20/minute"
    form_limit: Limit = "600/minute"
    over_limit: Over = "hold"
    daily_cap: Cap = 10_000
    proof_of_work: StrictBool = False
    auto_reply: StrictBool = False
    auto_reply_text: Reply = ""
    keep_address_days: Days = 30
    keep_days: Kept = None
    keep_held_days: Kept = None


class FormChange(api.Input):
    name: Annotated[Name, Field(default_factory=api.kept)]
    fields: Annotated[Fields, Field(default_factory=api.kept)]
    files: Annotated[FilesInput | None, Field(default_factory=api.kept)]
    honeypot: Annotated[Honeypot, Field(default_factory=api.kept)]
    allowed_origins: Annotated[Origins, Field(default_factory=api.kept)]
    redirect_targets: Annotated[Targets, Field(default_factory=api.kept)]
    notify_addresses: Annotated[Addresses, Field(default_factory=api.kept)]
    language: Annotated[Language, Field(default_factory=api.kept)]
    hold_score: Annotated[Points, Field(default_factory=api.kept)]
    address_limit: Annotated[Limit, Field(default_factory=api.kept)]
    form_limit: Annotated[Limit, Field(default_factory=api.kept)]
    over_limit: Annotated[Over, Field(default_factory=api.kept)]
    daily_cap: Annotated[Cap, Field(default_factory=api.kept)]
    proof_of_work: Annotated[StrictBool, Field(default_factory=api.kept)]
    auto_reply: Annotated[StrictBool, Field(default_factory=api.kept)]
    auto_reply_text: Annotated[Reply, Field(default_factory=api.kept)]
    keep_address_days: Annotated[Days, Field(default_factory=api.kept)]
    keep_days: Annotated[Kept, Field(default_factory=api.kept)]
    keep_held_days: Annotated[Kept, Field(default_factory=api.kept)]


class WantedForms(api.Paging):
    site_id: UUID | None = None


SETTINGS = [field.name for field in dataclasses.fields(rules.Settings)]


def _form(row: queries.Form) -> Form:
    files = row.files
    same = ("id", "site_id", "name", "key", "post_url", "version", "honeypot", "created_at")
    lists = ("allowed_origins", "redirect_targets", "notify_addresses")
    return Form(
        **{name: getattr(row, name) for name in (*same, *lists)},
        **dataclasses.asdict(row.settings),
        fields=[Question(**{name: field[name] for name in Question.model_fields}) for field in row.fields],
        files=Files.model_validate(
            {
                "count": files["count"],
                "megabytes": files["bytes"] // rules.MEGABYTE,
                "total_megabytes": files["total"] // rules.MEGABYTE,
                "kinds": rules.file_kinds(files["types"]),
            }
        )
        if files
        else None,
    )


def _found_form(agency_id: int, form_id: UUID) -> Form:
    row = queries.form(agency_id, form_id)
    if row is None:
        raise Http404
    return _form(row)


def _values(given: dict[str, Any]) -> dict[str, Any]:
    """Return what the services take of a body's values."""
    fields = [dict(field) for field in given["fields"]]
    files: Files | None = given["files"]
    return {
        "name": given["name"],
        "fields": fields,
        "honeypot": given["honeypot"],
        "files": rules.clean_files(
            count=files.count if files else 0,
            megabytes=files.megabytes if files else 10,
            total=files.total_megabytes if files else 20,
            kinds=files.kinds if files else (),
            fields=fields,
        ),
        "allowed_origins": given["allowed_origins"],
        "redirect_targets": given["redirect_targets"],
        "notify_addresses": given["notify_addresses"],
        "settings": rules.Settings(**{name: given[name] for name in SETTINGS}),
    }


@router.get("", response=api.Listed[Form], summary="List forms")
def list_forms(request: HttpRequest, wanted: Query[WantedForms]) -> HttpResponse:
    """The agency's forms in the order in which they were added."""
    here = accounts.permit(request, "records.read")
    after = api.cursor(request, wanted, UUID)
    start = after[0] if after else None
    rows = queries.forms_after(here.agency_id, start, wanted.limit + 1, site_id=wanted.site_id)
    return api.listed(request, rows, wanted, shape=_form, place=lambda row: (row.id,))


@router.get("/{uuid:form_id}", response=Form, summary="Show a form")
def show_form(request: HttpRequest, form_id: UUID) -> HttpResponse:
    here = accounts.permit(request, "records.read")
    return api.answer(request, _found_form(here.agency_id, form_id))


@router.post("", response={201: Form}, summary="Add a form")
def create_form(request: HttpRequest, body: FormInput) -> HttpResponse:
    here = accounts.permit(request, "sites.manage")
    with api.refusing({services.NoSuchSite: ("invalid", "/site_id"), **REFUSALS}):
        form_id = services.create_form(
            agency_id=here.agency_id, site_id=body.site_id, by=here.member_id, **_values(dict(body))
        )
    location = f"/api/v1/forms/{form_id}"
    return api.answer(request, _found_form(here.agency_id, form_id), status=201, location=location)


@router.patch("/{uuid:form_id}", response=Form, summary="Change a form")
def update_form(request: HttpRequest, form_id: UUID, body: FormChange) -> HttpResponse:
    """Writes the form's next version. Names that the body does not hold stay as they are."""
    here = accounts.permit(request, "sites.manage")
    with api.refusing(REFUSALS):
        services.lock_form(agency_id=here.agency_id, form_id=form_id)
        now = _found_form(here.agency_id, form_id)
        api.expect(request, now)
        kept = {name: getattr(now, name) for name in FormChange.model_fields}
        if given := body.given():
            services.update_form(
                agency_id=here.agency_id, form_id=form_id, by=here.member_id, **_values({**kept, **given})
            )
    return api.answer(request, _found_form(here.agency_id, form_id))
