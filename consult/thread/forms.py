"""HTML input of the thread to clean values."""

from uuid import UUID

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

REASON_WORDS = {
    "asked": _("The person has asked for it"),
    "withdrawn": _("The person has withdrawn their consent"),
    "not_needed": _("What it was kept for is over"),
    "mistake": _("It should never have been here"),
    "law": _("A court or an authority has ordered it"),
}


class Address(forms.Form):
    """Whom to look for."""

    address = forms.EmailField(
        max_length=320, label=_("E-mail address"), widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )


class Whom(forms.Form):
    """A person, by contact or by address."""

    contact = forms.UUIDField(required=False)
    address = forms.EmailField(max_length=320, required=False)

    @classmethod
    def of(cls, data: QueryDict) -> tuple[UUID | None, str]:
        """Return (contact, address), of which one is empty; of what makes no sense both are."""
        form = cls({"contact": data.get("contact", ""), "address": data.get("address", "")})
        if not form.is_valid():
            return None, ""
        contact: UUID | None = form.cleaned_data["contact"]
        return contact, "" if contact else form.cleaned_data["address"]


class Erase(forms.Form):
    """Why, and the name or address once more: it is not to be undone."""

    reason = forms.ChoiceField(
        choices=[("", _("Choose one")), *REASON_WORDS.items()],
        label=_("Reason"),
        help_text=_("It is kept with the date and your name; nothing else about the person is."),
    )
    typed = forms.CharField(max_length=320, widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def __init__(self, name: str, data: QueryDict | None) -> None:
        super().__init__(data)
        self.fields["typed"].label = _("Type “{name}” to confirm").format(name=name)
