"""Agencies: their beginning, their settings, their end."""

import datetime as dt
import zoneinfo
from collections.abc import Mapping
from email.utils import getaddresses, parseaddr
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from consult.accounts import models, queries, rules
from consult.accounts.services import audit
from consult.accounts.services.audit import record
from consult.core import files, queue, tenancy
from consult.core import mail as core_mail

log = structlog.get_logger("consult.accounts")

GRACE = dt.timedelta(days=30)
# A logo that no agency names was left by a process that died between writing it and saying so.
KEEP_UNNAMED_LOGOS = dt.timedelta(days=1)


class BadName(ValueError):
    """A slug that no address could hold: small letters, digits and dashes between them, at most 40."""


class NameTaken(Exception):
    """An agency's slug that the product answers itself, or that another agency has."""


class BadSetting(ValueError):
    """A value that this setting cannot have; the text is the setting's name."""


class BadLogo(ValueError):
    """Neither PNG nor JPEG nor WebP, or too large."""


class WrongName(ValueError):
    """Not the name of the agency that was to be deleted."""


def create_agency(*, slug: str, name: str, owner_id: int, time_zone: str = "UTC") -> int:
    """Create an agency with its owner; return its id. Raise NameTaken, BadName, ZoneInfoNotFoundError."""
    _check_slug(slug)
    zoneinfo.ZoneInfo(time_zone)
    with connection.cursor() as cursor:
        # The id comes first: row-level security lets an agency's row be written from inside it alone.
        cursor.execute("SELECT nextval(pg_get_serial_sequence('accounts_agency', 'id'))")
        agency_id: int = cursor.fetchone()[0]
    try:
        with tenancy.agency(agency_id):
            models.Agency.objects.create(id=agency_id, slug=slug, name=name, time_zone=time_zone)
            member = models.Member.objects.create(agency_id=agency_id, user_id=owner_id, role="owner")
            record("accounts.create_agency", agency_id=agency_id, by=member.id)
    except IntegrityError as error:
        _raise_taken(error, slug)
        raise
    return agency_id


def _check_slug(slug: str) -> None:
    if slug in rules.RESERVED:
        raise NameTaken(slug)
    if not rules.SLUG.fullmatch(slug):
        raise BadName(slug)


def _raise_taken(error: IntegrityError, slug: str) -> None:
    if "slug" in str(error):
        raise NameTaken(slug) from error


def lock_agency(*, agency_id: int) -> None:
    """Let nobody else change the agency's settings, logo or members until the transaction is done."""
    with tenancy.agency(agency_id):
        models.Agency.objects.select_for_update(no_key=True).get(id=agency_id)


def update_agency(*, agency_id: int, changes: Mapping[str, Any], by: UUID | None) -> None:
    """Change these settings (queries.SETTINGS) and no other: somebody else may be changing those at this moment.

    Raise NameTaken, BadName, BadSetting.
    """
    for name, value in changes.items():
        _check_setting(name, value)
    try:
        with tenancy.agency(agency_id):
            agency = models.Agency.objects.select_for_update(no_key=True).get(id=agency_id)
            before = {name: getattr(agency, name) for name in changes}
            changed = [name for name, value in changes.items() if before[name] != value]
            if not changed:
                return
            for name in changed:
                setattr(agency, name, changes[name])
            agency.save(update_fields=changed)
            told = [{name: _told(name, side[name]) for name in changed} for side in (before, changes)]
            record("accounts.update_agency", agency_id=agency_id, by=by, data=audit.changes(*told))
    except IntegrityError as error:
        _raise_taken(error, changes.get("slug", ""))
        raise


def _told(name: str, value: Any) -> Any:
    """What the audit keeps for ever: no name of a person."""
    return parseaddr(value)[1] if name == "sender_address" else value


def _check_setting(name: str, value: Any) -> None:
    if name == "slug":
        _check_slug(value)
        return
    match name:
        case "name":
            good = 0 < len(value.strip()) <= 200 and value.isprintable()
        case "time_zone":
            good = isinstance(value, str) and _is_zone(value)
        case "currency":
            good = value in rules.CURRENCIES
        case "week_start":
            good = value in range(1, 8)
        case "sender_address":
            good = value == "" or _is_sender(value)
        case _:
            good = False
    if not good:
        raise BadSetting(name)


def _is_zone(name: str) -> bool:
    try:
        return bool(zoneinfo.ZoneInfo(name))
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False


def _is_sender(text: str) -> bool:
    """One address, with a name before it or without, and nothing that would begin another header or address."""
    found = getaddresses([text])
    if len(text) > 320 or not text.isprintable() or len(found) != 1:
        return False
    _name, address = found[0]
    return bool(rules.one_address(address)) and (text == address or text.endswith(f"<{address}>"))


def set_logo(*, agency_id: int, content: bytes, by: UUID | None) -> None:
    """Make a picture the agency's logo. Raise BadLogo, files.Away."""
    if len(content) > rules.LOGO_BYTES or not rules.logo_type(content):
        raise BadLogo
    location = files.new_location(agency_id, "logo")
    # The file before the row: a row never names what is not there.
    with files.writing(location) as file:
        file.write(content)
    _change_logo("accounts.set_logo", agency_id, location, by)


def remove_logo(*, agency_id: int, by: UUID | None) -> None:
    """Have no logo any more."""
    _change_logo("accounts.remove_logo", agency_id, "", by)


def _change_logo(action: str, agency_id: int, location: str, by: UUID | None) -> None:
    with tenancy.agency(agency_id):
        agency = models.Agency.objects.select_for_update(no_key=True).get(id=agency_id)
        before, agency.logo = agency.logo, location
        if before == location:
            return
        agency.save(update_fields=["logo"])
        record(action, agency_id=agency_id, by=by)
        if before:
            transaction.on_commit(lambda: _drop(before))


def _drop(location: str) -> None:
    try:
        files.remove(location)
    except files.Away as error:
        # Nobody names it: it is swept.
        log.warning("file not removed", error=str(error))


def sweep_logos(*, now: dt.datetime) -> int:
    """Remove every agency's logos that it does not name any more. Return how many."""
    removed = 0
    for agency_id, _slug, _name in queries.agencies():
        with tenancy.agency(agency_id):
            removed += files.sweep(
                agency_id,
                lambda _ids, agency_id=agency_id: [queries.logo(agency_id).rpartition("/")[2]],  # type: ignore[misc]
                before=(now - KEEP_UNNAMED_LOGOS).timestamp(),
                kind="logo",
            )
    return removed


# --- its end: announced, taken back, brought about ------------------------------------------------------------------


def close_agency(*, agency_id: int, name: str, by: UUID, now: dt.datetime) -> None:
    """Have the whole agency deleted after GRACE, unless an owner takes it back; tell all owners by e-mail.

    `name` is what the owner typed. A second time changes nothing. Raise WrongName.
    """
    with tenancy.agency(agency_id):
        agency = models.Agency.objects.select_for_update(no_key=True).get(id=agency_id)
        if " ".join(name.split()).casefold() != " ".join(agency.name.split()).casefold():
            raise WrongName
        if agency.closes_at:
            return
        agency.closes_at = now + GRACE
        agency.save(update_fields=["closes_at"])
        record("accounts.close_agency", agency_id=agency_id, by=by, data={"closes_at": agency.closes_at.isoformat()})
        owners = [str(person.id) for person in queries.members(agency_id) if person.role == "owner"]
        queue.enqueue_each("accounts.tell_owners", [{"member_id": id, "by": str(by)} for id in owners])


def keep_agency(*, agency_id: int, by: UUID) -> None:
    """Take back that the agency is to be deleted."""
    with tenancy.agency(agency_id):
        if models.Agency.objects.filter(id=agency_id).exclude(closes_at=None).update(closes_at=None):
            record("accounts.keep_agency", agency_id=agency_id, by=by)


def tell_owners(*, agency_id: int, member_id: UUID, by: UUID) -> None:
    """Mail one owner that the agency is to be deleted; nothing when that was taken back meanwhile."""
    with tenancy.agency(agency_id):
        agency = models.Agency.objects.get(id=agency_id)
        person = next((each for each in queries.members(agency_id) if each.id == member_id), None)
        if agency.closes_at is None or person is None:
            return
        context: dict[str, Any] = {
            "agency": agency.name,
            "by": queries.member_names(agency_id).get(by, ""),
            "closes_at": agency.closes_at,
            "link": settings.CONSULT_OFFICE_URL + reverse("accounts:agency_data", args=[agency.slug]),
        }
        context["subject"] = core_mail.one_line(_("%(agency)s is going to be deleted") % context)
        message = mail.EmailMultiAlternatives(
            subject=context["subject"],
            body=render_to_string("accounts/mail/closing.txt", context),
            to=[person.email],
            headers={"Auto-Submitted": "auto-generated"},
        )
        message.attach_alternative(render_to_string("accounts/mail/closing.html", context), "text/html")
    core_mail.send(message)


def delete_agency(*, agency_id: int, now: dt.datetime) -> bool:
    """Delete the agency with everything of it, if its time is over; say whether that was so. As the worker alone."""
    with tenancy.agency(agency_id):
        # Inside it: triggers that look at its rows on their way out are let through.
        with connection.cursor() as cursor:
            cursor.execute("SELECT accounts_delete_agency_v1(%s, %s)", [agency_id, now])
            deleted = bool(cursor.fetchone()[0])
        if deleted:
            queue.forget_agency(agency_id)
            # In the same transaction: should the process die now, its files go all the same.
            queue.enqueue("accounts.remove_files", agency_id=None, of=agency_id)
    if deleted:
        log.warning("agency deleted", deleted=agency_id)
    return deleted


def remove_files(*, of: int) -> None:
    """Remove the files of an agency that is gone. Raise files.Away."""
    if of not in {id for id, _slug, _name in queries.agencies()}:
        files.remove_agency(of)
