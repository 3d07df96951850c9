"""Telling members of what they want to hear of: in their list, and by e-mail where they have chosen that.

Rows are written with their cause. E-mails are sent by jobs, which claim what they send: two of them never send the
same, and what a killed one had claimed is found by the next round (`start_digests`).
"""

import datetime as dt
import zoneinfo
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core import mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from consult.accounts import models, queries, rules
from consult.accounts.services.audit import changes, record
from consult.core import live, queue, tenancy
from consult.core import mail as core_mail

# So long an e-mail "at once" waits for what comes with it: who gives somebody ten enquiries makes one e-mail.
GATHER = dt.timedelta(seconds=20)
# Whoever has claimed one for so long was killed.
LOST_AFTER = dt.timedelta(minutes=10)
READ_KEPT, UNREAD_KEPT = dt.timedelta(days=30), dt.timedelta(days=90)
MOST_IN_MAIL = 50


class NoSuchHow(Exception):
    """Nobody can hear of something in this way."""


def notify(
    *,
    agency_id: int,
    kind: str,
    feature: str,
    subject_ids: Sequence[UUID],
    by: UUID | None,
    now: dt.datetime,
    members: Collection[UUID] | None = None,
) -> None:
    """Tell these members (None: everybody) of something, as each has chosen; never who did it, nor who has left.

    `feature` is the label of the app that says what the subjects are called (`audit_subjects`).
    """
    hears = f"hears_{kind}"
    found = models.Member.objects.filter(agency_id=agency_id, left_at=None).exclude(**{hears: "none"})
    found = found.exclude(id=by) if by else found
    if members is not None:
        found = found.filter(id__in=members)
    people = dict(found.order_by("id").values_list("id", hears))
    if not people or not subject_ids:
        return
    mails = {"mail": "due", "daily": "daily"}
    models.Notification.objects.bulk_create(
        [
            models.Notification(
                agency_id=agency_id,
                member_id=member_id,
                kind=kind,
                feature=feature,
                subject_id=subject_id,
                by_id=by,
                at=now,
                mail=mails.get(how, ""),
                mailed_at=now if how in mails else None,
            )
            for member_id, how in people.items()
            for subject_id in sorted(subject_ids)
        ],
        update_conflicts=True,
        unique_fields=["agency", "member_id", "kind", "subject_id"],
        update_fields=["by_id", "at", "read_at", "mail", "mailed_at"],
        batch_size=1000,
    )
    at_once = [{"member_id": str(id)} for id, how in people.items() if how == "mail"]
    queue.enqueue_each("accounts.mail_notifications", at_once, at=now + GATHER)
    live.nudge_each(kind="notification", ids=list(people))


def read_notifications(
    *, agency_id: int, member_id: UUID, now: dt.datetime, subject_id: UUID | None = None, ids: Sequence[UUID] = ()
) -> int:
    """Mark as read what a member was told of a subject, or these, or else all; return how many were not."""
    with tenancy.agency(agency_id):
        found = models.Notification.objects.filter(agency_id=agency_id, member_id=member_id, read_at=None)
        if subject_id:
            found = found.filter(subject_id=subject_id)
        if ids:
            found = found.filter(id__in=ids)
        count = found.update(read_at=now)
        if count:
            live.nudge(kind="notification", id=member_id)
    return count


def choose_notifications(*, agency_id: int, member_id: UUID, chosen: dict[str, str]) -> None:
    """Set how a member hears of these kinds of things; what waits for a morning is not taken back. Raise NoSuchHow."""
    if not (chosen.keys() <= set(rules.NOTIFICATION_KINDS) and set(chosen.values()) <= set(rules.HOWS)):
        raise NoSuchHow
    with tenancy.agency(agency_id):
        member = models.Member.objects.select_for_update(no_key=True).get(agency_id=agency_id, id=member_id)
        before = {kind: getattr(member, f"hears_{kind}") for kind in chosen}
        if not (data := changes(before, chosen)):
            return
        for kind, how in chosen.items():
            setattr(member, f"hears_{kind}", how)
        member.save(update_fields=[f"hears_{kind}" for kind in chosen])
        record("accounts.choose_notifications", agency_id=agency_id, by=member_id, subject_id=member_id, data=data)


def forget_notifications(*, agency_id: int, member_id: UUID) -> None:
    """Take from a member who leaves what they were told of: they may see none of it any more."""
    models.Notification.objects.filter(agency_id=agency_id, member_id=member_id).delete()


def mail_notifications(*, agency_id: int, member_id: UUID, now: dt.datetime) -> None:
    """Send a member what is due to them in one e-mail; a second run sends nothing. What fails is due again."""
    _mail(agency_id, member_id, "due", now)


def mail_digest(*, agency_id: int, member_id: UUID, now: dt.datetime) -> None:
    """Send a member what has waited for this morning in one e-mail; a second run sends nothing."""
    _mail(agency_id, member_id, "daily", now)


def start_digests(*, agency_id: int, now: dt.datetime) -> list[UUID]:
    """Have the morning's e-mail sent to those whose morning it is and who have had none today; return who they are.

    Whoever runs this twice, at once or after a crash, finds the day written down. E-mails that were claimed and never
    sent are due again.
    """
    with tenancy.agency(agency_id):
        waiting = models.Notification.objects.filter(agency_id=agency_id)
        lost = waiting.filter(mail__in=("due", "sending"), mailed_at__lt=now - LOST_AFTER)
        stranded = set(lost.values_list("member_id", flat=True))
        lost.update(mail="due", mailed_at=now)
        queue.enqueue_each("accounts.mail_notifications", [{"member_id": str(id)} for id in sorted(stranded)])
        due = set(waiting.filter(mail="daily").values_list("member_id", flat=True))
        zone = models.Agency.objects.values_list("time_zone", flat=True).get(id=agency_id)
        found = models.Member.objects.select_for_update(no_key=True, of=("self",)).select_related("user")
        told = []
        for member in found.filter(agency_id=agency_id, id__in=due, left_at=None).order_by("id"):
            local = now.astimezone(_zone(member.user.time_zone, zone))
            if rules.digest_due(local, member.digested_on):
                member.digested_on = local.date()
                member.save(update_fields=["digested_on"])
                told.append(member.id)
        queue.enqueue_each("accounts.mail_digest", [{"member_id": str(id)} for id in told])
    return told


def forget_old(*, agency_id: int, now: dt.datetime) -> int:
    """Delete what was read a month ago, and what nobody has read for three; return how many."""
    with tenancy.agency(agency_id):
        found = models.Notification.objects.filter(agency_id=agency_id)
        read, _each = found.filter(read_at__lt=now - READ_KEPT).delete()
        old, _each = found.filter(at__lt=now - UNREAD_KEPT).delete()
    return read + old


def _zone(own: str, agencys: str) -> dt.tzinfo:
    """A person's zone; UTC is what they have who never said one: then their agency's."""
    for name in (own, agencys):
        try:
            if name != "UTC":
                return zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            continue
    return dt.UTC


def _mail(agency_id: int, member_id: UUID, which: str, now: dt.datetime) -> None:
    with tenancy.agency(agency_id):
        person = queries.person(agency_id, member_id)
        found = models.Notification.objects.filter(agency_id=agency_id, member_id=member_id)
        # What they have read meanwhile, or may not see any more, needs no e-mail.
        told = found.filter(mail=which)
        if person is None or person.has_left:
            told.update(mail="")
            return
        told.exclude(read_at=None).update(mail="")
        ids = list(told.select_for_update(skip_locked=True).order_by("id").values_list("id", flat=True))
        if not ids:
            return
        claimed = found.filter(id__in=ids)
        claimed.update(mail="sending", mailed_at=now)
        message = _message(agency_id, person, list(claimed.order_by("-at", "-id")[:MOST_IN_MAIL]), len(ids), which, now)
    try:
        core_mail.send(message)
    except Exception:
        with tenancy.agency(agency_id):
            found.filter(id__in=ids, mail="sending").update(mail=which, mailed_at=now)
        raise
    with tenancy.agency(agency_id):
        found.filter(id__in=ids, mail="sending").update(mail="sent", mailed_at=now)


def said(kind: str, by: str) -> str:
    """Return what happened to a subject, in words that stand before what it is called."""
    match kind:
        case "assigned":
            return _("%(who)s gave you") % {"who": by} if by else _("You were given")
        case "mentioned":
            return _("%(who)s mentioned you in") % {"who": by} if by else _("You were mentioned in")
    return _("New:")


def _message(
    agency_id: int,
    person: queries.Person,
    rows: list[models.Notification],
    count: int,
    which: str,
    now: dt.datetime,
) -> mail.EmailMultiAlternatives:
    agency = models.Agency.objects.get(id=agency_id)
    lines = [
        {"text": f"{said(each.kind, each.by)} {each.subject}", "link": settings.CONSULT_OFFICE_URL + each.url}
        for each in queries.shown(agency_id, rows)
        if each.url
    ]
    page = reverse("accounts:notification_list", args=[agency.slug])
    subject = ngettext("%(n)s thing since yesterday", "%(n)s things since yesterday", count) % {"n": count}
    if which == "due":
        subject = lines[0]["text"] if len(lines) == 1 else ngettext("%(n)s thing", "%(n)s things", count) % {"n": count}
    context: dict[str, Any] = {
        "agency": agency.name,
        "subject": f"{subject} · {agency.name}",
        "lines": lines,
        "more": count - len(rows),
        "link": settings.CONSULT_OFFICE_URL + page,
    }
    message = mail.EmailMultiAlternatives(
        subject=core_mail.one_line(context["subject"]),
        body=render_to_string("accounts/mail/notifications.txt", context),
        to=[person.email],
        headers={"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"},
    )
    message.attach_alternative(render_to_string("accounts/mail/notifications.html", context), "text/html")
    return message
