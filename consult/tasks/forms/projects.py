"""A project and its states, as typed."""

from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consult.crm import queries as crm
from consult.tasks import queries, rules, services

GROUPS = {
    "backlog": gettext_lazy("Backlog"),
    "unstarted": gettext_lazy("Not started"),
    "started": gettext_lazy("Started"),
    "completed": gettext_lazy("Completed"),
    "cancelled": gettext_lazy("Cancelled"),
}
COLOURS = {
    "grey": gettext_lazy("Grey"),
    "blue": gettext_lazy("Blue"),
    "teal": gettext_lazy("Teal"),
    "green": gettext_lazy("Green"),
    "yellow": gettext_lazy("Yellow"),
    "orange": gettext_lazy("Orange"),
    "red": gettext_lazy("Red"),
    "pink": gettext_lazy("Pink"),
    "purple": gettext_lazy("Purple"),
}


class Project(forms.Form):
    name = forms.CharField(max_length=200, label=gettext_lazy("Name"))
    client = forms.ChoiceField(required=False, label=gettext_lazy("Client"))
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(
        self, data: QueryDict | None = None, *, agency_id: int, initial: queries.Project | dict[str, Any] | None = None
    ) -> None:
        if isinstance(initial, queries.Project):
            initial = {"name": initial.name, "client": str(initial.client_id or ""), "version": initial.version}
        super().__init__(data, initial=initial)
        names = crm.client_names(agency_id)
        cast(forms.ChoiceField, self.fields["client"]).choices = [
            ("", _("None: the agency’s own")),
            *((str(id), name) for id, name in names.items()),
        ]

    def client_id(self) -> UUID | None:
        """Return the client of a valid form."""
        return UUID(self.cleaned_data["client"]) if self.cleaned_data["client"] else None


class NewProject(Project):
    key = forms.CharField(
        max_length=10,
        label=gettext_lazy("Key"),
        help_text=gettext_lazy(
            "Stands before the number of each task: SITE-142. Two to ten letters and digits; it stays as it is."
        ),
        widget=forms.TextInput(attrs={"autocapitalize": "characters", "autocomplete": "off", "spellcheck": "false"}),
    )
    field_order = ("name", "key", "client")

    def clean_key(self) -> str:
        key = str(self.cleaned_data["key"]).strip().upper()
        if not rules.PROJECT_KEY.fullmatch(key):
            raise forms.ValidationError(_("A key is two to ten letters and digits, a letter first."))
        return key


class State(forms.Form):
    """One row of the states; a new one is left out while it has no name."""

    id = forms.UUIDField(required=False, widget=forms.HiddenInput)
    name = forms.CharField(max_length=50, required=False, label=gettext_lazy("Name"))
    group = forms.ChoiceField(label=gettext_lazy("Group"), choices=list(GROUPS.items()))
    colour = forms.ChoiceField(label=gettext_lazy("Colour"), choices=list(COLOURS.items()))
    place = forms.IntegerField(min_value=1, max_value=99, required=False, label=gettext_lazy("Place"))
    remove = forms.BooleanField(required=False, label=gettext_lazy("Remove"))

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if said.get("id") and not said.get("name") and not said.get("remove"):
            self.add_error("name", _("A state needs a name."))
        return said


if TYPE_CHECKING:
    Rows = forms.BaseFormSet[State]
else:
    # The class itself knows no brackets.
    Rows = forms.BaseFormSet


class States(Rows):
    """All states of a project, and a row for a new one."""

    def __init__(self, data: QueryDict | None = None, *, states: list[queries.State] | None = None) -> None:
        initial = [
            {"id": each.id, "name": each.name, "group": each.group, "colour": each.colour, "place": place}
            for place, each in enumerate(states or [], start=1)
        ]
        super().__init__(data, initial=initial, prefix="states")

    form = State
    renderer = forms.renderers.get_default_renderer()
    extra, min_num, max_num, absolute_max = 1, 0, rules.MOST_STATES, rules.MOST_STATES + 1
    can_order = can_delete = can_delete_extra = edit_only = validate_min = validate_max = False

    def wanted(self) -> list[services.Wanted]:
        """Return the states of valid rows in their order."""
        said = [row.cleaned_data for row in self.forms if row.cleaned_data.get("name")]
        kept = [row for row in said if not row.get("remove")]
        return [
            services.Wanted(row["name"], row["group"], row["colour"], row.get("id"))
            for row in sorted(kept, key=lambda row: (row.get("place") or 99, row.get("id") is not None))
        ]
