"""A task's changes in words."""

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from consult.tasks import queries
from consult.tasks.forms.tasks import PRIORITIES

FIELDS = {
    "title": gettext_noop("title"),
    "state": gettext_noop("state"),
    "priority": gettext_noop("priority"),
    "start_on": gettext_noop("start"),
    "due_on": gettext_noop("due date"),
    "estimate_minutes": gettext_noop("estimate"),
}
WHY = {"undo": gettext_noop("by taking a change back"), "convert_enquiry": gettext_noop("by converting an enquiry")}


@dataclasses.dataclass(frozen=True)
class Said:
    """A change as a page tells it."""

    text: str
    by: str
    at: dt.datetime


def said(changes: Sequence[queries.Change], names: Mapping[UUID, str]) -> list[Said]:
    """Return changes in words, in the same order."""
    return [Said(_words(each, names), each.by_name, each.at) for each in changes]


def _words(change: queries.Change, names: Mapping[UUID, str]) -> str:
    text = _text(change, names)
    return f"{text}, {_(WHY[change.why])}" if change.why in WHY else text


def _text(change: queries.Change, names: Mapping[UUID, str]) -> str:
    match change.field:
        case "created":
            return _("made the task")
        case "description":
            return _("changed the description")
        case "trashed":
            return _("put it into the trash") if change.after else _("took it out of the trash")
        case "assignees":
            before, after = change.before or [], change.after or []
            came = [names.get(UUID(id), _("a former member")) for id in after if id not in before]
            went = [names.get(UUID(id), _("a former member")) for id in before if id not in after]
            parts = [_("assigned %(who)s") % {"who": ", ".join(came)}] if came else []
            parts += [_("took %(who)s off") % {"who": ", ".join(went)}] if went else []
            return _(" and ").join(parts)
    what = _(FIELDS[change.field]) if change.field in FIELDS else change.field
    before, after = _value(change.field, change.before), _value(change.field, change.after)
    if not change.after:
        return _("took the %(what)s away, which was %(before)s") % {"what": what, "before": before}
    if not change.before:
        return _("set the %(what)s to %(after)s") % {"what": what, "after": after}
    return _("changed the %(what)s from %(before)s to %(after)s") % {"what": what, "before": before, "after": after}


def _value(field: str, value: Any) -> str:
    if not value:
        return ""
    if field == "state":
        return str(value["name"])
    if field == "priority":
        return str(PRIORITIES[value]).lower()
    if field == "estimate_minutes":
        return queries.duration(value)
    return str(value)
