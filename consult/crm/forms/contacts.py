"""A contact, as typed."""

from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consult.crm import queries, rules
from consult.crm.forms import own
from consult.crm.forms.chosen import Text, chosen, offer, one_of

MOST = 20


class Contact(forms.Form):
    """Addresses and numbers come one per line, the primary one first."""

    name = Text(
        max_length=200,
        required=False,
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("Without one, the contact goes by the first e-mail address."),
    )
    emails = forms.CharField(
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false", "autocapitalize": "none"}),
        label=gettext_lazy("E-mail addresses"),
        help_text=gettext_lazy("One per line; the first is the one to write to."),
    )
    phones = forms.CharField(
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        label=gettext_lazy("Phone numbers"),
        help_text=gettext_lazy("One per line; the first is the one to call."),
    )
    job_title = Text(max_length=200, required=False, label=gettext_lazy("Job title"))
    company_name = Text(
        max_length=200,
        required=False,
        label=gettext_lazy("Company"),
        help_text=gettext_lazy("A company of this name is added when there is none."),
        widget=forms.TextInput(attrs={"list": "company-names", "autocomplete": "off"}),
    )
    client = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Client"),
        help_text=gettext_lazy("Whose customer this is, if a client’s and not your own."),
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(
        self, data: QueryDict | None = None, *, agency_id: int, initial: queries.Contact | dict[str, Any] | None = None
    ) -> None:
        custom = initial.custom if isinstance(initial, queries.Contact) else {}
        if isinstance(initial, queries.Contact):
            initial = {
                "name": initial.name,
                "emails": "\n".join(initial.emails),
                "phones": "\n".join(initial.phones),
                "job_title": initial.job_title,
                "company_name": initial.company_name,
                "client": str(initial.client_id or ""),
                "version": initial.version,
            }
        super().__init__(data, initial=initial)
        self.own, self.custom = queries.fields(agency_id, "contact"), custom
        own.add_fields(self, self.own, custom)
        self.agency_id = agency_id
        offer(self, "client", one_of(queries.client_names(agency_id), _("None: your own contact")))

    def clean_emails(self) -> list[str]:
        lines = [line.strip() for line in self.cleaned_data["emails"].splitlines() if line.strip()]
        if len(lines) > MOST:
            raise ValidationError(_("At most %(n)d addresses.") % {"n": MOST})
        for line in lines:
            try:
                validate_email(line)
                # Some signs become several in the form that is stored.
                validate_email(rules.email_address(line))
            except ValidationError:
                raise ValidationError(_("“%(text)s” is no e-mail address.") % {"text": line}) from None
        return [rules.email_address(line) for line in lines]

    def clean_phones(self) -> list[str]:
        lines = [" ".join(line.split()) for line in self.cleaned_data["phones"].splitlines() if line.strip()]
        if len(lines) > MOST:
            raise ValidationError(_("At most %(n)d numbers.") % {"n": MOST})
        region = queries.phone_region(self.agency_id) if lines else ""
        for line in lines:
            if len(line) > 50 or not rules.phone_key(line, region):
                raise ValidationError(_("“%(text)s” is no phone number.") % {"text": line[:50]})
        return lines

    def clean(self) -> None:
        typed = self.cleaned_data
        if not typed.get("name") and not typed.get("emails") and not self.errors:
            self.add_error("name", _("Give a name or an e-mail address, so that the contact goes by something."))

    def values(self) -> dict[str, Any]:
        """Return what the services take, but for the company, which is still a name."""
        typed = self.cleaned_data
        client_id: UUID | None = chosen(typed["client"])
        return {
            "name": typed["name"],
            "emails": typed["emails"],
            "phones": typed["phones"],
            "job_title": typed["job_title"],
            "client_id": client_id,
            "custom": own.own_values(self, self.own, self.custom),
        }
