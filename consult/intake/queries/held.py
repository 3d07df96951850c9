"""What intake holds of people: their submissions with files, and what is set aside."""

import base64
import datetime as dt
from collections.abc import Collection, Iterator
from typing import Any
from uuid import UUID

from consult.intake import models

SUBMISSION = (
    *("id", "receipt", "received_at", "form__name", "fields", "page_url", "referrer", "origin", "remote_addr"),
    *("user_agent", "content_type", "signals"),
)
FILE = ("id", "submission_id", "field", "name", "media_type", "size", "sha256", "location")


def held_submissions(agency_id: int, ids: Collection[UUID]) -> list[dict[str, Any]]:
    """Return these submissions as they came, the oldest first."""
    rows = models.Submission.objects.filter(agency_id=agency_id, id__in=ids)
    return list(rows.order_by("received_at", "id").values(*SUBMISSION))


def held_files(agency_id: int, submission_ids: Collection[UUID]) -> list[dict[str, Any]]:
    """Return the files of these submissions; `location` is where each lies."""
    rows = models.File.objects.filter(agency_id=agency_id, submission_id__in=submission_ids).exclude(location="")
    return list(rows.order_by("submission_id", "name", "id").values(*FILE))


def set_aside_with(agency_id: int, needles: Collection[str], before: dt.datetime | None = None) -> list[UUID]:
    """Return what is set aside (before a time) with one of these (addresses, numbers) anywhere in its bytes."""
    wanted = [each.casefold().encode() for each in needles if len(each) > 5]
    found = _contents(agency_id, before) if wanted else ()
    return [id for id, content in found if any(each in content for each in wanted)]


def _contents(agency_id: int, before: dt.datetime | None) -> Iterator[tuple[UUID, bytes]]:
    rows = models.SetAside.objects.filter(agency_id=agency_id).exclude(content=b"").order_by("id")
    rows = rows.filter(received_at__lt=before) if before else rows
    for id, content in rows.values_list("id", "content").iterator(chunk_size=20):
        yield id, bytes(content).lower()


def held_set_aside(agency_id: int, ids: Collection[UUID]) -> list[dict[str, Any]]:
    """Return these with their bytes in base64, the oldest first."""
    rows = models.SetAside.objects.filter(agency_id=agency_id, id__in=ids).order_by("received_at", "id")
    return [
        {
            "id": row.id,
            "receipt": row.receipt,
            "received_at": row.received_at,
            "reason": row.reason,
            "content_base64": base64.b64encode(bytes(row.content)).decode(),
        }
        for row in rows
    ]


def phones_in(agency_id: int, submission_ids: Collection[UUID]) -> set[str]:
    """Return the numbers that these submissions hold in fields for numbers."""
    from consult.intake.queries.submissions import submissions

    return {each.sender_phone for each in submissions(agency_id, submission_ids) if each.sender_phone}


def kept_forms(agency_id: int) -> list[tuple[UUID, int | None, int | None]]:
    """Return (form, days that its submissions are kept, and held ones) of the forms that keep any for a time."""
    rows = models.Form.objects.filter(agency_id=agency_id).exclude(keep_days=None, keep_held_days=None)
    return list(rows.order_by("id").values_list("id", "keep_days", "keep_held_days"))


def overdue(agency_id: int, form_id: UUID, before: dt.datetime, after: UUID | None, limit: int) -> list[UUID]:
    """Return submissions of a form from before a time that are not erased, in the order of their ids."""
    rows = models.Submission.objects.filter(
        agency_id=agency_id, form_id=form_id, received_at__lt=before, erased_at=None
    )
    found = rows.filter(id__gt=after) if after else rows
    return list(found.order_by("id").values_list("id", flat=True)[:limit])


def overdue_set_aside(agency_id: int, form_id: UUID, before: dt.datetime) -> list[UUID]:
    """Return what of a form was set aside before a time and still has its bytes."""
    rows = models.SetAside.objects.filter(agency_id=agency_id, form_id=form_id, received_at__lt=before)
    return list(rows.exclude(content=b"").values_list("id", flat=True)[:500])
