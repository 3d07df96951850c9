"""The delivery ledger: what happened to an enquiry on its way to people, line by line."""

import datetime as dt
from typing import Any
from uuid import UUID

from consult.core import tenancy
from consult.inbox import models


def note_opened(*, agency_id: int, enquiry_id: UUID, by: UUID | None, now: dt.datetime) -> None:
    """Remember who opened an enquiry first; later ones change nothing."""
    with tenancy.agency(agency_id):
        line = models.Delivery(
            agency_id=agency_id, enquiry_id=enquiry_id, kind="opened", at=now, detail={"member": str(by)}
        )
        models.Delivery.objects.bulk_create([line], ignore_conflicts=True)


def line(
    enquiry: models.Enquiry, kind: str, at: dt.datetime, address: str = "", *, member: UUID | None = None, **detail: Any
) -> models.Delivery:
    if member:
        detail["member"] = str(member)
    # Whom an erased one was about is told nobody any more.
    address = "" if enquiry.erased_at else address[:320]
    return models.Delivery(
        agency_id=enquiry.agency_id, enquiry=enquiry, kind=kind, at=at, address=address, detail=detail
    )


def tell(enquiry: models.Enquiry, kind: str, at: dt.datetime, address: str = "", **detail: Any) -> None:
    """Add a line to the ledger, in the transaction of what it tells."""
    models.Delivery.objects.bulk_create([line(enquiry, kind, at, address, **detail)], ignore_conflicts=True)


def is_told(enquiry: models.Enquiry, kind: str, address: str) -> bool:
    return models.Delivery.objects.filter(
        agency_id=enquiry.agency_id, enquiry=enquiry, kind=kind, address=address
    ).exists()
