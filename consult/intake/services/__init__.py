"""Writes of intake: sites and forms. Submissions are written by the edge's door, `intake_accept_v2`."""

import dataclasses
import datetime as dt
import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.core import mail
from django.db import connection
from django.urls import reverse
from django.utils.translation import gettext as _

from consult.accounts import queries as accounts_queries
from consult.accounts import services as accounts
from consult.core import files as stored_files
from consult.core import queue, tenancy
from consult.crm import queries as crm_queries
from consult.crm import services as crm
from consult.intake import models, queries, reports, rules
from consult.intake.services.blocks import (
    FreeMail,
    NoSuchBlock,
    NotBlockable,
    TooManyBlocks,
    block_sender,
    unblock_sender,
)

__all__ = ["FreeMail", "NoSuchBlock", "NotBlockable", "TooManyBlocks", "block_sender", "unblock_sender"]

log = structlog.get_logger("consult.intake")
DEFAULT = rules.Settings()


class NoSuchForm(Exception):
    """The agency has no form of this id."""


class AnotherSubmission(Exception):
    """There is a submission of this id already, with other content."""


class NothingSetAside(Exception):
    """The agency has nothing of this id set aside."""


class NoSuchSite(Exception):
    """The agency has no site of this id."""


class NoSuchClient(Exception):
    """The agency has no client of this id."""


def create_site(
    *,
    agency_id: int,
    name: str,
    url: str,
    client_name: str = "",
    client_id: UUID | None = None,
    fallback_contact: str = "",
    by: UUID | None = None,
) -> UUID:
    """Add a website of the client of that name, made now if there is none, or of that id; of neither: the agency's own.

    Return its id. Raise NoSuchClient.
    """
    with tenancy.agency(agency_id):
        client_id = _client(agency_id, client_name, client_id, by)
        site = models.Site.objects.create(
            agency_id=agency_id, name=name, url=url, client_id=client_id, fallback_contact=fallback_contact
        )
        accounts.record("intake.create_site", agency_id=agency_id, by=by, subject_id=site.id)
    return site.id


def update_site(
    *,
    agency_id: int,
    site_id: UUID,
    name: str,
    url: str,
    client_name: str = "",
    client_id: UUID | None = None,
    fallback_contact: str = "",
    by: UUID | None = None,
) -> None:
    """Change a website; its client as for `create_site`. Raise NoSuchSite, NoSuchClient."""
    with tenancy.agency(agency_id):
        client_id = _client(agency_id, client_name, client_id, by)
        site = models.Site.objects.select_for_update().filter(agency_id=agency_id, id=site_id).first()
        if site is None:
            raise NoSuchSite
        before = _said_of_site(site)
        site.name, site.url, site.client_id, site.fallback_contact = name, url, client_id, fallback_contact
        site.save(update_fields=["name", "url", "client_id", "fallback_contact"])
        data = accounts.changes(before, _said_of_site(site))
        accounts.record("intake.update_site", agency_id=agency_id, by=by, subject_id=site_id, data=data)


def _said_of_site(site: models.Site) -> dict[str, Any]:
    """What the audit compares."""
    return {
        "name": site.name,
        "url": site.url,
        "client": str(site.client_id) if site.client_id else None,
        "fallback_contact": site.fallback_contact,
    }


def _client(agency_id: int, name: str, client_id: UUID | None, by: UUID | None) -> UUID | None:
    if name:
        return crm.ensure_client(agency_id=agency_id, name=name, by=by)
    if client_id and crm_queries.client(agency_id, client_id) is None:
        raise NoSuchClient(client_id)
    return client_id


def lock_site(*, agency_id: int, site_id: UUID) -> None:
    """Let nobody else change a site until this transaction ends. Raise NoSuchSite."""
    with tenancy.agency(agency_id):
        if not models.Site.objects.select_for_update().filter(agency_id=agency_id, id=site_id).exists():
            raise NoSuchSite(site_id)


def lock_form(*, agency_id: int, form_id: UUID) -> None:
    """Let nobody else change a form until this transaction ends. Raise NoSuchForm."""
    with tenancy.agency(agency_id):
        if not models.Form.objects.select_for_update().filter(agency_id=agency_id, id=form_id).exists():
            raise NoSuchForm(form_id)


def create_form(
    *,
    agency_id: int,
    site_id: UUID,
    name: str,
    fields: Sequence[Mapping[str, Any]],
    allowed_origins: Sequence[str] = (),
    redirect_targets: Sequence[str] = (),
    notify_addresses: Sequence[str] = (),
    settings: rules.Settings = DEFAULT,
    honeypot: str = "",
    files: Mapping[str, Any] | None = None,
    key: str | None = None,
    by: UUID | None = None,
) -> UUID:
    """Add a form to a site. Return its id. `files` as rules.clean_files gives it; without it what the fields need.

    Raise rules.BadDefinition, NoSuchSite.
    """
    with tenancy.agency(agency_id):
        lock_site(agency_id=agency_id, site_id=site_id)
        form = models.Form.objects.create(
            agency_id=agency_id,
            site_id=site_id,
            name=name,
            key=key or rules.new_key(),
            **_addresses(allowed_origins, redirect_targets, notify_addresses),
            **dataclasses.asdict(settings),
        )
        _write_version(form, fields, honeypot, files)
        accounts.record("intake.create_form", agency_id=agency_id, by=by, subject_id=form.id)
    return form.id


def update_form(
    *,
    agency_id: int,
    form_id: UUID,
    name: str,
    fields: Sequence[Mapping[str, Any]],
    allowed_origins: Sequence[str],
    redirect_targets: Sequence[str],
    notify_addresses: Sequence[str],
    settings: rules.Settings | None = None,
    honeypot: str | None = None,
    files: Mapping[str, Any] | None = None,
    by: UUID | None = None,
) -> None:
    """Change a form by writing its next version; what was sent keeps the version it was sent with.

    Settings, honeypot and files stay as they are when they are not given. Raise rules.BadDefinition, NoSuchForm.
    """
    with tenancy.agency(agency_id):
        form = models.Form.objects.select_for_update().filter(agency_id=agency_id, id=form_id).first()
        if form is None:
            raise NoSuchForm
        before = _said_of_form(form)
        form.name, form.version = name, form.version + 1
        for attribute, value in _addresses(allowed_origins, redirect_targets, notify_addresses).items():
            setattr(form, attribute, value)
        for attribute, value in (dataclasses.asdict(settings) if settings else {}).items():
            setattr(form, attribute, value)
        _write_version(form, fields, honeypot, files)
        form.save()
        accounts.record(
            "intake.update_form",
            agency_id=agency_id,
            by=by,
            subject_id=form.id,
            data={"version": form.version, **accounts.changes(before, _said_of_form(form))},
        )


def _said_of_form(form: models.Form) -> dict[str, Any]:
    """What the audit compares: its settings. What it asks for is kept whole, version by version."""
    names = ("name", "allowed_origins", "redirect_targets", "notify_addresses")
    return {name: getattr(form, name) for name in (*names, *(each.name for each in dataclasses.fields(rules.Settings)))}


def rotate_form_secret(*, key: str) -> None:
    """Give a form a new secret for its proof of work; the edge hears of it at once. Raise NoSuchForm."""
    for agency_id, _slug, _name in accounts_queries.agencies():
        with tenancy.agency(agency_id):
            form = models.Form.objects.select_for_update().filter(agency_id=agency_id, key=key).first()
            if form is not None:
                form.secret = rules.new_secret()
                form.save(update_fields=["secret"])
                accounts.record("intake.rotate_form_secret", agency_id=agency_id, subject_id=form.id)
                return
    raise NoSuchForm


def _addresses(origins: Sequence[str], targets: Sequence[str], notify: Sequence[str]) -> dict[str, list[str]]:
    return {
        "allowed_origins": [rules.clean_origin(origin) for origin in origins],
        "redirect_targets": [rules.clean_target(target) for target in targets],
        "notify_addresses": [address.strip() for address in notify],
    }


def _write_version(
    form: models.Form, fields: Sequence[Mapping[str, Any]], honeypot: str | None, files: Mapping[str, Any] | None
) -> None:
    before = models.FormVersion.objects.filter(
        agency_id=form.agency_id, form=form, version=form.version - 1
    ).first() or models.FormVersion(fields=[], honeypot="", files={})
    cleaned = rules.clean_fields(fields)
    if files is None:
        files = before.files or rules.clean_files(count=0, megabytes=10, total=20, kinds=(), fields=cleaned)
    models.FormVersion.objects.create(
        agency_id=form.agency_id,
        form=form,
        version=form.version,
        name=form.name,
        fields=rules.since(cleaned, before.fields, form.version),
        honeypot=rules.clean_honeypot(before.honeypot if honeypot is None else honeypot, cleaned),
        files=dict(files),
    )


def lock_set_aside(*, agency_id: int, id: UUID) -> None:
    """Let nobody else change it until the transaction is done. Raise NothingSetAside."""
    with tenancy.agency(agency_id):
        if not models.SetAside.objects.select_for_update().filter(agency_id=agency_id, id=id).values("id").first():
            raise NothingSetAside


def resolve_set_aside(*, agency_id: int, id: UUID, now: dt.datetime, by: UUID | None) -> None:
    """Say that somebody has dealt with what was set aside; it stays where it is. Raise NothingSetAside."""
    _mark_set_aside("intake.resolve_set_aside", agency_id=agency_id, id=id, resolved_at=now, by=by)


def reopen_set_aside(*, agency_id: int, id: UUID, by: UUID | None) -> None:
    """Take that back. Raise NothingSetAside."""
    _mark_set_aside("intake.reopen_set_aside", agency_id=agency_id, id=id, resolved_at=None, by=by)


def _mark_set_aside(action: str, *, agency_id: int, id: UUID, resolved_at: dt.datetime | None, by: UUID | None) -> None:
    with tenancy.agency(agency_id):
        rows = models.SetAside.objects.filter(agency_id=agency_id, id=id)
        if rows.filter(resolved_at__isnull=resolved_at is not None).update(resolved_at=resolved_at):
            accounts.record(action, agency_id=agency_id, by=by, subject_id=id)
        elif not rows.exists():
            raise NothingSetAside


CHECKED_DAYS = 3
# The roles that can do something about it.
TOLD = ("owner", "admin")


def check_conservation(*, agency_id: int, now: dt.datetime) -> None:
    """Compare what was accepted with what is there; warn of what is still wrong at the second look.

    Between a replay's commit and the edge's next report the count may be off for seconds: one look is none. Owners and
    admins get one mail a UTC day at most; the log gets numbers each time.
    """
    with tenancy.agency(agency_id):
        days = reports.conservation(agency_id, now.date() - dt.timedelta(days=CHECKED_DAYS - 1))
        wrong = {(str(day.form_id), str(day.day)): day.difference for day in days if day.difference}
        late = reports.waiting(agency_id, now)
        alarm = models.Alarm.objects.select_for_update().filter(agency_id=agency_id).first()
        if alarm is None:
            if not (wrong or late or reports.attention_count(agency_id)):
                return
            alarm = models.Alarm(agency_id=agency_id)
        before = {(form_id, day) for form_id, day, _difference in alarm.differences}
        confirmed = sum(day in before for day in wrong)
        aside = models.SetAside.objects.filter(agency_id=agency_id, resolved_at=None)
        fresh = aside.filter(created_at__gt=alarm.told_at or now - dt.timedelta(days=CHECKED_DAYS)).count()
        alarm.checked_at, alarm.confirmed, alarm.waiting = now, confirmed, late
        alarm.differences = [[form_id, day, difference] for (form_id, day), difference in wrong.items()]
        if confirmed or late or fresh:
            missing = sum(wrong.values())
            log.warning(
                "conservation", agency=agency_id, confirmed=confirmed, missing=missing, waiting=late, set_aside=fresh
            )
            if alarm.told_at is None or alarm.told_at.date() < now.date():
                alarm.told_at = now
                found = {"confirmed": confirmed, "waiting": late, "set_aside": aside.count()}
                people = [person.id for person in accounts_queries.members(agency_id) if person.role in TOLD]
                queue.enqueue_each("intake.tell_attention", [{"member_id": str(id), **found} for id in people])
        alarm.save()


def tell_attention(*, agency_id: int, member_id: UUID, confirmed: int, waiting: int, set_aside: int) -> None:
    """Mail a member that something needs attention: so many days, submissions and rows."""
    with tenancy.agency(agency_id):
        people = [person.email for person in accounts_queries.members(agency_id) if person.id == member_id]
        path = reverse("intake:attention", args=[accounts_queries.agency_slug(agency_id)])
    lines = [
        *([_("Set aside, because the database did not take it: %d") % set_aside] if set_aside else []),
        *([_("Days on which the count does not add up: %d") % confirmed] if confirmed else []),
        *([_("Waiting in an edge's spool for more than ten minutes: %d") % waiting] if waiting else []),
    ]
    body = "\n".join(
        [
            _("Something about incoming enquiries needs your attention:"),
            "",
            *lines,
            "",
            f"{settings.CONSULT_OFFICE_URL}{path}",
            "",
            _("Nothing is thrown away. There will be no second mail about this today."),
        ]
    )
    subject = _("Consult: enquiries need your attention")
    for address in people:
        mail.EmailMessage(subject=subject, body=body, to=[address]).send()


def check_forms(
    *, agency_id: int, held: Mapping[UUID, tuple[tuple[int, int], tuple[int, int]]], now: dt.datetime
) -> None:
    """Look for forms that have gone silent, or of which suddenly much is held; tell owners and admins of each once.

    `held` is of each form (held, all): of the last day, and of the weeks before. An alarm ends by itself.
    """
    with tenancy.agency(agency_id):
        found = reports.silent_forms(agency_id, now)
        for form_id, (fresh, before) in held.items():
            if rules.held_has_jumped(fresh, before):
                found.append(reports.FormAlarm(form_id, "held", now, round(100 * fresh[0] / fresh[1])))
        alarm = models.Alarm.objects.select_for_update().filter(agency_id=agency_id).first()
        if alarm is None:
            if not found:
                return
            alarm = models.Alarm(agency_id=agency_id, checked_at=now)
        known = {(id, kind): since for id, kind, since, _by in alarm.forms}
        fresh_ones = [each for each in found if (str(each.form_id), each.kind) not in known]
        alarm.forms = [
            [str(each.form_id), each.kind, known.get((str(each.form_id), each.kind), each.since.isoformat()), each.by]
            for each in found
        ]
        alarm.save()
        if fresh_ones:
            log.warning(
                "forms", agency=agency_id, silent=sum(each.kind == "silent" for each in found), alarms=len(found)
            )
            told = [[str(each.form_id), each.kind, each.by] for each in fresh_ones]
            people = [person.id for person in accounts_queries.members(agency_id) if person.role in TOLD]
            queue.enqueue_each("intake.tell_forms", [{"member_id": str(id), "forms": told} for id in people])


def tell_forms(*, agency_id: int, member_id: UUID, forms: Sequence[tuple[str, str, int]]) -> None:
    """Mail a member which forms behave otherwise than they did: (form id, kind, by how much), as in `FormAlarm`."""
    with tenancy.agency(agency_id):
        people = [person.email for person in accounts_queries.members(agency_id) if person.id == member_id]
        path = reverse("intake:attention", args=[accounts_queries.agency_slug(agency_id)])
        labels = queries.form_labels(agency_id)
    lines = []
    for id, kind, by in forms:
        if label := labels.get(UUID(id)):
            words = _("%(form)s: nothing for %(n)d days, which is longer than usual")
            if kind == "held":
                words = _("%(form)s: %(n)d %% of what came since yesterday is held, more than usual")
            lines.append(words % {"form": f"{label.site_name}, {label.form_name}", "n": by})
    if not lines:
        return
    said = [
        _("A form behaves otherwise than it did:"),
        "",
        *lines,
        "",
        _("Send it yourself once from the site, to see whether it still works."),
        f"{settings.CONSULT_OFFICE_URL}{path}",
        "",
        _("There will be no second mail about this unless it ends and begins again."),
    ]
    for address in people:
        mail.EmailMessage(subject=_("Consult: look at a form"), body="\n".join(said), to=[address]).send()


def type_in(
    *,
    agency_id: int,
    id: UUID,
    form_id: UUID,
    channel: str,
    by: UUID | None,
    name: str = "",
    email: str = "",
    phone: str = "",
    company: str = "",
    message: str = "",
) -> None:
    """Store what somebody told staff as a submission of this form, by the office's own door (sql/type_in_v1.sql).

    `channel` says how it came, such as phone. The same again under the same id changes nothing.
    Raise NoSuchForm, AnotherSubmission.
    """
    with tenancy.agency(agency_id):
        form = models.Form.objects.filter(agency_id=agency_id, id=form_id).first()
        if form is None:
            raise NoSuchForm
        version = models.FormVersion.objects.get(agency_id=agency_id, form=form, version=form.version)
        fields = rules.typed_fields(
            version.fields, name=name, email=email, phone=phone, company=company, message=message
        )
        sent = json.dumps(fields, ensure_ascii=False)
        digest = hashlib.blake2b(sent.encode(), digest_size=16).digest()
        request_id = structlog.contextvars.get_contextvars().get("request_id", "")
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT intake_type_in_v1(%s, %s, %s, %s, %s::jsonb, %s, %s)",
                [id, form_id, rules.new_receipt(), digest, sent, channel, request_id],
            )
            [outcome] = cursor.fetchone()
        if outcome not in (None, "duplicate"):
            raise AnotherSubmission(outcome)
        if outcome is None:
            accounts.record("intake.type_in", agency_id=agency_id, by=by, subject_id=id, data={"channel": channel})


def forget_addresses(*, now: dt.datetime) -> int:
    """Cut short every agency's addresses that are older than their form keeps them. Return how many there were."""
    total = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute("SELECT intake_forget_addresses_v1(%s, %s)", [now, FORGET_AT_ONCE])
            count = int(cursor.fetchone()[0])
        total += count
        if count < FORGET_AT_ONCE:
            return total


FORGET_AT_ONCE = 1_000


def sweep_files(*, now: dt.datetime) -> int:
    """Remove every agency's files that no submission names, when they are so old that none will. Return how many."""
    unnamed = (now - dt.timedelta(days=rules.KEEP_UNNAMED_FILES_DAYS)).timestamp()
    removed = stored_files.sweep_incoming(before=(now - dt.timedelta(days=rules.KEEP_INCOMING_FILES_DAYS)).timestamp())
    for agency_id, _slug, _name in accounts_queries.agencies():
        with tenancy.agency(agency_id):
            named = functools.partial(queries.file_ids, agency_id)
            removed += stored_files.sweep(agency_id, named, before=unnamed)
    if removed:
        log.info("files swept", removed=removed)
    return removed
