"""The audit, in words: who did what, when, from where, and what it was before."""

import base64
import binascii
import dataclasses
import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from consult.accounts import models, queries
from consult.core import tenancy

PAGE = 50
# Rows of a download that are read in one transaction: a slow reader must not hold one open.
AT_ONCE = 500
# In place of a member's id: what nobody of the agency did.
PROGRAM = "program"


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What is looked for; None and empty mean everything. `since` counts, `until` does not."""

    by: UUID | str | None = None
    action: str = ""
    subject_id: UUID | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None


@dataclasses.dataclass(frozen=True)
class Change:
    """What a setting was and is, in words; `before` or `after` is empty where there was or is nothing."""

    name: str
    before: str
    after: str


@dataclasses.dataclass(frozen=True)
class Line:
    """One thing that was done. `subject` and `subject_url` are empty when it is gone, or never was one."""

    id: UUID
    at: dt.datetime
    who: str
    member_id: UUID | None
    action: str
    said: str
    subject_id: UUID | None
    subject: str
    subject_url: str
    origin: str
    place: str
    token: str
    token_id: UUID | None
    changes: list[Change]
    data: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Page:
    """One page, the latest first; `next_cursor` is empty on the last."""

    lines: list[Line]
    next_cursor: str


def audit(agency_id: int, wanted: Wanted, *, before: str = "", names: Mapping[UUID, str] | None = None) -> Page:
    """Return the latest 50 before the cursor. An unreadable cursor means the first page.

    `names` are the members' (queries.member_names), where somebody has asked for them already.
    """
    rows = list(queries.lying_before(_wanted(agency_id, wanted), _decode(before))[: PAGE + 1])
    more = len(rows) > PAGE
    rows = rows[:PAGE]
    return Page(_lines(agency_id, rows, names), _encode(rows[-1]) if more else "")


def every_line(agency_id: int, wanted: Wanted) -> Iterator[Line]:
    """Yield all of it, the latest first, entering the agency for some rows at a time. Call it outside the agency."""
    last: tuple[dt.datetime, UUID] | None = None
    while True:
        with tenancy.agency(agency_id):
            rows = list(queries.lying_before(_wanted(agency_id, wanted), last)[:AT_ONCE])
            shown = _lines(agency_id, rows)
        yield from shown
        if len(rows) < AT_ONCE:
            return
        last = (rows[-1].created_at, rows[-1].id)


def actions() -> dict[str, str]:
    """Return what every kind of audit row says, by action, in the order of the words.

    Each feature says its own, as `actions` of its AppConfig: features are entered from above, and the audit lies below.
    """
    said = {action: str(words) for config in apps.get_app_configs() for action, words in _of(config, "actions").items()}
    return dict(sorted(said.items(), key=lambda pair: pair[1].casefold()))


def _of(config: Any, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = getattr(config, name, {})
    return found


def _wanted(agency_id: int, wanted: Wanted) -> QuerySet[models.Audit]:
    found = models.Audit.objects.filter(agency_id=agency_id)
    if wanted.by == PROGRAM:
        found = found.filter(by=None)
    elif isinstance(wanted.by, UUID):
        found = found.filter(by_id=wanted.by)
    if wanted.action:
        found = found.filter(action=wanted.action)
    if wanted.subject_id:
        found = found.filter(subject_id=wanted.subject_id)
    if wanted.since:
        found = found.filter(created_at__gte=wanted.since)
    if wanted.until:
        found = found.filter(created_at__lt=wanted.until)
    return found.order_by("-created_at", "-id")


def _lines(agency_id: int, rows: list[models.Audit], names: Mapping[UUID, str] | None = None) -> list[Line]:
    names = queries.member_names(agency_id) if names is None else names
    tokens = _tokens(agency_id, rows)
    said = actions()
    subjects = _subjects(agency_id, rows)
    shown = []
    for row in rows:
        subject, url = subjects.get(row.subject_id, ("", "")) if row.subject_id else ("", "")
        shown.append(
            Line(
                id=row.id,
                at=row.created_at,
                who=_who(row, names),
                member_id=row.by_id,
                action=row.action,
                # What nobody has found words for yet is told by its own name.
                said=said.get(row.action) or row.action.partition(".")[2].replace("_", " "),
                subject_id=row.subject_id,
                subject=subject,
                subject_url=url,
                origin=row.origin,
                place=_place(row.origin),
                token=tokens.get(row.token_id, "") if row.token_id else "",
                token_id=row.token_id,
                changes=_changes(row.data, {str(id): name for id, name in names.items()}),
                data=row.data,
            )
        )
    return shown


def _who(row: models.Audit, names: Mapping[UUID, str]) -> str:
    if row.by_id:
        return names.get(row.by_id) or _("Somebody who left")
    if row.token_id:
        return _("A token of the agency")
    if row.origin.startswith("admin"):
        return _("An administrator of the server")
    # A request of nobody: their place in the agency is gone with their name.
    return _("Somebody who left") if row.origin[:1].isdigit() or ":" in row.origin else "Consult"


def _tokens(agency_id: int, rows: list[models.Audit]) -> dict[UUID, str]:
    ids = {row.token_id for row in rows if row.token_id}
    if not ids:
        return {}
    return dict(models.ApiToken.objects.filter(agency_id=agency_id, id__in=ids).values_list("id", "name"))


def _subjects(agency_id: int, rows: list[models.Audit]) -> dict[UUID, tuple[str, str]]:
    """Ask the feature that an action belongs to what its subjects are called: (name, address of its page)."""
    ids: dict[str, set[UUID]] = {}
    for row in rows:
        if row.subject_id:
            ids.setdefault(row.action.partition(".")[0], set()).add(row.subject_id)
    found: dict[UUID, tuple[str, str]] = {}
    slug = queries.agency_slug(agency_id) if ids else ""
    for label, of_feature in ids.items():
        name = getattr(apps.get_app_config(label), "audit_subjects", None) if label in apps.app_configs else None
        if name:
            found |= name(agency_id, slug, of_feature)
    return found


def _place(origin: str) -> str:
    kind, _space, rest = origin.partition(" ")
    match kind:
        case "":
            return ""
        case "job":
            return _("in the background")
        case "command":
            return _("by a command on the server")
        case "admin":
            return _("in the admin, from %(network)s") % {"network": rest} if rest else _("in the admin")
    return _("from %(network)s") % {"network": origin}


def _changes(data: dict[str, Any], names: Mapping[str, str]) -> list[Change]:
    before, after = data.get("before"), data.get("after")
    if not isinstance(before, dict) or not isinstance(after, dict):
        # What is no change is told by its own name, people by theirs.
        rest = {name: value for name, value in data.items() if name not in ("before", "after")}
        return [
            Change(_label(name), "", _shown(value, names)) for name, value in rest.items() if value not in (None, "")
        ]
    return [
        Change(names.get(name) or _label(name), _shown(before.get(name), names), _shown(after.get(name), names))
        for name in {**before, **after}
    ]


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _shown(value: Any, names: Mapping[str, str]) -> str:
    if value is None or value in ("", []):
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(_shown(item, names) for item in value)
    return names.get(str(value), str(value))


def _encode(row: models.Audit) -> str:
    return base64.urlsafe_b64encode(f"{row.created_at.isoformat()}|{row.id}".encode()).decode().rstrip("=")


def _decode(cursor: str) -> tuple[dt.datetime, UUID] | None:
    try:
        at, _bar, id = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().partition("|")
        moment = dt.datetime.fromisoformat(at)
        return (moment.astimezone(dt.UTC), UUID(id)) if moment.tzinfo else None
    except (ValueError, OverflowError, binascii.Error, UnicodeDecodeError):
        return None
