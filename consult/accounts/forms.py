"""HTML input of accounts to clean values."""

import datetime as dt
import functools
import zoneinfo
from email.utils import formataddr, parseaddr
from typing import TYPE_CHECKING, Any

from allauth.core import context
from django import forms
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from consult.accounts import queries, rules

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise

# The day's number as ISO 8601 counts.
WEEK_STARTS = [(1, _("Monday")), (6, _("Saturday")), (7, _("Sunday"))]
ROLE_NAMES = {"owner": _("Owner"), "admin": _("Admin"), "member": _("Member"), "viewer": _("Viewer")}


@functools.cache
def _zones() -> list[tuple[str, str]]:
    # With an area in front, which leaves old names of the same zones out.
    named = sorted(zone for zone in zoneinfo.available_timezones() if "/" in zone and not zone.startswith("Etc/"))
    return [("UTC", "UTC"), *((zone, zone.replace("_", " ")) for zone in named)]


# How one hears of something, as people choose it (rules.HOWS).
HOWS = (
    ("app", _("Here in Consult")),
    ("mail", _("Here, and by e-mail at once")),
    ("daily", _("Here, and by e-mail in the morning")),
    ("none", _("Not at all")),
)


class Agency(forms.Form):
    """An agency's settings. Each field carries what it showed, so that only what was touched is changed."""

    name = forms.CharField(max_length=200, label=_("Name"))
    slug = forms.CharField(
        max_length=40,
        label=_("Name in addresses"),
        help_text=_(
            "Small letters, digits and dashes. When you change it, every link and bookmark with the old one stops "
            "working; the forms on your sites are not affected."
        ),
    )
    time_zone = forms.ChoiceField(choices=_zones, label=_("Time zone"), help_text=_("In which its days begin and end."))
    currency = forms.ChoiceField(
        choices=[(code, code) for code in rules.CURRENCIES],
        label=_("Currency"),
        help_text=_("For money that is in no other one. What is written down already keeps its own."),
    )
    week_start = forms.TypedChoiceField(choices=WEEK_STARTS, coerce=int, label=_("The week begins on"))
    sender_name = forms.CharField(
        max_length=60, required=False, label=_("Sender's name"), help_text=_("Such as the agency's name.")
    )
    sender_email = forms.CharField(max_length=254, required=False, label=_("Sender's address"))

    def __init__(self, data: QueryDict | None = None, *, initial: dict[str, Any]) -> None:
        name, address = parseaddr(initial["sender_address"])
        super().__init__(data, initial={**initial, "sender_name": name, "sender_email": address})
        for field in self.fields.values():
            field.show_hidden_initial = True
        self.fields["sender_email"].widget.input_type = "email"
        weekday, zone = initial["week_start"], initial["time_zone"]
        if weekday not in dict(WEEK_STARTS):
            self.fields["week_start"].choices = [*WEEK_STARTS, (weekday, str(weekday))]  # type: ignore[attr-defined]
        if zone not in dict(_zones()):
            self.fields["time_zone"].choices = [(zone, zone), *_zones()]  # type: ignore[attr-defined]

    def clean_name(self) -> str:
        return self._one_line("name")

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"].strip().lower()
        if not rules.SLUG.fullmatch(slug):
            raise forms.ValidationError(_("Only small letters, digits and dashes between them."))
        return slug

    def clean_sender_name(self) -> str:
        return self._one_line("sender_name")

    def _one_line(self, field: str) -> str:
        name: str = self.cleaned_data[field]
        if not name.isprintable():
            raise forms.ValidationError(_("A name of one line, please."))
        return name

    def clean_sender_email(self) -> str:
        address: str = self.cleaned_data["sender_email"]
        if address and not rules.one_address(address):
            raise forms.ValidationError(_("One e-mail address, such as hello@agency.example."))
        return address

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("sender_name") and "sender_email" in cleaned and not cleaned["sender_email"]:
            self.add_error("sender_email", _("The name needs an address beside it."))
        return cleaned

    def changes(self) -> dict[str, Any]:
        """What was touched: setting and value, as services.update_agency takes them."""
        touched = {name: self.cleaned_data[name] for name in self.changed_data}
        if {"sender_name", "sender_email"} & touched.keys():
            name, address = self.cleaned_data["sender_name"], self.cleaned_data["sender_email"]
            # As people write it; the mail library encodes what is not ASCII.
            touched["sender_address"] = formataddr((name, address), charset="utf-8") if address else ""
            if name and not name.isascii():
                touched["sender_address"] = f'"{name.translate({34: None, 92: None})}" <{address}>'
        return {name: value for name, value in touched.items() if name not in ("sender_name", "sender_email")}


class Invitation(forms.Form):
    email = forms.CharField(max_length=254, label=_("E-mail address"))
    role = forms.ChoiceField(label=_("Role"))
    days = forms.TypedChoiceField(
        coerce=int,
        choices=[(1, _("1 day")), (7, _("7 days")), (14, _("14 days")), (30, _("30 days"))],
        initial=7,
        label=_("Good for"),
    )

    def __init__(self, data: QueryDict | None = None, *, by_role: str) -> None:
        super().__init__(data, initial={"role": "member"})
        self.fields["email"].widget.input_type = "email"
        self.fields["email"].widget.attrs["autocomplete"] = "off"
        self.fields["role"].choices = roles_given(by_role)  # type: ignore[attr-defined]

    def clean_email(self) -> str:
        address: str = self.cleaned_data["email"]
        if not rules.one_address(address):
            raise forms.ValidationError(_("One e-mail address, such as ann@agency.example."))
        return address


def roles_given(by: str) -> list[tuple[str, Any]]:
    """Return the roles that somebody of the role `by` may give, with their names; the widest first."""
    return [(role, ROLE_NAMES[role]) for role in rules.ROLES if rules.may_give(by, role)]


SCOPE_WORDS = {
    "read": _("Read everything that the agency's people work with"),
    "write": _("Change records: assign, close, restore, write notes"),
    "manage": _("Manage sites, forms, failed jobs, people, tokens and settings, and read the audit"),
}
ROLE_WORDS = {"admin": _("Admin"), "member": _("Member"), "viewer": _("Viewer")}
DAYS = (30, 90, 365)


class ApiToken(forms.Form):
    """A token to make: a member's own or, for who manages them, the agency's. Offered is what the role may."""

    name = forms.CharField(
        max_length=100, label=_("Name"), help_text=_("What uses it, so that you know it again: “Nightly report”.")
    )
    owner = forms.ChoiceField(label=_("Who it acts for"))
    scopes = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple,
        label=_("What it may do"),
        error_messages={"required": _("Tick at least one: without any it could do nothing.")},
    )
    expiry = forms.ChoiceField(
        choices=[
            *((str(days), _("In {days} days").format(days=days)) for days in DAYS),
            ("never", _("Never")),
        ],
        initial="90",
        label=_("It ends"),
        help_text=_("One that never ends and gets into wrong hands works until somebody notices and revokes it."),
    )

    def __init__(self, here: queries.Membership, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.here = here
        scopes = rules.scopes_of(here.role)
        self.fields["scopes"].choices = [(scope, SCOPE_WORDS[scope]) for scope in scopes]  # type: ignore[attr-defined]
        self.fields["scopes"].initial = ["read"]
        owners: list[tuple[str, Any]] = [("me", _("Me, with the role that I have"))]
        if queries.may(here, "tokens.manage"):
            words = _("The agency, as {role}; it stays when I leave")
            owners += [(role, words.format(role=str(ROLE_WORDS[role]).lower())) for role in rules.TOKEN_ROLES]
            self.fields["owner"].choices = owners  # type: ignore[attr-defined]
        else:
            del self.fields["owner"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        role = self._agencys_role() or self.here.role
        pointless = set(cleaned.get("scopes", ())) - set(rules.scopes_of(role))
        if pointless:
            self.add_error("scopes", _("As {role} it could not do all of this. Tick less.").format(role=role))
        return cleaned

    def whose(self) -> dict[str, Any]:
        """Return `role` for a token of the agency, else `member_id`."""
        role = self._agencys_role()
        return {"role": role} if role else {"member_id": self.here.member_id}

    def expires_at(self, now: dt.datetime) -> dt.datetime | None:
        days = self.cleaned_data["expiry"]
        return None if days == "never" else now + dt.timedelta(days=int(days))

    def _agencys_role(self) -> str:
        """Return the role of a token of the agency; empty for one's own."""
        owner: str = self.cleaned_data.get("owner", "me")
        return "" if owner == "me" else owner


class Name(forms.CharField):
    """A name on one line, without control characters: it goes into mails' headers."""

    def __init__(self, *, label: "str | StrPromise", **options: Any) -> None:
        super().__init__(label=label, max_length=200, **options)

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        if any(not character.isprintable() for character in text):
            raise ValidationError(gettext("Only letters, digits, signs and spaces, please."))
        return str(text)


class NewAgency(forms.Form):
    """An agency that somebody opens."""

    agency_name = Name(label=_("Agency"))
    slug = forms.CharField(
        label=_("Its address here"),
        max_length=40,
        required=False,
        help_text=_("Small letters, digits and dashes. Leave it empty to take it from the name."),
    )

    def clean_slug(self) -> str:
        # Beside the field that the person filled in.
        name = str(self.cleaned_data.get("agency_name") or "")
        slug = str(self.cleaned_data["slug"]).strip().lower() or rules.slug_of(name)
        if not name and not slug:
            return slug
        if not rules.SLUG.fullmatch(slug):
            raise ValidationError(gettext("Small letters, digits and dashes between them, at most 40."))
        if not queries.may_take_slug(slug):
            raise ValidationError(gettext("“%(slug)s” is taken. Please choose another."), params={"slug": slug})
        return slug


class NewPerson(NewAgency):
    """What allauth's sign-up forms ask beside address and password; no agency of who was invited to one."""

    name = Name(label=_("Your name"), widget=forms.TextInput(attrs={"autocomplete": "name"}))

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

    name = Name(label=_("Name"), widget=forms.TextInput(attrs={"autocomplete": "name"}))
    time_zone = forms.ChoiceField(label=_("Time zone"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = sorted(zoneinfo.available_timezones() - {"localtime", "Factory"})
        self.fields["time_zone"].choices = [(name, name.replace("_", " ")) for name in names]  # type: ignore[attr-defined]
