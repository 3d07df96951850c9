"""What people type about themselves and about an agency that they open."""

import zoneinfo
from typing import TYPE_CHECKING, Any

from allauth.core import context
from django import forms
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consult.accounts import queries, rules

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise


class Name(forms.CharField):
    """A name on one line, without control characters: it goes into mails' headers."""

    def __init__(self, *, label: "str | StrPromise", **options: Any) -> None:
        super().__init__(label=label, max_length=200, **options)

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        if any(not character.isprintable() for character in text):
            raise ValidationError(_("Only letters, digits, signs and spaces, please."))
        return str(text)


class NewAgency(forms.Form):
    """An agency that somebody opens."""

    agency_name = Name(label=gettext_lazy("Agency"))
    slug = forms.CharField(
        label=gettext_lazy("Its address here"),
        max_length=40,
        required=False,
        help_text=gettext_lazy("Small letters, digits and dashes. Leave it empty to take it from the name."),
    )

    def clean_slug(self) -> str:
        # Beside the field that the person filled in.
        name = str(self.cleaned_data.get("agency_name") or "")
        slug = str(self.cleaned_data["slug"]).strip().lower() or rules.slug_of(name)
        if not name and not slug:
            return slug
        if not rules.SLUG.fullmatch(slug):
            raise ValidationError(_("Small letters, digits and dashes between them, at most 40."))
        if not queries.may_take_slug(slug):
            raise ValidationError(_("“%(slug)s” is taken. Please choose another."), params={"slug": slug})
        return slug


class NewPerson(NewAgency):
    """What allauth's sign-up forms ask beside address and password; no agency of who was invited to one."""

    name = Name(label=gettext_lazy("Your name"), widget=forms.TextInput(attrs={"autocomplete": "name"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self._is_invited():
            del self.fields["agency_name"], self.fields["slug"]

    def _is_invited(self) -> bool:
        from consult.accounts.adapter import account

        return account.is_invited(context.request)

    def signup(self, request: HttpRequest, user: AbstractBaseUser) -> None:
        """Called by allauth once the user is saved."""
        from consult.accounts.adapter import account

        if "agency_name" in self.cleaned_data:
            account.keep_wanted_agency(
                request, user, name=self.cleaned_data["agency_name"], slug=self.cleaned_data["slug"]
            )


class Profile(forms.Form):
    """What a person says about themselves."""

    name = Name(label=gettext_lazy("Name"), widget=forms.TextInput(attrs={"autocomplete": "name"}))
    time_zone = forms.ChoiceField(label=gettext_lazy("Time zone"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = sorted(zoneinfo.available_timezones() - {"localtime", "Factory"})
        self.fields["time_zone"].choices = [(name, name.replace("_", " ")) for name in names]  # type: ignore[attr-defined]
