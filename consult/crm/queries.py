"""Reads of the CRM."""

from uuid import UUID

from consult.crm import models


def client_names(agency_id: int) -> dict[UUID, str]:
    """Return every client's name by id, in the order of names."""
    return dict(models.Client.objects.filter(agency_id=agency_id).order_by("name").values_list("id", "name"))
