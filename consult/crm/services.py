"""Writes of the CRM."""

from uuid import UUID

from consult.accounts import services as accounts
from consult.core import tenancy
from consult.crm import models


def ensure_client(*, agency_id: int, name: str, by: UUID | None = None) -> UUID:
    """Return the id of the client of that name, made now if there is none."""
    with tenancy.agency(agency_id):
        client, made = models.Client.objects.get_or_create(agency_id=agency_id, name=name)
        if made:
            accounts.record("crm.ensure_client", agency_id=agency_id, by=by, subject_id=client.id)
    return client.id
