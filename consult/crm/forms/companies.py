"""A company, as typed."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consult.crm import queries, rules
from consult.crm.forms import own
from consult.crm.forms.chosen import Text, chosen, offer, one_of

LONGEST_WEBSITE = 500


class Company(forms.Form):
    name = Text(max_length=200, label=gettext_lazy("Name"))
    website = Text(
        max_length=LONGEST_WEBSITE,
        required=False,
        label=gettext_lazy("Website"),
        help_text=gettext_lazy("Such as example.com. People with an address there are suggested as its own."),
    )
    phone = Text(max_length=50, required=False, label=gettext_lazy("Phone"))
    address = forms.CharField(
        max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 3}), label=gettext_lazy("Address")
    )
    client = forms.ChoiceField(
        required=False, label=gettext_lazy("Client"), help_text=gettext_lazy("If you work for this company.")
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(
        self, data: QueryDict | None = None, *, agency_id: int, initial: queries.Company | dict[str, Any] | None = None
    ) -> None:
        custom = initial.custom if isinstance(initial, queries.Company) else {}
        if isinstance(initial, queries.Company):
            initial = {
                "name": initial.name,
                "website": initial.website,
                "phone": initial.phone,
                "address": initial.address,
                "client": str(initial.client_id or ""),
                "version": initial.version,
            }
        super().__init__(data, initial=initial)
        self.own, self.custom = queries.fields(agency_id, "company"), custom
        own.add_fields(self, self.own, custom)
        offer(self, "client", one_of(queries.client_names(agency_id), _("None")))

    def clean_website(self) -> str:
        typed = str(self.cleaned_data["website"])
        if not typed:
            return ""
        website = typed if "://" in typed else f"https://{typed}"
        if not website.lower().startswith(("https://", "http://")) or not rules.domain(website) or " " in website:
            raise ValidationError(_("This is no address of a website, such as example.com."))
        if len(website) > LONGEST_WEBSITE:
            raise ValidationError(_("A website’s address has at most %(n)d characters.") % {"n": LONGEST_WEBSITE})
        return website

    def values(self) -> dict[str, Any]:
        """Return what the services take."""
        typed = self.cleaned_data
        return {
            "name": typed["name"],
            "website": typed["website"],
            "phone": typed["phone"],
            "address": typed["address"],
            "client_id": chosen(typed["client"]),
            "custom": own.own_values(self, self.own, self.custom),
        }
