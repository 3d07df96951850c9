"""The agency's own fields in forms, and the form that makes one."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consult.crm import queries
from consult.crm.forms.chosen import Text

KINDS = [
    ("text", gettext_lazy("Text")),
    ("number", gettext_lazy("Number")),
    ("date", gettext_lazy("Date")),
    ("choice", gettext_lazy("Choice")),
]
PLACES = [
    ("contact", gettext_lazy("Contacts")),
    ("company", gettext_lazy("Companies")),
    ("deal", gettext_lazy("Deals")),
]


class Field(forms.Form):
    name = Text(max_length=100, label=gettext_lazy("Name"))
    place = forms.ChoiceField(choices=PLACES, label=gettext_lazy("Belongs to"))
    kind = forms.ChoiceField(choices=KINDS, label=gettext_lazy("Kind"))
    options = forms.CharField(
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 3}),
        label=gettext_lazy("Choices"),
        help_text=gettext_lazy("One per line, for a choice."),
    )

    def clean_options(self) -> list[str]:
        lines = (" ".join(line.split()) for line in self.cleaned_data["options"].splitlines())
        found = list(dict.fromkeys(line for line in lines if line))
        if len(found) > 100 or any(len(line) > 100 for line in found):
            raise ValidationError(_("At most 100 choices of at most 100 characters."))
        if self.cleaned_data.get("kind") != "choice":
            return []
        if not found:
            raise ValidationError(_("Give the choices, one per line."))
        return found


def _name(field: queries.Field) -> str:
    return f"own-{field.id}"


def add_fields(form: forms.Form, fields: Iterable[queries.Field], custom: dict[str, Any]) -> None:
    """Put the agency's own fields into a form, filled in with `custom`."""
    for field in fields:
        form.fields[_name(field)] = _made(field, custom.get(str(field.id)))
        form.initial[_name(field)] = custom.get(str(field.id), "")


def _made(field: queries.Field, value: str | None) -> forms.Field:
    if field.kind == "number":
        return forms.DecimalField(required=False, label=field.name, max_digits=20, decimal_places=6)
    if field.kind == "date":
        picked = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
        return forms.DateField(required=False, label=field.name, widget=picked)
    if field.kind == "choice":
        # A choice that was taken off the list since stays with who has it.
        offered = dict.fromkeys([*field.options, *([value] if value else [])])
        return forms.ChoiceField(
            required=False, label=field.name, choices=[("", "–"), *((each, each) for each in offered)]
        )
    return Text(required=False, label=field.name, max_length=500)


def _plain(value: Any) -> str:
    # Not 1E+3.
    return f"{value:f}" if isinstance(value, Decimal) else str(value or "")


def own_values(form: forms.Form, fields: Iterable[queries.Field], custom: dict[str, Any]) -> dict[str, Any]:
    """Return `custom` with what was filled in: texts, numbers as digits, dates as ISO 8601."""
    typed = {str(field.id): _plain(form.cleaned_data.get(_name(field))) for field in fields}
    # Nothing at all is not kept.
    return {id: value for id, value in {**custom, **typed}.items() if value != ""}
