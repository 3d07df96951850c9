"""Reads of clients."""

import dataclasses
import datetime as dt
from uuid import UUID

from consult.crm import models


@dataclasses.dataclass(frozen=True)
class Client:
    """A company that the agency works for."""

    id: UUID
    name: str
    created_at: dt.datetime


def client_names(agency_id: int) -> dict[UUID, str]:
    """Return every client's name by id, in the order of names."""
    return dict(models.Client.objects.filter(agency_id=agency_id).order_by("name").values_list("id", "name"))


def clients_after(agency_id: int, after: UUID | None, limit: int, *, search: str = "") -> list[Client]:
    """Return the clients from `after` on in the order in which they were added; `search`: part of the name."""
    found = models.Client.objects.filter(agency_id=agency_id)
    found = found.filter(name__icontains=search) if search else found
    found = found.filter(id__gt=after) if after else found
    return [Client(*row) for row in found.order_by("id").values_list("id", "name", "created_at")[:limit]]


def client(agency_id: int, client_id: UUID) -> Client | None:
    """Return one client, or None."""
    row = models.Client.objects.filter(agency_id=agency_id, id=client_id).values_list("id", "name", "created_at")
    found = row.first()
    return Client(*found) if found else None
