"""HTML input of accounts to clean values."""

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from consult.accounts import queries, rules

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
