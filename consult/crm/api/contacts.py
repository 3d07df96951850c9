"""Contacts: people whom the agency knows."""

import datetime as dt
from typing import Annotated, Any, Literal
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import Http404, HttpRequest, HttpResponse
from ninja import Query
from pydantic import AfterValidator, Field, StrictBool

from consult.accounts import queries as accounts
from consult.core import api
from consult.core.errors import Refused
from consult.crm import queries, rules, services
from consult.crm.api import values

router = api.Router(tags=["Contacts"])

REFUSALS = {
    queries.NoSuchContact: ("not_found", ""),
    queries.NoSuchCompany: ("invalid", "/company_id"),
    ValueError: ("invalid", ""),
}


def _email(text: str) -> str:
    address = rules.email_address(text)
    try:
        validate_email(address)
    except ValidationError:
        raise ValueError("This is no e-mail address.") from None
    return address


def _phone(text: str) -> str:
    # Whatever the country: that only says how it is compared.
    if not rules.phone_key(text, ""):
        raise ValueError("This is no phone number.")
    return " ".join(text.split())


Email = Annotated[api.Line, Field(max_length=320, examples=["ann@rosa.example"]), AfterValidator(_email)]
Phone = Annotated[api.Line, Field(max_length=50, examples=["+44 20 7946 0000"]), AfterValidator(_phone)]
Emails = Annotated[list[Email], Field(max_length=20, description="The first is the one to write to.")]
Phones = Annotated[list[Phone], Field(max_length=20, description="The first is the one to call.")]
Name = Annotated[api.Words, Field(max_length=200, examples=["Ann Müller"])]
Title = Annotated[api.Words, Field(max_length=200, examples=["Owner"])]


class Contact(api.Shape):
    """A person. `client_id`: whose customer they are, if a client's and not the agency's own."""

    id: UUID
    name: str
    emails: list[str]
    phones: list[str]
    job_title: str
    company_id: UUID | None
    client_id: UUID | None
    labels: list[str]
    custom: list[values.Own]
    origin_submission_id: UUID | None
    created_at: dt.datetime


class ContactInput(api.Input):
    name: Annotated[Name, Field(description="Empty: the first address.")] = ""
    emails: Emails = []
    phones: Phones = []
    job_title: Title = ""
    company_id: UUID | None = None
    client_id: UUID | None = None
    labels: values.Labels = []
    custom: values.Owns = []
    unless_known: Annotated[StrictBool, Field(description="409 when a contact has one of the addresses.")] = False


class ContactChange(api.Input):
    name: Annotated[Name, Field(default_factory=api.kept)]
    emails: Annotated[Emails, Field(default_factory=api.kept)]
    phones: Annotated[Phones, Field(default_factory=api.kept)]
    job_title: Annotated[Title, Field(default_factory=api.kept)]
    company_id: Annotated[UUID | None, Field(default_factory=api.kept)]
    client_id: Annotated[UUID | None, Field(default_factory=api.kept)]
    labels: Annotated[values.Labels, Field(default_factory=api.kept)]
    custom: Annotated[values.Owns, Field(default_factory=api.kept)]


class Wanted(api.Paging):
    q: Annotated[str, Field(max_length=200, description="Part of name, address, number or the company's name.")] = ""
    label_id: UUID | None = None
    company_id: UUID | None = None
    client_id: UUID | None = None


def _contact(row: queries.Contact) -> Contact:
    named = {name: getattr(row, name) for name in Contact.model_fields if name != "custom"}
    return Contact(**named, custom=values.owns(row.custom))


def _row(agency_id: int, contact_id: UUID) -> queries.Contact:
    try:
        return queries.contact(agency_id, contact_id)
    except queries.NoSuchContact:
        raise Http404 from None


@router.get("", response=api.Listed[Contact], summary="List contacts")
def list_contacts(request: HttpRequest, wanted: Query[Wanted]) -> HttpResponse:
    """The agency's contacts in the order in which they were added; none that were merged into others."""
    here = accounts.permit(request, "records.read")
    after = api.cursor(request, wanted, UUID)
    rows = queries.contacts_after(
        here.agency_id,
        after[0] if after else None,
        wanted.limit + 1,
        search=wanted.q,
        label_id=wanted.label_id,
        company_id=wanted.company_id,
        client_id=wanted.client_id,
    )
    return api.listed(request, rows, wanted, shape=_contact, place=lambda row: (row.id,))


@router.get("/{uuid:contact_id}", response=Contact, summary="Show a contact")
def show_contact(request: HttpRequest, contact_id: UUID) -> HttpResponse:
    """The id of one that was merged shows the contact that it is now."""
    here = accounts.permit(request, "records.read")
    return api.answer(request, _contact(_row(here.agency_id, contact_id)))


@router.post("", response={201: Contact}, summary="Add a contact")
def create_contact(request: HttpRequest, body: ContactInput) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    values.expect_client(here.agency_id, body.client_id)
    named = {name: each for name, each in dict(body).items() if name not in ("labels", "custom")}
    custom = values.custom(here.agency_id, "contact", body.custom, {})
    if not body.name and not body.emails:
        raise values.wrong("/name", "A contact goes by a name or an e-mail address.")
    try:
        with api.refusing(REFUSALS):
            contact_id = services.create_contact(agency_id=here.agency_id, by=here.member_id, custom=custom, **named)
            if body.labels:
                values.label(here.agency_id, "contact", contact_id, body.labels, here.member_id)
    except services.KnownAddress as known:
        raise Refused("conflict", f"The contact {known.contact_id} has one of these addresses.") from known
    location = f"/api/v1/contacts/{contact_id}"
    return api.answer(request, _contact(_row(here.agency_id, contact_id)), status=201, location=location)


@router.patch("/{uuid:contact_id}", response=Contact, summary="Change a contact")
def update_contact(request: HttpRequest, contact_id: UUID, body: ContactChange) -> HttpResponse:
    """Names that the body does not hold stay as they are. One that was merged changes the contact that it is now."""
    here = accounts.permit(request, "records.write")
    given = body.given()
    values.expect_client(here.agency_id, given.get("client_id"))
    with api.refusing(REFUSALS):
        id = _row(here.agency_id, contact_id).id
        services.lock_contact(agency_id=here.agency_id, contact_id=id)
        row = _row(here.agency_id, id)
        api.expect(request, _contact(row))
        kept: dict[str, Any] = {
            name: given.get(name, getattr(row, name))
            for name in ("name", "emails", "phones", "job_title", "company_id", "client_id")
        }
        if not kept["name"] and not kept["emails"]:
            raise values.wrong("/name", "A contact goes by a name or an e-mail address.")
        if kept["company_id"] and kept["company_id"] != row.company_id:
            queries.company(here.agency_id, kept["company_id"])
        custom = values.custom(here.agency_id, "contact", given.get("custom", ()), row.custom)
        services.update_contact(agency_id=here.agency_id, contact_id=id, by=here.member_id, custom=custom, **kept)
        if "labels" in given:
            values.label(here.agency_id, "contact", id, given["labels"], here.member_id)
    return api.answer(request, _contact(_row(here.agency_id, id)))


type Choice = Literal["name", "job_title", "company_id", "client_id", "email", "phone"]


class Merging(api.Input):
    other_id: Annotated[UUID, Field(description="The contact that goes; its id leads to the one that stays.")]
    take: Annotated[
        list[Choice | UUID],
        Field(
            max_length=50,
            description="What comes from the one that goes; of email and phone, which is the primary one; of own"
            " fields their ids. What the one that stays lacks comes from there too.",
            examples=[["name"]],
        ),
    ] = []


class Merge(api.Shape):
    """That two contacts were found to be one. `id` is what takes it back."""

    id: UUID
    contact_id: UUID


@router.post("/{uuid:contact_id}/merge", response=Merge, summary="Merge a contact into this one")
def merge_contacts(request: HttpRequest, contact_id: UUID, body: Merging) -> HttpResponse:
    """Addresses, numbers and labels of both are kept; timelines, enquiries and deals follow."""
    here = accounts.permit(request, "records.write")
    kept = _row(here.agency_id, contact_id)
    with api.refusing(
        {queries.NoSuchContact: ("invalid", "/other_id"), services.CannotMerge: ("invalid", "/other_id")}
    ):
        other = queries.contact(here.agency_id, body.other_id)
        # In the order in which a merge takes them.
        for id in sorted({kept.id, other.id}):
            services.lock_contact(agency_id=here.agency_id, contact_id=id)
        api.expect(request, _contact(_row(here.agency_id, kept.id)))
        merge_id = services.merge_contacts(
            agency_id=here.agency_id,
            keep_id=kept.id,
            alias_id=other.id,
            take=list(map(str, body.take)),
            by=here.member_id,
            now=dt.datetime.now(dt.UTC),
        )
    return api.answer(request, Merge(id=merge_id, contact_id=kept.id))


@router.post("/{uuid:contact_id}/unmerge/{uuid:merge_id}", response=Merge, summary="Take a merge back")
def unmerge_contacts(request: HttpRequest, contact_id: UUID, merge_id: UUID) -> HttpResponse:
    """`contact_id` in the answer is the contact that stands alone again. What was changed since then stays."""
    here = accounts.permit(request, "records.write")
    kept = _row(here.agency_id, contact_id)
    with api.refusing(REFUSALS):
        services.lock_contact(agency_id=here.agency_id, contact_id=kept.id)
    api.expect(request, _contact(_row(here.agency_id, kept.id)))
    last = queries.last_merge(here.agency_id, kept.id)
    try:
        if last is None or last.id != merge_id:
            raise services.CannotUnmerge
        alias_id = services.unmerge_contacts(
            agency_id=here.agency_id, merge_id=merge_id, by=here.member_id, now=dt.datetime.now(dt.UTC)
        )
    except services.CannotUnmerge:
        raise Refused("conflict", "There is no such merge, it was taken back, or a later one lies on top.") from None
    return api.answer(request, Merge(id=merge_id, contact_id=alias_id))
