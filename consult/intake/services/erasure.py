"""Blanking what visitors sent. What counts stays: a submission is one of its form and day for ever."""

import datetime as dt
import re
from collections.abc import Collection
from uuid import UUID

from django.db import connection
from django.db.models import F
from django.db.models.functions import Coalesce

from consult.core import erased, tenancy
from consult.intake import models, rules


def erase_submissions(*, agency_id: int, ids: Collection[UUID], now: dt.datetime) -> list[str]:
    """Blank submissions and what is known of their files; return where the files lie, which is not touched.

    A second time changes nothing. Part of an erasure, which writes the audit.
    """
    if not ids:
        return []
    with tenancy.agency(agency_id), connection.cursor() as cursor:
        cursor.execute("SELECT intake_erase_submissions_v1(%s, %s)", [list(ids), now])
        return [row[0] for row in cursor.fetchall()]


def erase_blocks(*, agency_id: int, addresses: Collection[str], names: re.Pattern[str] | None) -> None:
    """Block a person no longer, and take what names them out of why others are blocked."""
    with tenancy.agency(agency_id):
        rows = models.Block.objects.filter(agency_id=agency_id)
        rows.filter(sender__in={rules.blockable(address) for address in addresses} - {""}).delete()
        for row in rows.exclude(reason="").select_for_update().order_by("id"):
            reason = erased.without(row.reason, names)
            if reason != row.reason:
                rows.filter(id=row.id).update(reason=reason[:200])


def erase_set_aside(*, agency_id: int, ids: Collection[UUID], now: dt.datetime) -> None:
    """Remove the bytes of what is set aside, and settle it; the row counts on."""
    with tenancy.agency(agency_id):
        models.SetAside.objects.filter(agency_id=agency_id, id__in=ids).update(
            content=b"", resolved_at=Coalesce(F("resolved_at"), now)
        )
