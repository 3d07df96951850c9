"""Writes of intake: sites and forms. Submissions are written by the edge's door, `intake_accept_v1`."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from consult.accounts import services as accounts
from consult.core import tenancy
from consult.crm import services as crm
from consult.intake import models, rules


class NoSuchForm(Exception):
    """The agency has no form of this id."""


def create_site(*, agency_id: int, name: str, url: str, client_name: str = "", by: UUID | None = None) -> UUID:
    """Add a website; `client_name` empty means the agency's own. Return its id."""
    with tenancy.agency(agency_id):
        client_id = crm.ensure_client(agency_id=agency_id, name=client_name, by=by) if client_name else None
        site = models.Site.objects.create(agency_id=agency_id, name=name, url=url, client_id=client_id)
        accounts.record("intake.create_site", agency_id=agency_id, by=by, subject_id=site.id)
    return site.id


def create_form(
    *,
    agency_id: int,
    site_id: UUID,
    name: str,
    fields: Sequence[Mapping[str, Any]],
    allowed_origins: Sequence[str] = (),
    redirect_targets: Sequence[str] = (),
    notify_addresses: Sequence[str] = (),
    key: str | None = None,
    by: UUID | None = None,
) -> UUID:
    """Add a form to a site. Return its id. Raise rules.BadDefinition; a site of another agency is an IntegrityError."""
    with tenancy.agency(agency_id):
        form = models.Form.objects.create(
            agency_id=agency_id,
            site_id=site_id,
            name=name,
            key=key or rules.new_key(),
            **_addresses(allowed_origins, redirect_targets, notify_addresses),
        )
        _write_version(form, fields)
        accounts.record("intake.create_form", agency_id=agency_id, by=by, subject_id=form.id)
    return form.id


def update_form(
    *,
    agency_id: int,
    form_id: UUID,
    name: str,
    fields: Sequence[Mapping[str, Any]],
    allowed_origins: Sequence[str],
    redirect_targets: Sequence[str],
    notify_addresses: Sequence[str],
    by: UUID | None = None,
) -> None:
    """Change a form by writing its next version; what was sent keeps the version it was sent with.

    Raise rules.BadDefinition, NoSuchForm.
    """
    with tenancy.agency(agency_id):
        form = models.Form.objects.select_for_update().filter(agency_id=agency_id, id=form_id).first()
        if form is None:
            raise NoSuchForm
        form.name, form.version = name, form.version + 1
        for attribute, value in _addresses(allowed_origins, redirect_targets, notify_addresses).items():
            setattr(form, attribute, value)
        _write_version(form, fields)
        form.save()
        accounts.record(
            "intake.update_form",
            agency_id=agency_id,
            by=by,
            subject_id=form.id,
            data={"version": form.version},
        )


def _addresses(origins: Sequence[str], targets: Sequence[str], notify: Sequence[str]) -> dict[str, list[str]]:
    return {
        "allowed_origins": [rules.clean_origin(origin) for origin in origins],
        "redirect_targets": [rules.clean_target(target) for target in targets],
        "notify_addresses": [address.strip() for address in notify],
    }


def _write_version(form: models.Form, fields: Sequence[Mapping[str, Any]]) -> None:
    models.FormVersion.objects.create(
        agency_id=form.agency_id,
        form=form,
        version=form.version,
        name=form.name,
        fields=rules.clean_fields(fields),
        honeypot=rules.HONEYPOT,
    )
