"""Writes of clients."""

from uuid import UUID

from django.db import IntegrityError, transaction

from consult.accounts import services as accounts
from consult.core import tenancy
from consult.crm import models


class NoSuchClient(Exception):
    """The agency has no client of this id."""


class NameTaken(Exception):
    """The agency has a client of this name already."""


def ensure_client(*, agency_id: int, name: str, by: UUID | None = None) -> UUID:
    """Return the id of the client of that name, made now if there is none."""
    with tenancy.agency(agency_id):
        client, made = models.Client.objects.get_or_create(agency_id=agency_id, name=name)
        if made:
            accounts.record("crm.ensure_client", agency_id=agency_id, by=by, subject_id=client.id)
    return client.id


def create_client(*, agency_id: int, name: str, by: UUID | None = None) -> UUID:
    """Add a client; return its id. Raise NameTaken."""
    with tenancy.agency(agency_id):
        client = models.Client(agency_id=agency_id, name=name)
        _save(client)
        accounts.record("crm.create_client", agency_id=agency_id, by=by, subject_id=client.id)
    return client.id


def update_client(*, agency_id: int, client_id: UUID, name: str, by: UUID | None = None) -> None:
    """Give a client another name. Raise NoSuchClient, NameTaken."""
    with tenancy.agency(agency_id):
        client = _locked(agency_id, client_id)
        if client.name == name:
            return
        client.name = name
        _save(client)
        accounts.record("crm.update_client", agency_id=agency_id, by=by, subject_id=client_id)


def lock_client(*, agency_id: int, client_id: UUID) -> None:
    """Let nobody else change a client until this transaction ends. Raise NoSuchClient."""
    with tenancy.agency(agency_id):
        _locked(agency_id, client_id)


def _locked(agency_id: int, client_id: UUID) -> models.Client:
    client = models.Client.objects.select_for_update().filter(agency_id=agency_id, id=client_id).first()
    if client is None:
        raise NoSuchClient(client_id)
    return client


def _save(client: models.Client) -> None:
    try:
        with transaction.atomic():
            client.save()
    except IntegrityError as error:
        if "crm_client_name" in str(error):
            raise NameTaken(client.name) from error
        raise
