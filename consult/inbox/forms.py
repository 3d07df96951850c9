"""HTML input of the inbox to clean values. What cannot be read is a BadRequest where leaving it out would mislead."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.core.exceptions import BadRequest
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from consult.accounts import queries as accounts
from consult.inbox import rules, services

Filters = rules.Filters
filters = rules.filters


def as_query(posted: Mapping[str, str]) -> Mapping[str, str]:
    """Return the filters of the list that a form was sent from: its address stands in the field `query`."""
    return QueryDict(posted.get("query", ""))


def seen(posted: Mapping[str, str]) -> int | None:
    """Return the version of the enquiry that the person looked at; None when the page did not say."""
    text = posted.get("seen", "")
    if not text:
        return None
    if not text.isdecimal() or len(text) > 9:
        raise BadRequest(_("The version is not a number."))
    return int(text)


def chosen(texts: Iterable[str]) -> list[tuple[int, int | None]]:
    """Return (number, version) of lines such as 12:5; the version may be missing."""
    found = []
    for text in texts:
        number, _colon, version = text.partition(":")
        if not number.isdecimal() or len(number) > 17 or (version and (not version.isdecimal() or len(version) > 9)):
            raise BadRequest(_("Enquiries are named by number and version."))
        found.append((int(number), int(version) if version else None))
    return found


def reason(posted: Mapping[str, str]) -> str:
    text = posted.get("reason", "")
    if text not in services.CLOSE_REASONS:
        raise BadRequest(_("There is no such reason."))
    return text


def until(posted: Mapping[str, str]) -> Any:
    """Return when a snooze ends, in the reader's own zone: a day that was picked goes before a choice."""
    found = rules.snooze_until(posted.get("day", "") or posted.get("until", ""), timezone.localtime())
    if found is None:
        raise BadRequest(_("Choose a day that lies ahead, within a year."))
    return found


def member(posted: Mapping[str, str]) -> UUID | None:
    """Return the chosen member; None stands for nobody."""
    text = posted.get("member", "")
    if text and not rules.is_uuid(text):
        raise BadRequest(_("This agency has no such member."))
    return UUID(text) if text else None


AGES = {
    "1d": gettext_noop("The last 24 hours"),
    "7d": gettext_noop("The last 7 days"),
    "over1d": gettext_noop("Older than a day"),
    "over3d": gettext_noop("Older than 3 days"),
    "over7d": gettext_noop("Older than 7 days"),
    "over30d": gettext_noop("Older than 30 days"),
}


def narrowing(
    choices: Mapping[str, list[tuple[str, str]]], members: Sequence[accounts.Person], said: rules.Filters
) -> list[dict[str, Any]]:
    """Return the selects above the list: name, label, value, options. One that offers no choice is left out."""
    people = [(rules.NOBODY_YET, _("Nobody yet")), *((str(person.id), person.name) for person in members)]
    ages = [(age, _(words)) for age, words in AGES.items()]
    found = [
        {"name": "site", "label": _("Site"), "value": said.site, "options": choices["sites"]},
        {"name": "form", "label": _("Form"), "value": said.form, "options": choices["forms"]},
        {"name": "client", "label": _("Client"), "value": said.client, "options": choices["clients"]},
        {"name": "assignee", "label": _("Assignee"), "value": said.assignee, "options": people},
        {"name": "age", "label": _("Age"), "value": said.age, "options": ages},
    ]
    return [each for each in found if len(each["options"]) > 1 or each["value"]]
