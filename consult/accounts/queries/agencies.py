"""Agencies and their settings."""

import datetime as dt
from typing import Any

from django.conf import settings

from consult.accounts import models, rules
from consult.accounts.queries.doors import rows


def agencies() -> list[tuple[int, str, str]]:
    """Return (id, slug, name) of every agency; for the admin's chooser and for commands."""
    return [(row[0], row[1], row[2]) for row in rows("SELECT * FROM accounts_agencies_v1()", [])]


def agency_exists(agency_id: int) -> bool:
    """Whether this code is inside an agency that is still there."""
    return models.Agency.objects.filter(id=agency_id).exists()


def may_take_slug(slug: str) -> bool:
    """Whether a new agency could be called this in addresses; another may be faster still."""
    if slug in rules.RESERVED:
        return False
    return not rows("SELECT accounts_slug_taken_v1(%s)", [slug])[0][0]


def agency_name(agency_id: int) -> str:
    """Return the agency's name for people."""
    return models.Agency.objects.values_list("name", flat=True).get(id=agency_id)


def agency_slug(agency_id: int) -> str:
    """Return the agency's part of addresses."""
    return models.Agency.objects.values_list("slug", flat=True).get(id=agency_id)


def agency_time_zone(agency_id: int) -> str:
    """Return the agency's time zone by its name in the time zone database."""
    return models.Agency.objects.values_list("time_zone", flat=True).get(id=agency_id)


def agency_currency(agency_id: int) -> str:
    """Return the currency (ISO 4217) of the agency's money that is in no other."""
    return models.Agency.objects.values_list("currency", flat=True).get(id=agency_id)


# What services.update_agency changes.
SETTINGS = ("name", "slug", "time_zone", "currency", "week_start", "sender_address")


def settings_of(agency_id: int) -> dict[str, Any]:
    """Return the agency's settings by their name, and its logo."""
    found: dict[str, Any] = models.Agency.objects.values(*SETTINGS, "logo").get(id=agency_id)
    return found


def closes_at(agency_id: int) -> dt.datetime | None:
    """Return when all of the agency is deleted; None: nobody has asked for it."""
    return models.Agency.objects.values_list("closes_at", flat=True).get(id=agency_id)


def logo(agency_id: int) -> str:
    """Return where the agency's logo lies; empty when it has none."""
    return models.Agency.objects.values_list("logo", flat=True).get(id=agency_id)


def mail_sender(agency_id: int) -> str:
    """Return whom the agency's mail says it is from: its own sender, or the installation's."""
    found = models.Agency.objects.filter(id=agency_id).values_list("sender_address", flat=True).first()
    return found or settings.DEFAULT_FROM_EMAIL
