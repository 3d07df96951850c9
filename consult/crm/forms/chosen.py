"""Fields that name something of the agency's."""

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from django import forms


def one_of(names: Mapping[UUID, str], none: Any) -> list[tuple[str, Any]]:
    """Return the choices of a select: nothing first, in the words of `none`."""
    return [("", none), *((str(id), name) for id, name in names.items())]


def chosen(value: str) -> UUID | None:
    """Return what was chosen from `one_of`."""
    return UUID(value) if value else None


class Text(forms.CharField):
    """A line of text, with single spaces."""

    def to_python(self, value: Any) -> str:
        text = super().to_python(value)
        return " ".join(str(text).split()) if text else ""


def offer(form: forms.Form, name: str, choices: list[tuple[str, Any]]) -> None:
    """Give a select of the form its choices."""
    cast(forms.ChoiceField, form.fields[name]).choices = choices
