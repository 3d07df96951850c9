"""HTML input of intake to clean values."""

import re
from typing import Any

from django import forms
from django.core.validators import validate_email
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from consult.intake import rules

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


class Form(forms.Form):
    """A form's settings; its fields come as rows field-<i>-label, -name, -type, -required, -options, -position."""

    name = forms.CharField(max_length=200, label=_("Name"))
    allowed_origins = forms.CharField(
        required=False, widget=forms.Textarea, label=_("Allowed origins"), help_text=ORIGINS_HELP
    )
    redirect_targets = forms.CharField(
        required=False, widget=forms.Textarea, label=_("Thank-you pages"), help_text=TARGETS_HELP
    )
    notify_addresses = forms.CharField(
        required=False, widget=forms.Textarea, label=_("Notify by e-mail"), help_text=NOTIFY_HELP
    )

    def __init__(self, data: QueryDict | None = None, *, initial: dict[str, Any] | None = None) -> None:
        initial = initial or {}
        lines = ("allowed_origins", "redirect_targets", "notify_addresses")
        shown = {name: "\n".join(initial.get(name, [])) for name in lines}
        super().__init__(data, initial={"name": initial.get("name", ""), **shown})
        self.rows = field_rows(data) if data is not None else list(initial.get("fields", rules.CONTACT_FIELDS))

    def clean_allowed_origins(self) -> list[str]:
        return self._each("allowed_origins", rules.clean_origin)

    def clean_redirect_targets(self) -> list[str]:
        return self._each("redirect_targets", rules.clean_target)

    def clean_notify_addresses(self) -> list[str]:
        addresses = _lines(self.cleaned_data["notify_addresses"])
        for address in addresses:
            validate_email(address)
        return addresses

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
        return cleaned

    def rows_shown(self) -> list[dict[str, Any]]:
        """The rows for the editor: options one a line, `error` beside the row that has one."""
        return [{**row, "options": "\n".join(row.get("options", []))} for row in self.rows]

    def _each(self, name: str, rule: Any) -> list[str]:
        try:
            return [rule(line) for line in _lines(self.cleaned_data[name])]
        except rules.BadDefinition as error:
            raise forms.ValidationError(str(error)) from error


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def field_rows(data: QueryDict) -> list[dict[str, Any]]:
    """Return the rows of the fields editor in their order; rows without label and name are blank ones."""
    numbers = sorted({int(match[1]) for key in data if (match := re.fullmatch(r"field-(\d{1,3})-\w+", key))})
    rows = []
    for number in numbers:
        parts = ("label", "name", "type", "options")
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
                "position": int(position) if position.isdecimal() and len(position) < 6 else number,
            }
        )
    return sorted(rows, key=lambda row: row["position"])


def _name_from(label: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_")[:60]
