"""HTML input of intake to clean values."""

import dataclasses
import re
from typing import Any, ClassVar

from django import forms
from django.core.validators import validate_email
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from consult.intake import queries, rules

ORIGINS_HELP = _(
    "One per line, such as https://example.com; empty means the site’s own. Posts from elsewhere are kept and marked."
)
TARGETS_HELP = _("Addresses a visitor may be sent to, one per line. The first is the default.")
NOTIFY_HELP = _("One e-mail address per line.")


class Site(forms.Form):
    name = forms.CharField(max_length=200, label=_("Name"))
    url = forms.URLField(max_length=500, label=_("Address"), assume_scheme="https")
    client_name = forms.CharField(
        max_length=200,
        required=False,
        label=_("Client"),
        help_text=_("Leave empty for the agency's own site."),
    )
    fallback_contact = forms.CharField(
        max_length=320,
        required=False,
        label=_("Another way to reach them"),
        help_text=_("A phone number or address. A visitor sees it only if a message cannot be stored at that moment."),
    )


class Form(forms.Form):
    """A form's settings; its fields come as rows field-<i>-label, -name, -type, -required, -options, -length,
    -position."""

    name = forms.CharField(max_length=200, label=_("Name"))
    notify_addresses = forms.CharField(
        required=False, widget=forms.Textarea, label=_("Notify by e-mail"), help_text=NOTIFY_HELP
    )
    auto_reply = forms.BooleanField(
        required=False,
        label=_("Answer the sender by e-mail"),
        help_text=_("A short mail with the receipt, to the address that the sender gave. Not for what is held."),
    )
    auto_reply_text = forms.CharField(
        required=False,
        max_length=5_000,
        widget=forms.Textarea,
        label=_("What the answer says"),
        help_text=_("Empty for a plain thank-you in the form's language."),
    )
    language = forms.ChoiceField(
        choices=queries.languages,
        label=_("Language"),
        help_text=_("Of the thank-you page, of errors and of the automatic answer."),
    )
    redirect_targets = forms.CharField(
        required=False, widget=forms.Textarea, label=_("Thank-you pages"), help_text=TARGETS_HELP
    )
    allowed_origins = forms.CharField(
        required=False, widget=forms.Textarea, label=_("Allowed origins"), help_text=ORIGINS_HELP
    )
    file_count = forms.IntegerField(
        min_value=0, max_value=rules.MOST_FILES, label=_("Files at most"), help_text=_("0: this form takes no files.")
    )
    file_megabytes = forms.IntegerField(min_value=1, max_value=rules.MOST_MEGABYTES, label=_("One file, MB"))
    file_total = forms.IntegerField(min_value=1, max_value=rules.MOST_MEGABYTES, label=_("All together, MB"))
    file_kinds = forms.MultipleChoiceField(
        required=False,
        choices=[(kind, label) for kind, (label, _types) in rules.FILE_KINDS.items()],
        widget=forms.CheckboxSelectMultiple,
        label=_("Kinds of files"),
        help_text=_("None ticked: anything. Looked at by content, not by name."),
    )
    hold_score = forms.IntegerField(
        min_value=1,
        max_value=1000,
        label=_("Hold from, points"),
        help_text=_("What looks like spam collects points. From here on it waits under “Held” and nobody is notified."),
    )
    honeypot = forms.CharField(
        required=False,
        max_length=63,
        label=_("Name of the hidden field"),
        help_text=_("People do not see it; programs fill it in. Change it when they have learned it."),
    )
    proof_of_work = forms.BooleanField(
        required=False,
        label=_("Ask browsers for a proof of work"),
        help_text=_("A second of computing before sending. Whoever has no scripts may still send."),
    )
    address_limit = forms.CharField(
        max_length=30, label=_("Limit per address"), help_text=_("Such as 20/minute or 5/10 minutes.")
    )
    form_limit = forms.CharField(max_length=30, label=_("Limit for the form"), help_text=_("Such as 600/minute."))
    over_limit = forms.ChoiceField(
        choices=[("hold", _("Hold it")), ("refuse", _("Refuse it: “try again later”"))], label=_("Beyond a limit")
    )
    daily_cap = forms.IntegerField(
        min_value=1, max_value=10_000_000, label=_("Most in a day"), help_text=_("Refused beyond it, always.")
    )
    keep_address_days = forms.IntegerField(
        min_value=0,
        max_value=3650,
        label=_("Keep senders' addresses, days"),
        help_text=_("Their network addresses (IP). After that only the network is kept, no longer the person."),
    )

    keep_days = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=3650,
        label=_("Keep submissions, days"),
        help_text=_(
            "After that their content is erased for good, with files, e-mails and notes, and open ones are closed."
            " Counts, and what became of them (contacts, deals), stay. Empty: kept until somebody erases them."
        ),
    )
    keep_held_days = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=3650,
        label=_("Keep held ones and spam, days"),
        help_text=_("Sooner than the others. Empty: like the others."),
    )

    SECTIONS: ClassVar[list[tuple[str, Any, tuple[str, ...]]]] = [
        ("people", _("Who hears of it"), ("notify_addresses", "auto_reply", "auto_reply_text", "language")),
        ("where", _("Where it stands"), ("redirect_targets", "allowed_origins")),
        ("files", _("Files"), ("file_count", "file_megabytes", "file_total", "file_kinds")),
        (
            "spam",
            _("Spam and limits"),
            ("hold_score", "honeypot", "proof_of_work", "address_limit", "form_limit", "over_limit", "daily_cap"),
        ),
        ("privacy", _("Privacy"), ("keep_address_days", "keep_days", "keep_held_days")),
    ]

    def __init__(self, data: QueryDict | None = None, *, initial: dict[str, Any] | None = None) -> None:
        initial = initial or {}
        lines = ("allowed_origins", "redirect_targets", "notify_addresses")
        shown = {name: "\n".join(initial.get(name, [])) for name in lines}
        files = initial.get("files") or {"bytes": 10 * rules.MEGABYTE, "total": 20 * rules.MEGABYTE}
        super().__init__(
            data,
            initial={
                **dataclasses.asdict(initial.get("settings") or rules.Settings()),
                "name": initial.get("name", ""),
                "honeypot": initial.get("honeypot", rules.HONEYPOT),
                "file_count": files.get("count", 0),
                "file_megabytes": files["bytes"] // rules.MEGABYTE,
                "file_total": files["total"] // rules.MEGABYTE,
                "file_kinds": rules.file_kinds(files.get("types", [])),
                **shown,
            },
        )
        # What is left out of a post stays as it is: scripts and old tabs send what they know.
        self._left_out(data)
        self.rows = field_rows(data) if data is not None else list(initial.get("fields", rules.CONTACT_FIELDS))
        self.now = initial.get("now") or queries.in_words(rules.Settings())

    def _left_out(self, data: QueryDict | None) -> None:
        if data is None:
            return
        filled = data.copy()
        # Boxes that are not ticked are left out by every browser.
        ticks = {"auto_reply", "proof_of_work", "file_kinds"}
        for name in self.fields.keys() - data.keys() - ticks - {"name"}:
            filled[name] = "" if self.initial[name] is None else self.initial[name]
        self.data = filled

    def sections(self) -> list[dict[str, Any]]:
        """Everything beside name and fields, in groups: id, title, now (what is set, in words), fields, open."""
        return [
            {
                "id": id,
                "title": title,
                "now": self.now[id],
                "fields": [self[name] for name in names],
                "open": any(name in self.errors for name in names),
            }
            for id, title, names in self.SECTIONS
        ]

    def clean_allowed_origins(self) -> list[str]:
        return self._each("allowed_origins", rules.clean_origin)

    def clean_redirect_targets(self) -> list[str]:
        return self._each("redirect_targets", rules.clean_target)

    def clean_notify_addresses(self) -> list[str]:
        addresses = _lines(self.cleaned_data["notify_addresses"])
        for address in addresses:
            validate_email(address)
        return addresses

    def clean_address_limit(self) -> str:
        return self._one("address_limit", rules.clean_limit)

    def clean_form_limit(self) -> str:
        return self._one("form_limit", rules.clean_limit)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for row in self.rows:
            try:
                rules.clean_field(row)
            except rules.BadDefinition as error:
                row["error"] = str(error)
        try:
            cleaned["fields"] = rules.clean_fields(self.rows)
        except rules.BadDefinition as error:
            raise forms.ValidationError(str(error)) from error
        self._clean_with_fields(cleaned)
        return cleaned

    def _clean_with_fields(self, cleaned: dict[str, Any]) -> None:
        """What cannot be judged without the fields: the hidden one's name, and files."""
        try:
            cleaned["honeypot"] = rules.clean_honeypot(cleaned.get("honeypot", ""), cleaned["fields"])
        except rules.BadDefinition as error:
            self.add_error("honeypot", str(error))
        parts = [cleaned.pop(name, None) for name in ("file_count", "file_megabytes", "file_total", "file_kinds")]
        if None in parts:
            return
        count, megabytes, total, kinds = parts
        try:
            cleaned["files"] = rules.clean_files(
                count=count, megabytes=megabytes, total=total, kinds=kinds, fields=cleaned["fields"]
            )
        except rules.BadDefinition as error:
            self.add_error("file_total", str(error))

    def values(self) -> dict[str, Any]:
        """What the services take."""
        names = {field.name for field in dataclasses.fields(rules.Settings)}
        settings = rules.Settings(**{name: self.cleaned_data[name] for name in names})
        return {name: value for name, value in self.cleaned_data.items() if name not in names} | {"settings": settings}

    def rows_shown(self) -> list[dict[str, Any]]:
        """The rows for the editor: options one a line, `error` beside the row that has one."""
        return [{**row, "options": "\n".join(row.get("options", []))} for row in self.rows]

    def _each(self, name: str, rule: Any) -> list[str]:
        return [self._checked(rule, line) for line in _lines(self.cleaned_data[name])]

    def _one(self, name: str, rule: Any) -> str:
        return self._checked(rule, self.cleaned_data[name])

    def _checked(self, rule: Any, text: str) -> str:
        try:
            return str(rule(text))
        except rules.BadDefinition as error:
            raise forms.ValidationError(str(error)) from error


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def field_rows(data: QueryDict) -> list[dict[str, Any]]:
    """Return the rows of the fields editor in their order; rows without label and name are blank ones."""
    numbers = sorted({int(match[1]) for key in data if (match := re.fullmatch(r"field-(\d{1,3})-\w+", key))})
    rows = []
    for number in numbers:
        parts = ("label", "name", "type", "options", "length")
        # Postgres text holds no NUL.
        row = {part: data.get(f"field-{number}-{part}", "").replace("\0", "").strip() for part in parts}
        if not row["label"] and not row["name"]:
            continue
        position = data.get(f"field-{number}-position", "")
        rows.append(
            {
                "label": row["label"],
                "name": row["name"] or _name_from(row["label"]),
                "type": row["type"] or "text",
                "required": f"field-{number}-required" in data,
                "options": [option.strip() for option in re.split(r"[\n,]", row["options"]) if option.strip()],
                "max_length": int(row["length"]) if row["length"].isdecimal() and len(row["length"]) < 7 else None,
                "position": int(position) if position.isdecimal() and len(position) < 6 else number,
            }
        )
    return sorted(rows, key=lambda row: row["position"])


def _name_from(label: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_")[:60]
