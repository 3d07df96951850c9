"""A task, as typed."""

from typing import Any, cast
from uuid import UUID

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consult.accounts import queries as accounts
from consult.tasks import queries, rules

PRIORITIES = {
    "urgent": gettext_lazy("Urgent"),
    "high": gettext_lazy("High"),
    "medium": gettext_lazy("Medium"),
    "low": gettext_lazy("Low"),
    "none": gettext_lazy("None"),
}


def _day(label: Any) -> forms.DateField:
    return forms.DateField(
        required=False, label=label, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )


class Task(forms.Form):
    title = forms.CharField(max_length=200, label=gettext_lazy("Title"))
    description = forms.CharField(
        max_length=rules.LONGEST_TEXT,
        required=False,
        label=gettext_lazy("Description"),
        help_text=gettext_lazy("Markdown: **bold**, lists with -, - [ ] for a step to tick off, ``` for code."),
        widget=forms.Textarea(attrs={"rows": 6}),
    )
    state = forms.ChoiceField(label=gettext_lazy("State"))
    priority = forms.ChoiceField(label=gettext_lazy("Priority"), choices=list(PRIORITIES.items()), initial="none")
    assignees = forms.MultipleChoiceField(
        required=False, label=gettext_lazy("Assigned to"), widget=forms.CheckboxSelectMultiple
    )
    start_on = _day(gettext_lazy("Start"))
    due_on = _day(gettext_lazy("Due"))
    estimate = forms.CharField(
        max_length=20,
        required=False,
        label=gettext_lazy("Estimate"),
        help_text=gettext_lazy("Such as 2h, 1h 30m or 2d."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        agency_id: int,
        states: list[queries.State],
        initial: queries.Task | dict[str, Any] | None = None,
    ) -> None:
        present: list[tuple[UUID, str]] = []
        if isinstance(initial, queries.Task):
            present = initial.assignees
            initial = {
                "title": initial.title,
                "description": initial.description,
                "state": str(initial.state.id),
                "priority": initial.priority,
                "assignees": [str(id) for id in initial.assignee_ids],
                "start_on": initial.start_on,
                "due_on": initial.due_on,
                "estimate": initial.estimate,
                "version": initial.version,
            }
        super().__init__(data, initial=initial)
        cast(forms.ChoiceField, self.fields["state"]).choices = [(str(each.id), each.name) for each in states]
        people = {person.id: person.name for person in accounts.members(agency_id)}
        # Who has left stays until somebody takes them off.
        people |= {id: name for id, name in present if id not in people}
        cast(forms.MultipleChoiceField, self.fields["assignees"]).choices = [
            (str(id), name) for id, name in people.items()
        ]

    def clean_estimate(self) -> int | None:
        text = str(self.cleaned_data["estimate"])
        if not text.strip():
            return None
        try:
            return rules.minutes(text)
        except rules.BadDuration as error:
            raise forms.ValidationError(str(error)) from error

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        try:
            rules.check_days(said.get("start_on"), said.get("due_on"))
        except rules.BadTask as error:
            self.add_error("due_on", _(str(error)))
        return said

    def values(self) -> dict[str, Any]:
        """Return what the services take of a valid form."""
        said = self.cleaned_data
        return {
            "title": said["title"],
            "description": said["description"],
            "state_id": UUID(said["state"]),
            "priority": said["priority"],
            "assignee_ids": [UUID(id) for id in said["assignees"]],
            "start_on": said["start_on"],
            "due_on": said["due_on"],
            "estimate_minutes": said["estimate"],
        }
