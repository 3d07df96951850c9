"""What members are told of."""

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from uuid import UUID

from django.apps import apps
from django.db import connection

from consult.accounts import models, rules
from consult.accounts.queries.agencies import agency_slug
from consult.accounts.queries.members import people

PAGE = 50


@dataclasses.dataclass(frozen=True)
class Notification:
    """One thing that a member is told of. `subject` is what it is called, `url` its page; empty when it is gone."""

    id: UUID
    kind: str
    feature: str
    subject_id: UUID
    subject: str
    url: str
    by_id: UUID | None
    by: str
    at: dt.datetime
    read_at: dt.datetime | None


def notifications(agency_id: int, member_id: UUID, *, unread: bool = False) -> list[Notification]:
    """Return the latest 50 of a member, also those that they have read unless `unread`; the latest first."""
    found = models.Notification.objects.filter(agency_id=agency_id, member_id=member_id)
    found = found.filter(read_at=None) if unread else found
    return shown(agency_id, list(found.order_by("-at", "-id")[:PAGE]))


def notifications_before(agency_id: int, member_id: UUID, before: UUID | None, limit: int) -> list[Notification]:
    """Return a member's by falling id, from `before` on."""
    found = models.Notification.objects.filter(agency_id=agency_id, member_id=member_id)
    found = found.filter(id__lt=before) if before else found
    return shown(agency_id, list(found.order_by("-id")[:limit]))


def unread(agency_id: int, member_id: UUID) -> int:
    """Return how many a member has not read; a hundred stands for more."""
    found = models.Notification.objects.filter(agency_id=agency_id, member_id=member_id, read_at=None)
    return len(found.values_list("id")[:100])


def choices(agency_id: int, member_id: UUID) -> dict[str, str]:
    """Return how a member hears of each kind of thing (rules.NOTIFICATION_KINDS, rules.HOWS)."""
    member = models.Member.objects.get(agency_id=agency_id, id=member_id)
    return {kind: getattr(member, f"hears_{kind}") for kind in rules.NOTIFICATION_KINDS}


def shown(agency_id: int, rows: Sequence[models.Notification]) -> list[Notification]:
    """Return these with what people and things are called, which each feature says of its own, as in the audit."""
    if not rows:
        return []
    names = {person.id: person.name for person in people(agency_id)}
    subjects = _subjects(agency_id, rows)
    return [
        Notification(
            id=row.id,
            kind=row.kind,
            feature=row.feature,
            subject_id=row.subject_id,
            subject=subjects.get(row.subject_id, ("", ""))[0],
            url=subjects.get(row.subject_id, ("", ""))[1],
            by_id=row.by_id,
            by=names.get(row.by_id, "") if row.by_id else "",
            at=row.at,
            read_at=row.read_at,
        )
        for row in rows
    ]


def _subjects(agency_id: int, rows: Sequence[models.Notification]) -> Mapping[UUID, tuple[str, str]]:
    ids: dict[str, set[UUID]] = {}
    for row in rows:
        ids.setdefault(row.feature, set()).add(row.subject_id)
    slug, found = agency_slug(agency_id), dict[UUID, tuple[str, str]]()
    for label, of_feature in ids.items():
        name = getattr(apps.get_app_config(label), "audit_subjects", None) if label in apps.app_configs else None
        if name:
            found |= name(agency_id, slug, of_feature)
    return found


def agencies_with_digests(before: dt.datetime) -> list[int]:
    """Return the agencies with e-mails for a morning, or with some on their way since before that moment."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT accounts_digests_v1(%s)", [before])
        return [row[0] for row in cursor.fetchall()]


def mention(text: str, people: Mapping[UUID, str]) -> tuple[str, set[UUID]]:
    """Return a text with its `@name`s as ids, and whose they are (rules.mention)."""
    return rules.mention(text, people)


def unmention(text: str) -> str:
    """Return such a text without the people in it."""
    return rules.unmention(text)


def with_names(text: str, names: Mapping[UUID, str]) -> list[tuple[str, bool]]:
    """Return such a text in parts: (words, whether they are somebody's name)."""
    return rules.with_names(text, names)


def spelled(text: str, names: Mapping[UUID, str]) -> str:
    """Return such a text with the names in it."""
    return "".join(words for words, _is_name in rules.with_names(text, names))
