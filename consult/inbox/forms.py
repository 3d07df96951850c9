"""HTML input of the inbox to clean values. What cannot be read is a BadRequest where leaving it out would mislead."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import multipart
from django import forms
from django.core.exceptions import BadRequest
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from consult.accounts import queries as accounts
from consult.inbox import rules, services

Filters = rules.Filters
filters = rules.filters


def as_query(posted: Mapping[str, str]) -> Mapping[str, str]:
    """Return the filters of the list that a form was sent from: its address stands in the field `query`."""
    return QueryDict(posted.get("query", ""))


def seen(posted: Mapping[str, str]) -> int | None:
    """Return the version of the enquiry that the person looked at; None when the page did not say."""
    text = posted.get("seen", "")
    if not text:
        return None
    if not text.isdecimal() or len(text) > 9:
        raise BadRequest(_("The version is not a number."))
    return int(text)


def version(text: str) -> int | None:
    """Return the version that an address names; None when it names none."""
    return int(text) if text.isdecimal() and len(text) <= 9 else None


def chosen(texts: Iterable[str]) -> list[tuple[int, int | None]]:
    """Return (number, version) of lines such as 12:5; the version may be missing."""
    found = []
    for text in texts:
        number, _colon, version = text.partition(":")
        if not number.isdecimal() or len(number) > 17 or (version and (not version.isdecimal() or len(version) > 9)):
            raise BadRequest(_("Enquiries are named by number and version."))
        found.append((int(number), int(version) if version else None))
    return found


LABELS_WRONG = gettext_lazy("At most 20 labels, each of at most 50 characters.")


def labels(posted: Mapping[str, str]) -> list[str]:
    """Return the labels that were typed, separated by commas. Postgres text holds no NUL."""
    return [name for name in posted.get("labels", "").replace("\0", "").split(",") if name.strip()]


def reason(posted: Mapping[str, str]) -> str:
    text = posted.get("reason", "")
    if text not in services.CLOSE_REASONS:
        raise BadRequest(_("There is no such reason."))
    return text


def until(posted: Mapping[str, str]) -> Any:
    """Return when a snooze ends, in the reader's own zone: a day that was picked goes before a choice."""
    found = rules.snooze_until(posted.get("day", "") or posted.get("until", ""), timezone.localtime())
    if found is None:
        raise BadRequest(_("Choose a day that lies ahead, within a year."))
    return found


def member(posted: Mapping[str, str]) -> UUID | None:
    """Return the chosen member; None stands for nobody."""
    text = posted.get("member", "")
    if text and not rules.is_uuid(text):
        raise BadRequest(_("This agency has no such member."))
    return UUID(text) if text else None


AGES = {
    "1d": gettext_noop("The last 24 hours"),
    "7d": gettext_noop("The last 7 days"),
    "over1d": gettext_noop("Older than a day"),
    "over3d": gettext_noop("Older than 3 days"),
    "over7d": gettext_noop("Older than 7 days"),
    "over30d": gettext_noop("Older than 30 days"),
}


def narrowing(
    choices: Mapping[str, list[tuple[str, str]]], members: Sequence[accounts.Person], said: rules.Filters
) -> list[dict[str, Any]]:
    """Return the selects above the list: name, label, value, options. One that offers no choice is left out."""
    people = [(rules.NOBODY_YET, _("Nobody yet")), *((str(person.id), person.name) for person in members)]
    ages = [(age, _(words)) for age, words in AGES.items()]
    found = [
        {"name": "site", "label": _("Site"), "value": said.site, "options": choices["sites"]},
        {"name": "form", "label": _("Form"), "value": said.form, "options": choices["forms"]},
        {"name": "client", "label": _("Client"), "value": said.client, "options": choices["clients"]},
        {"name": "assignee", "label": _("Assignee"), "value": said.assignee, "options": people},
        {"name": "label", "label": _("Label"), "value": said.label, "options": choices["labels"]},
        {"name": "age", "label": _("Age"), "value": said.age, "options": ages},
    ]
    # One label is a choice as well: not all bear it.
    return [each for each in found if len(each["options"]) > (0 if each["name"] == "label" else 1) or each["value"]]


CHANNELS = (
    ("phone", gettext_lazy("Phone call")),
    ("walk-in", gettext_lazy("At the door")),
    ("e-mail", gettext_lazy("E-mail")),
    ("chat", gettext_lazy("Chat or message")),
    ("other", gettext_lazy("Something else")),
)


class TypedIn(forms.Form):
    """What somebody told staff. The text may be pasted from anywhere."""

    # The submission's id, made with the page: the same sent twice is one.
    id = forms.UUIDField(widget=forms.HiddenInput)
    message = forms.CharField(
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 6}),
        label=gettext_lazy("What they said"),
        help_text=gettext_lazy(
            "Type it, or paste it from anywhere. A single e-mail address in it becomes the sender’s."
        ),
    )
    name = forms.CharField(max_length=200, required=False, label=gettext_lazy("Name"))
    email = forms.CharField(max_length=320, required=False, label=gettext_lazy("E-mail"))
    phone = forms.CharField(max_length=50, required=False, label=gettext_lazy("Phone"))
    company = forms.CharField(max_length=200, required=False, label=gettext_lazy("Company"))
    channel = forms.ChoiceField(choices=CHANNELS, label=gettext_lazy("How it came"))
    form_id = forms.ChoiceField(label=gettext_lazy("Belongs to"))

    def __init__(self, *args: Any, choices: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["form_id"].choices = list(choices)  # type: ignore[attr-defined]

    def clean_email(self) -> str:
        text = str(self.cleaned_data["email"]).strip()
        if text and not rules.clean_address(text):
            raise forms.ValidationError(_("This is no e-mail address. Leave it empty when there is none."))
        return text

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if not any(
            (said.get("name"), said.get("email"), said.get("phone"), rules.find_address(said.get("message", "")))
        ):
            self.add_error("name", _("Say who it was: a name, an e-mail address or a phone number."))
        return said


class Convert(forms.Form):
    """What an enquiry is to become. `contact` and `company` hold an id, `new`, or nothing for none."""

    contact = forms.CharField(required=False)
    contact_name = forms.CharField(max_length=200, required=False, label=gettext_lazy("Name"))
    email = forms.CharField(max_length=320, required=False, label=gettext_lazy("E-mail"))
    phone = forms.CharField(max_length=50, required=False, label=gettext_lazy("Phone"))
    company = forms.CharField(required=False)
    company_name = forms.CharField(max_length=200, required=False, label=gettext_lazy("Company’s name"))
    deal = forms.BooleanField(required=False)
    deal_title = forms.CharField(max_length=200, required=False, label=gettext_lazy("What the deal is about"))
    task = forms.BooleanField(required=False)
    project = forms.CharField(required=False, label=gettext_lazy("Project"))
    task_title = forms.CharField(max_length=200, required=False, label=gettext_lazy("What is to be done"))
    # How many candidates the page offered: who wants a new contact all the same gets one.
    offered = forms.IntegerField(required=False, min_value=0, max_value=100)

    def clean_email(self) -> str:
        text = str(self.cleaned_data["email"]).strip()
        if text and not rules.clean_address(text):
            raise forms.ValidationError(_("This is no e-mail address. Leave it empty when there is none."))
        return text

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        for name in ("contact", "company"):
            if said.get(name) not in ("", "new", None) and not rules.is_uuid(said[name]):
                raise forms.ValidationError(_("Choose one of those that are offered."))
        if said.get("contact") == "new" and not (said.get("contact_name") or said.get("email")):
            self.add_error("contact_name", _("A new contact needs a name or an e-mail address."))
        if said.get("company") == "new" and not said.get("company_name"):
            self.add_error("company_name", _("A new company needs a name."))
        if said.get("deal") and not said.get("deal_title"):
            self.add_error("deal_title", _("A deal needs a title."))
        if said.get("task") and not said.get("task_title"):
            self.add_error("task_title", _("A task needs a title."))
        if said.get("task") and not rules.is_uuid(said.get("project", "")):
            self.add_error("project", _("Choose the project that the task belongs to."))
        return said

    def plan(self) -> services.Plan:
        """Return the choice of a valid form."""
        said = self.cleaned_data
        new_contact, new_company = said["contact"] == "new", said["company"] == "new"
        return services.Plan(
            contact_id=UUID(said["contact"]) if said["contact"] and not new_contact else None,
            contact_name=said["contact_name"] if new_contact else "",
            email=said["email"] if new_contact else "",
            phone=said["phone"] if new_contact else "",
            company_id=UUID(said["company"]) if said["company"] and not new_company else None,
            company_name=said["company_name"] if new_company else "",
            deal_title=said["deal_title"] if said["deal"] else "",
            project_id=UUID(said["project"]) if said["task"] else None,
            task_title=said["task_title"] if said["task"] else "",
            even_if_known=bool(said["offered"]),
        )


# --- replies --------------------------------------------------------------------------------------------------------

# What each placeholder of a template stands for.
PLACEHOLDERS = {
    "name": gettext_lazy("the sender’s name"),
    "first_name": gettext_lazy("its first word"),
    "email": gettext_lazy("the sender’s address"),
    "subject": gettext_lazy("what they wrote about"),
    "number": gettext_lazy("the enquiry’s number"),
    "receipt": gettext_lazy("the receipt that they were given"),
    "site": gettext_lazy("the site that they wrote from"),
    "agency": gettext_lazy("your agency’s name"),
    "member": gettext_lazy("your own name"),
}


class Template(forms.Form):
    """A reply that is written often."""

    name = forms.CharField(max_length=60, label=gettext_lazy("Name"))
    body = forms.CharField(
        max_length=20_000, widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "true"}), label=gettext_lazy("Text")
    )

    def clean_body(self) -> str:
        text = str(self.cleaned_data["body"])
        if unknown := rules.unknown_placeholders(text):
            shown = ", ".join("{{ %s }}" % each[:40] for each in unknown[:5])  # noqa: UP031 (braces)
            known = ", ".join("{{ %s }}" % each for each in rules.PLACEHOLDERS)  # noqa: UP031
            raise forms.ValidationError(
                _("%(unknown)s stands for nothing. There are: %(known)s.") % {"unknown": shown, "known": known}
            )
        return text


@dataclasses.dataclass(frozen=True)
class Reply:
    """What somebody has sent from the reply form; `draft_id` names a draft whose files go with it."""

    subject: str
    text: str
    draft_id: UUID | None
    uploads: list[services.Upload]
    removed: list[UUID]


def reply(posted: QueryDict, sent_files: "MultiValueDict[str, UploadedFile[bytes]]") -> Reply:
    """Read the reply form. Postgres text holds no NUL."""
    draft = posted.get("draft", "")
    return Reply(
        subject=posted.get("subject", "").replace("\0", "�"),
        text=posted.get("text", "").replace("\0", "�"),
        draft_id=UUID(draft) if rules.is_uuid(draft) else None,
        uploads=[
            services.Upload(file.name or "", file.content_type or "", file.read())
            for file in sent_files.getlist("files")
        ],
        removed=[UUID(each) for each in posted.getlist("remove") if rules.is_uuid(each)],
    )


def with_text(reply: Reply, text: str) -> Reply:
    return dataclasses.replace(reply, text=text)


SECURITY = (
    ("tls", gettext_lazy("TLS (usual, port 993)")),
    ("starttls", gettext_lazy("STARTTLS (port 143)")),
    ("plain", gettext_lazy("None (only in this installation’s own network)")),
)


class Mailbox(forms.Form):
    """Where an agency's mail is fetched from."""

    address = forms.CharField(
        max_length=254,
        label=gettext_lazy("E-mail address"),
        help_text=gettext_lazy("Where answers to your replies are to go. Take a mailbox of its own, not a person’s."),
        widget=forms.EmailInput(attrs={"autocomplete": "off", "placeholder": ""}),
    )
    plus = forms.BooleanField(
        required=False,
        label=gettext_lazy("Mail to name+anything@ arrives there as well"),
        help_text=gettext_lazy(
            "Most servers do that. Answers are then known by their address, and each form has an address of its own."
        ),
    )
    host = forms.CharField(max_length=253, label=gettext_lazy("IMAP server"))
    port = forms.IntegerField(min_value=1, max_value=65535, label=gettext_lazy("Port"))
    security = forms.ChoiceField(choices=SECURITY, label=gettext_lazy("Encryption"))
    user = forms.CharField(max_length=320, label=gettext_lazy("User name"))
    password = forms.CharField(
        max_length=320,
        required=False,
        strip=False,
        label=gettext_lazy("Password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    folder = forms.CharField(max_length=200, label=gettext_lazy("Folder"))

    def clean_address(self) -> str:
        address = rules.clean_address(str(self.cleaned_data["address"]))
        if not address:
            raise forms.ValidationError(_("This is no e-mail address."))
        return address

    def clean_host(self) -> str:
        host = str(self.cleaned_data["host"]).strip()
        if not rules.is_host(host):
            raise forms.ValidationError(_("This is no name of a server, such as imap.example.com."))
        return host


MAIL_FIELDS = ("message", "email", "body-mime", "mime", "raw")


def mail_in(request: HttpRequest, body: bytes) -> bytes:
    """Return the mail that a hook was sent: the body, or what is in one of MAIL_FIELDS. Raise services.NoMail."""
    if request.content_type == "application/x-www-form-urlencoded":
        try:
            fields = parse_qs(body, max_num_fields=200)
        except ValueError:
            raise services.NoMail("fields") from None
        found = next((fields[name.encode()][0] for name in MAIL_FIELDS if name.encode() in fields), None)
    elif request.content_type == "multipart/form-data":
        found = _part_of(request.headers.get("Content-Type", ""), body)
    else:
        return body
    if found is None:
        raise services.NoMail("no field")
    return found


def _part_of(content_type: str, body: bytes) -> bytes | None:
    # Django's own reader takes no field of more than a megabyte.
    boundary = multipart.parse_options_header(content_type)[1].get("boundary", "")  # type: ignore[no-untyped-call]
    room = len(body) + 1
    reader = multipart.MultipartParser(BytesIO(body), boundary, spool_limit=room, memory_limit=room)  # type: ignore[no-untyped-call]
    try:
        return next((bytes(part.raw) for part in reader if part.name in MAIL_FIELDS), None)
    except multipart.MultipartError:
        return None
