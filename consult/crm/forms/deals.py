"""A deal, as typed."""

from typing import Any
from uuid import UUID

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consult.accounts import queries as accounts
from consult.crm import queries, rules
from consult.crm.forms import own
from consult.crm.forms.chosen import Text, chosen, offer, one_of


class Deal(forms.Form):
    """The contact is typed as a name or an address; where that means several people, `people` holds them to choose."""

    title = Text(max_length=200, label=gettext_lazy("Title"))
    value = forms.CharField(
        max_length=40,
        required=False,
        label=gettext_lazy("Value"),
        help_text=gettext_lazy("Such as 4800 or 4,800.50. Leave it empty while you do not know."),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    currency = forms.ChoiceField(label=gettext_lazy("Currency"))
    contact = Text(
        max_length=320,
        required=False,
        label=gettext_lazy("Contact"),
        help_text=gettext_lazy("A name or an e-mail address."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    contact_id = forms.UUIDField(required=False, widget=forms.HiddenInput)
    company_name = Text(
        max_length=200,
        required=False,
        label=gettext_lazy("Company"),
        help_text=gettext_lazy("Empty: the contact’s. A company of this name is added when there is none."),
        widget=forms.TextInput(attrs={"list": "company-names", "autocomplete": "off"}),
    )
    stage = forms.ChoiceField(label=gettext_lazy("Stage"))
    owner = forms.ChoiceField(required=False, label=gettext_lazy("Owner"))
    expected_on = forms.DateField(
        required=False,
        label=gettext_lazy("Expected close"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        agency_id: int,
        currency: str,
        stages: list[queries.Stage] | None = None,
        initial: queries.Deal | dict[str, Any] | None = None,
    ) -> None:
        custom = initial.custom if isinstance(initial, queries.Deal) else {}
        if isinstance(initial, queries.Deal):
            initial = {
                "title": initial.title,
                "value": rules.money(initial.value.minor, initial.value.currency, grouped=False)
                if initial.value
                else "",
                "currency": initial.currency or currency,
                "contact": initial.contact_name,
                "contact_id": initial.contact_id,
                "company_name": initial.company_name,
                "owner": str(initial.owner_id or ""),
                "expected_on": initial.expected_on,
                "version": initial.version,
            }
        super().__init__(data, initial={"currency": currency} | (initial or {}))
        self.own, self.custom = queries.fields(agency_id, "deal"), custom
        own.add_fields(self, self.own, custom)
        self.agency_id, self.agency_currency = agency_id, currency
        self.people: list[queries.ContactRow] = []
        names = {person.id: person.name for person in accounts.members(agency_id)}
        offer(self, "owner", one_of(names, _("Nobody")))
        known = dict.fromkeys((currency, str(self.initial["currency"]), *rules.CURRENCIES))
        offer(self, "currency", [(code, code) for code in known])
        if stages is None:
            del self.fields["stage"]
        else:
            offer(self, "stage", [(str(stage.id), stage.name) for stage in stages])

    def own_fields(self) -> list[forms.BoundField]:
        """Return the agency's own fields, for the page."""
        return [self[name] for name in self.fields if name.startswith("own-")]

    def clean(self) -> None:
        typed = self.cleaned_data
        currency = typed.get("currency") or self.agency_currency
        typed["value_minor"] = None
        if text := typed.get("value"):
            try:
                typed["value_minor"] = rules.to_minor(text, currency)
            except rules.BadMoney:
                self.add_error("value", _("This is no amount in %(code)s.") % {"code": currency})
        typed["contact_id"] = self._contact(typed.get("contact", ""), typed.get("contact_id"))

    def _contact(self, text: str, id: UUID | None) -> UUID | None:
        if not text:
            return None
        # What was chosen before, as long as the words still are its own.
        known = queries.contact_names(self.agency_id, [id]) if id else {}
        if id in known and rules.folded(known[id]) == rules.folded(text):
            return id
        found = queries.contact_choices(self.agency_id, text, limit=20)
        # One of the people who were offered.
        if id and any(row.id == id for row in found):
            return id
        exact = [
            row
            for row in found
            if rules.folded(row.name) == rules.folded(text) or row.email == rules.email_address(text)
        ]
        if len(exact) == 1:
            return exact[0].id
        self.people = exact or found
        if self.people:
            self.add_error("contact", _("Which of them? Choose below."))
        else:
            self.add_error("contact", _("Nobody of this name or address is here yet. Add the contact first."))
        return None

    def values(self) -> dict[str, Any]:
        """Return what the services take, but for the company, which is still a name."""
        typed = self.cleaned_data
        return {
            "title": typed["title"],
            "value_minor": typed["value_minor"],
            "currency": typed["currency"] if typed["value_minor"] is not None else "",
            "contact_id": typed["contact_id"],
            "owner_id": chosen(typed["owner"]),
            "expected_on": typed["expected_on"],
            "custom": own.own_values(self, self.own, self.custom),
        }
