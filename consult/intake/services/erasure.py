"""Blanking what visitors sent. What counts stays: a submission is one of its form and day for ever."""

import datetime as dt
from collections.abc import Collection
from uuid import UUID

from django.db import connection
from django.db.models import F
from django.db.models.functions import Coalesce

from consult.core import tenancy
from consult.intake import models


def erase_submissions(*, agency_id: int, ids: Collection[UUID], now: dt.datetime) -> list[str]:
    """Blank submissions and what is known of their files; return where the files lie, which is not touched.

    A second time changes nothing. Part of an erasure, which writes the audit.
    """
    if not ids:
        return []
    with tenancy.agency(agency_id), connection.cursor() as cursor:
        cursor.execute("SELECT intake_erase_submissions_v1(%s, %s)", [list(ids), now])
        return [row[0] for row in cursor.fetchall()]


def erase_set_aside(*, agency_id: int, ids: Collection[UUID], now: dt.datetime) -> None:
    """Remove the bytes of what is set aside, and settle it; the row counts on."""
    with tenancy.agency(agency_id):
        models.SetAside.objects.filter(agency_id=agency_id, id__in=ids).update(
            content=b"", resolved_at=Coalesce(F("resolved_at"), now)
        )
