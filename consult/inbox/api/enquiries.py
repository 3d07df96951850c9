"""Enquiries, what staff do with them, and their notes."""

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from ninja import Query
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, StrictBool

from consult.accounts import queries as accounts
from consult.core import api
from consult.core.errors import Refused
from consult.inbox import queries, rules, services

enquiries = api.Router(tags=["Enquiries"])

REFUSALS = {
    services.NoSuchEnquiry: ("not_found", ""),
    services.NoSuchMember: ("invalid", "/member_id"),
    services.EmptyNote: ("invalid", "/body"),
    services.NotAhead: ("invalid", "/until"),
    services.NothingTyped: ("invalid", "/message"),
    services.NoSuchForm: ("invalid", "/form_id"),
    services.TooManyLabels: ("invalid", "/labels"),
    services.NothingChosen: ("invalid", ""),
    services.NotThere: ("invalid", ""),
    ValueError: ("invalid", ""),
}
type EnquiryStatus = Literal["open", "waiting", "snoozed", "closed", "held", "spam"]
HIGHEST = 2**63 - 1
LONGEST_SNOOZE = dt.timedelta(days=366)


def _text(value: object) -> object:
    # pydantic would take a number for seconds since 1970.
    if not isinstance(value, str):
        raise ValueError("This is a text, such as 2027-01-31T08:00:00Z.")
    return value


def _address(text: str) -> str:
    if text and not rules.clean_address(text):
        raise ValueError("This is no e-mail address. Leave it empty when there is none.")
    return text


class Reason(api.Shape):
    """What speaks for or against spam, with its points."""

    code: str
    points: int


class Enquiry(api.Shape):
    """What staff work on. `number` counts up within the agency and is its address."""

    id: UUID
    number: int
    status: EnquiryStatus
    sender_name: str
    sender_email: str
    subject: str
    excerpt: str
    form_id: UUID | None
    submission_id: UUID | None
    assignee_id: UUID | None
    score: int
    reasons: list[Reason]
    received_at: dt.datetime
    closed_at: dt.datetime | None
    close_reason: str
    waiting_since: Annotated[dt.datetime | None, Field(description="Since when the next word is the sender's.")]
    snoozed_until: dt.datetime | None
    first_answer_at: dt.datetime | None
    contact_id: UUID | None
    company_id: UUID | None
    deal_id: UUID | None
    labels: list[str]


class Note(api.Shape):
    """What staff tell each other about an enquiry; the sender never sees it."""

    id: UUID
    author_id: Annotated[UUID | None, Field(description="A member; null: the agency's own token.")]
    body: Annotated[str, Field(description="Members who are mentioned in it stand there as `@name`.")]
    created_at: dt.datetime


class NoteInput(api.Input):
    body: Annotated[str, Field(min_length=1, max_length=50_000, examples=["Called back, they want Tuesday."])]


class Assignment(api.Input):
    member_id: Annotated[UUID | None, Field(description="Null takes it from its assignee.")]


class Labels(api.Input):
    """Everything that it bears afterwards. A name that is not there yet makes a label."""

    labels: Annotated[
        list[Annotated[api.Line, Field(max_length=50)]], Field(max_length=20, examples=[["Urgent", "Wedding"]])
    ]


class Closing(api.Input):
    reason: Annotated[
        Literal["", "answered", "no_answer_needed", "no_answer_came", "duplicate", "not_for_us"],
        Field(examples=["answered"]),
    ] = ""


class Snooze(api.Input):
    until: Annotated[
        Annotated[AwareDatetime, BeforeValidator(_text)],
        Field(description="A moment ahead, within a year.", examples=["2027-01-31T08:00:00Z"]),
    ]


class Conversion(api.Input):
    """What it is to become: for each an id that is there, or what a new one is called; neither: none."""

    contact_id: UUID | None = None
    contact_name: Annotated[api.Words, Field(max_length=200)] = ""
    email: Annotated[api.Words, Field(max_length=320), AfterValidator(_address)] = ""
    phone: Annotated[api.Words, Field(max_length=50)] = ""
    company_id: UUID | None = None
    company_name: Annotated[api.Words, Field(max_length=200, examples=["Rosa GmbH"])] = ""
    deal_title: Annotated[api.Words, Field(max_length=200)] = ""
    project_id: Annotated[UUID | None, Field(description="Where a task of `task_title` is made.")] = None
    task_title: Annotated[api.Words, Field(max_length=200)] = ""
    even_if_known: Annotated[
        StrictBool, Field(description="Make a new contact although one has this address; 409 otherwise.")
    ] = False


class TypedIn(api.Input):
    """What somebody told staff: on the phone, at the door."""

    form_id: UUID
    channel: Literal["phone", "walk-in", "e-mail", "chat", "other"]
    message: Annotated[str, Field(max_length=20_000, examples=["Wants a new shop; call back on Tuesday."])]
    name: Annotated[api.Words, Field(max_length=200)] = ""
    email: Annotated[api.Words, Field(max_length=320), AfterValidator(_address)] = ""
    phone: Annotated[api.Words, Field(max_length=50)] = ""
    company: Annotated[api.Words, Field(max_length=200)] = ""


class Wanted(api.Paging):
    status: EnquiryStatus | None = None
    assignee: Annotated[
        UUID | Literal["none"] | None, Field(description="A member's id, or `none` for unassigned ones.")
    ] = None
    form_id: UUID | None = None
    client_id: UUID | None = None
    label_id: UUID | None = None
    q: Annotated[str, Field(max_length=200, description="Name, address, text, number or receipt.")] = ""


def _enquiry(row: queries.Record) -> Enquiry:
    return Enquiry(
        **{name: each for name, each in vars(row).items() if name != "reasons"},
        reasons=[Reason(code=reason["code"], points=reason["points"]) for reason in row.reasons],
    )


def found(agency_id: int, number: int) -> Enquiry:
    row = queries.record(agency_id, number) if number <= HIGHEST else None
    if row is None:
        raise Http404
    return _enquiry(row)


NO_REASON = Closing()


@enquiries.get("", response=api.Listed[Enquiry], summary="List enquiries")
def list_enquiries(request: HttpRequest, wanted: Query[Wanted]) -> HttpResponse:
    """The agency's enquiries, the latest number first."""
    here = accounts.permit(request, "records.read")
    before = api.cursor(request, wanted, int)
    rows = queries.enquiries_before(
        here.agency_id,
        before[0] if before else None,
        wanted.limit + 1,
        status=wanted.status or "",
        assignee_id=wanted.assignee if isinstance(wanted.assignee, UUID) else None,
        unassigned=wanted.assignee == "none",
        form_id=wanted.form_id,
        client_id=wanted.client_id,
        label_id=wanted.label_id,
        search=wanted.q,
    )
    return api.listed(request, rows, wanted, shape=_enquiry, place=lambda row: (row.number,))


@enquiries.get("/{int:number}", response=Enquiry, summary="Show an enquiry")
def show_enquiry(request: HttpRequest, number: int) -> HttpResponse:
    here = accounts.permit(request, "records.read")
    return api.answer(request, found(here.agency_id, number))


def _change(request: HttpRequest, number: int, change: Callable[..., Any], **more: Any) -> HttpResponse:
    """Let somebody who may write make a change, and answer with the enquiry as it is then."""
    here = accounts.permit(request, "records.write")
    found(here.agency_id, number)
    with api.refusing(REFUSALS):
        services.lock_enquiry(agency_id=here.agency_id, number=number)
        api.expect(request, found(here.agency_id, number))
        change(agency_id=here.agency_id, number=number, by=here.member_id, **more)
    return api.answer(request, found(here.agency_id, number))


@enquiries.post("/{int:number}/close", response=Enquiry, summary="Close an enquiry")
def close_enquiry(request: HttpRequest, number: int, body: Closing = NO_REASON) -> HttpResponse:
    """What is open, waiting or snoozed is closed; any other stays as it is. Without a body: for no reason."""
    return _change(request, number, services.close_enquiry, now=dt.datetime.now(dt.UTC), reason=body.reason)


@enquiries.post("/{int:number}/wait", response=Enquiry, summary="Wait for the sender")
def wait_enquiry(request: HttpRequest, number: int) -> HttpResponse:
    """The sender has been answered and has the next word: open or snoozed becomes waiting, any other stays."""
    return _change(request, number, services.wait_enquiry, now=dt.datetime.now(dt.UTC))


@enquiries.post("/{int:number}/snooze", response=Enquiry, summary="Put an enquiry away")
def snooze_enquiry(request: HttpRequest, number: int, body: Snooze) -> HttpResponse:
    """What is open, waiting or snoozed is put away until then; any other stays as it is."""
    now = dt.datetime.now(dt.UTC)
    if body.until > now + LONGEST_SNOOZE:
        raise Refused("invalid", errors=[{"pointer": "/until", "code": "invalid", "detail": "At most a year ahead."}])
    return _change(request, number, services.snooze_enquiry, now=now, until=body.until.astimezone(dt.UTC))


@enquiries.post("/{int:number}/reopen", response=Enquiry, summary="Open an enquiry again")
def reopen_enquiry(request: HttpRequest, number: int) -> HttpResponse:
    """What is closed, waiting or snoozed is opened; any other stays as it is."""
    return _change(request, number, services.reopen_enquiry)


@enquiries.post("/{int:number}/restore", response=Enquiry, summary="Restore an enquiry")
def restore_enquiry(request: HttpRequest, number: int) -> HttpResponse:
    """What is held or taken for spam is opened, and delivered unless that was done before; any other stays as it is."""
    return _change(request, number, services.restore_enquiry, now=dt.datetime.now(dt.UTC))


@enquiries.post("/{int:number}/spam", response=Enquiry, summary="Confirm spam")
def confirm_spam(request: HttpRequest, number: int) -> HttpResponse:
    """What is held, open, waiting or snoozed goes to the spam; a closed one stays as it is."""
    return _change(request, number, services.confirm_spam, now=dt.datetime.now(dt.UTC))


@enquiries.post("/{int:number}/assign", response=Enquiry, summary="Assign an enquiry")
def assign_enquiry(request: HttpRequest, number: int, body: Assignment) -> HttpResponse:
    """Give it to a member, or to nobody."""
    return _change(request, number, services.assign_enquiry, member_id=body.member_id)


@enquiries.put("/{int:number}/labels", response=Enquiry, summary="Label an enquiry")
def label_enquiry(request: HttpRequest, number: int, body: Labels) -> HttpResponse:
    """These labels and no others; an empty list takes all. The words are the CRM's (`/labels`)."""
    return _change(request, number, services.label_enquiry, names=body.labels)


@enquiries.post("/{int:number}/convert", response=Enquiry, summary="Convert an enquiry")
def convert_enquiry(request: HttpRequest, number: int, body: Conversion) -> HttpResponse:
    """Make and link contact, company, deal and task at once, or nothing. What it is linked to already stays."""
    plan = services.Plan(**dict(body))
    try:
        return _change(request, number, services.convert_enquiry, now=dt.datetime.now(dt.UTC), plan=plan)
    except services.KnownMeanwhile as known:
        raise Refused("conflict", "A contact has this address already: name it, or say even_if_known.") from known


@enquiries.post("", response={201: Enquiry}, summary="Type an enquiry in")
def type_in_enquiry(request: HttpRequest, body: TypedIn) -> HttpResponse:
    """It gets a submission with a receipt like any other, and nobody is written to."""
    here = accounts.permit(request, "records.write")
    with api.refusing(REFUSALS):
        number = services.type_in_enquiry(
            agency_id=here.agency_id, id=uuid.uuid4(), by=here.member_id, now=dt.datetime.now(dt.UTC), **dict(body)
        )
    shown = found(here.agency_id, number)
    return api.answer(request, shown, status=201, location=f"/api/v1/enquiries/{number}")


@enquiries.get("/{int:number}/notes", response=api.Listed[Note], summary="List an enquiry's notes")
def list_notes(request: HttpRequest, number: int, paging: Query[api.Paging]) -> HttpResponse:
    """The oldest first."""
    here = accounts.permit(request, "records.read")
    enquiry = found(here.agency_id, number)
    after = api.cursor(request, paging, UUID)
    rows = queries.notes_after(here.agency_id, enquiry.id, after[0] if after else None, paging.limit + 1)
    names = accounts.member_names(here.agency_id)
    return api.listed(request, rows, paging, shape=lambda row: _note(row, names), place=lambda row: (row.id,))


@enquiries.post("/{int:number}/notes", response={201: Note}, summary="Add a note")
def add_note(request: HttpRequest, number: int, body: NoteInput) -> HttpResponse:
    """A member whose name stands in it behind an `@` is told of it."""
    here = accounts.permit(request, "records.write")
    enquiry = found(here.agency_id, number)
    with api.refusing(REFUSALS):
        note_id = services.add_note(agency_id=here.agency_id, number=number, body=body.body, by=here.member_id)
    row = queries.note(here.agency_id, enquiry.id, note_id)
    if row is None:
        raise Http404
    return api.answer(request, _note(row, accounts.member_names(here.agency_id)), status=201)


def _note(row: queries.Noted, names: Mapping[UUID, str]) -> Note:
    return Note(**{**vars(row), "body": accounts.spelled(row.body, names)})
