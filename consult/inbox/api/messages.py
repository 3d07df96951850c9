"""An enquiry's e-mails: those that were written and came in, a reply, and taking it back."""

import contextlib
import datetime as dt
from collections.abc import Iterator
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import Query
from pydantic import Base64Bytes, Field

from consult.accounts import queries as accounts
from consult.core import api, downloads, files
from consult.core.errors import Refused
from consult.inbox import queries, services
from consult.inbox.api.enquiries import Enquiry
from consult.inbox.api.enquiries import found as found_enquiry

messages = api.Router(tags=["Messages"])
attachments = api.Router(tags=["Messages"])
mails = api.Router(tags=["Messages"])

REFUSALS = {
    services.NoSuchEnquiry: ("not_found", ""),
    services.NoSuchMessage: ("not_found", ""),
    services.NoSuchMail: ("not_found", ""),
    services.NoSuchForm: ("invalid", "/form_id"),
    services.UnreadableMail: ("conflict", ""),
    services.TooManyFiles: ("invalid", "/attachments"),
    services.TooLate: ("conflict", ""),
    services.NotAnswerable: ("conflict", ""),
    services.NoAddress: ("conflict", ""),
    services.TooManyReplies: ("conflict", ""),
    services.EmptyReply: ("invalid", "/text"),
    services.TooLongReply: ("invalid", "/text"),
}


class Attachment(api.Shape):
    """A file that goes or came with a message; its bytes are at /api/v1/attachments/{id}."""

    id: UUID
    name: str
    media_type: str
    size: int


class Message(api.Shape):
    """An e-mail between the agency and the sender of an enquiry."""

    id: UUID
    direction: Literal["out", "in"]
    state: Annotated[
        Literal["queued", "sending", "sent", "failed", "undone", "bounced", "received"],
        Field(description="`undone`: taken back before it went out, a draft."),
    ]
    kind: Annotated[
        Literal["answer", "auto", "bounce"],
        Field(description="Of what came in: by a person, a program, a mail server."),
    ]
    member_id: UUID | None
    subject: str
    text: str
    from_address: str
    to_address: str
    attachments: list[Attachment]
    due_at: Annotated[dt.datetime | None, Field(description="When it goes out, or was to.")]
    sent_at: dt.datetime | None
    created_at: dt.datetime


class AttachmentInput(api.Input):
    """A file that goes with a reply; at most 10, 7 MB together."""

    name: Annotated[api.Line, Field(max_length=200, examples=["offer.pdf"])]
    media_type: Annotated[api.Line, Field(max_length=120, examples=["application/pdf"])] = "application/octet-stream"
    content: Annotated[Base64Bytes, Field(max_length=10_000_000, description="In base64.", examples=["SGVsbG8="])]


class MailOpening(api.Input):
    form_id: Annotated[UUID, Field(description="The form that the enquiry belongs to.")]


class ReplyInput(api.Input):
    text: Annotated[str, Field(min_length=1, max_length=50_000, examples=["Thank you, we call you on Tuesday."])]
    subject: Annotated[api.Words, Field(max_length=180, description="Empty: `Re:` and the enquiry's own.")] = ""
    attachments: Annotated[list[AttachmentInput], Field(max_length=10)] = []


class Mail(api.Shape):
    """A mail that came in and belongs to nothing that could be told."""

    id: UUID
    reason: Annotated[str, Field(description="Such as `nobody`, `unreadable`, `too_many`, `automatic`.")]
    from_address: str
    subject: str
    size: int
    created_at: dt.datetime


def _message(row: queries.Message) -> Message:
    shown = {name: value for name, value in vars(row).items() if name in Message.model_fields}
    return Message(
        **shown,
        attachments=[
            Attachment(id=each.id, name=each.name, media_type=each.media_type, size=each.size) for each in row.files
        ],
    )


def _found(agency_id: int, number: int, message_id: UUID) -> Message:
    row = queries.message(agency_id, found_enquiry(agency_id, number).id, message_id)
    if row is None:
        raise Http404
    return _message(row)


@messages.get("/{int:number}/messages", response=api.Listed[Message], summary="List an enquiry's e-mails")
def list_messages(request: HttpRequest, number: int, paging: Query[api.Paging]) -> HttpResponse:
    """The oldest first; drafts among them."""
    here = accounts.permit(request, "records.read")
    enquiry = found_enquiry(here.agency_id, number)
    after = api.cursor(request, paging, UUID)
    rows = queries.messages_after(here.agency_id, enquiry.id, after[0] if after else None, paging.limit + 1)
    return api.listed(request, rows, paging, shape=_message, place=lambda row: (row.id,))


@messages.post("/{int:number}/messages", response={201: Message}, summary="Reply to an enquiry")
def send_reply(request: HttpRequest, number: int, body: ReplyInput) -> HttpResponse:
    """It goes out to the sender ten seconds later; until then it can be taken back. The enquiry waits from now on.

    If-Match: the ETag of the enquiry; 412 when somebody has changed it since.
    """
    here = accounts.permit(request, "records.write")
    found_enquiry(here.agency_id, number)
    with api.refusing(REFUSALS), _storing():
        services.lock_enquiry(agency_id=here.agency_id, number=number)
        api.expect(request, found_enquiry(here.agency_id, number))
        queued = services.send_reply(
            agency_id=here.agency_id,
            number=number,
            text=body.text.replace("\0", "�"),
            subject=body.subject,
            uploads=[services.Upload(each.name, each.media_type, each.content) for each in body.attachments],
            by=here.member_id,
            now=dt.datetime.now(dt.UTC),
        )
    return api.answer(request, _found(here.agency_id, number, queued.id), status=201)


@contextlib.contextmanager
def _storing() -> Iterator[None]:
    try:
        yield
    except files.Away:
        raise Refused("unavailable", "The storage of files does not answer.", headers={"Retry-After": "5"}) from None


@messages.post("/{int:number}/messages/{uuid:message_id}/undo", response=Message, summary="Take a reply back")
def undo_reply(request: HttpRequest, number: int, message_id: UUID) -> HttpResponse:
    """What has not gone out becomes a draft again, and the enquiry what it was; 409 when it is on its way."""
    return _change(request, number, message_id, services.undo_reply)


@messages.post("/{int:number}/messages/{uuid:message_id}/retry", response=Message, summary="Send a reply once more")
def retry_reply(request: HttpRequest, number: int, message_id: UUID) -> HttpResponse:
    """What failed or came back is sent again at once; 409 for any other."""
    return _change(request, number, message_id, services.retry_reply, now=dt.datetime.now(dt.UTC))


def _change(request: HttpRequest, number: int, message_id: UUID, change: Any, **more: Any) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    _found(here.agency_id, number, message_id)
    with api.refusing(REFUSALS):
        services.lock_enquiry(agency_id=here.agency_id, number=number)
        api.expect(request, _found(here.agency_id, number, message_id))
        change(agency_id=here.agency_id, number=number, message_id=message_id, by=here.member_id, **more)
    return api.answer(request, _found(here.agency_id, number, message_id))


@attachments.get(
    "/{uuid:attachment_id}",
    response={200: None},
    openapi_extra=api.gives_bytes(api.MEDIA_TYPE),
    summary="Download a file of an e-mail",
)
def download_attachment(request: HttpRequest, attachment_id: UUID) -> StreamingHttpResponse:
    here = accounts.permit(request, "records.read")
    found = queries.attachment(here.agency_id, attachment_id)
    if found is None:
        raise Http404
    return _bytes(found.location, found.name, found.size)


@mails.get("", response=api.Listed[Mail], summary="List e-mails set aside")
def list_mails(request: HttpRequest, paging: Query[api.Paging]) -> HttpResponse:
    """Those that nobody has settled, the latest first."""
    here = accounts.permit(request, "records.read")
    before = api.cursor(request, paging, UUID)
    rows = queries.mails_aside(here.agency_id, paging.limit + 1, before=before[0] if before else None)
    return api.listed(request, rows, paging, shape=_mail, place=lambda row: (row.id,))


def _mail(row: queries.SetAside) -> Mail:
    return Mail(**{name: value for name, value in vars(row).items() if name in Mail.model_fields})


@mails.get(
    "/{uuid:mail_id}/raw",
    response={200: None},
    openapi_extra=api.gives_bytes(api.MEDIA_TYPE),
    summary="Download an e-mail as it came",
)
def download_mail(request: HttpRequest, mail_id: UUID) -> StreamingHttpResponse:
    here = accounts.permit(request, "records.read")
    found = queries.mail_location(here.agency_id, mail_id)
    if found is None:
        raise Http404
    return _bytes(found[0], f"{mail_id}.eml", found[1])


@mails.post("/{uuid:mail_id}/dismiss", response={204: None}, summary="Settle an e-mail that is set aside")
def dismiss_mail(request: HttpRequest, mail_id: UUID) -> HttpResponse:
    """It stays stored, and is not listed any more."""
    here = accounts.permit(request, "records.write")
    with api.refusing(REFUSALS):
        services.dismiss_mail(agency_id=here.agency_id, mail_id=mail_id, by=here.member_id, now=dt.datetime.now(dt.UTC))
    return HttpResponse(status=204)


@mails.post("/{uuid:mail_id}/open", response={201: Enquiry}, summary="Make an enquiry of an e-mail that is set aside")
def open_mail(request: HttpRequest, mail_id: UUID, body: MailOpening) -> HttpResponse:
    """By the way of what is typed in: with a submission and its receipt; the mail is its first message."""
    here = accounts.permit(request, "records.write")
    with api.refusing(REFUSALS), _storing():
        number = services.open_mail(
            agency_id=here.agency_id,
            mail_id=mail_id,
            form_id=body.form_id,
            by=here.member_id,
            now=dt.datetime.now(dt.UTC),
        )
    shown = found_enquiry(here.agency_id, number)
    return api.answer(request, shown, status=201, location=f"/api/v1/enquiries/{number}")


def _bytes(location: str, name: str, size: int) -> StreamingHttpResponse:
    try:
        content = files.read(location)
    except files.Missing:
        raise Http404 from None
    except files.Away:
        raise Refused("unavailable", "The storage of files does not answer.", headers={"Retry-After": "5"}) from None
    return downloads.attachment(content, name=name, media_type=api.MEDIA_TYPE, size=size)
