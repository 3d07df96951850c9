"""Sites and forms as programs read them, in pages."""

import dataclasses
import datetime as dt
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q

from consult.intake import models, rules


@dataclasses.dataclass(frozen=True)
class Site:
    """A website of a client, or of the agency itself (no client)."""

    id: UUID
    name: str
    url: str
    client_id: UUID | None
    fallback_contact: str
    created_at: dt.datetime


_SITE = [field.name for field in dataclasses.fields(Site)]


def sites_after(agency_id: int, after: UUID | None, limit: int, *, client_id: UUID | None = None) -> list[Site]:
    """Return the sites from `after` on in the order in which they were added, or those of one client."""
    found = models.Site.objects.filter(agency_id=agency_id, **({"client_id": client_id} if client_id else {}))
    rows = (found.filter(id__gt=after) if after else found).order_by("id").values_list(*_SITE)[:limit]
    return [Site(*row) for row in rows]


def site_row(agency_id: int, site_id: UUID) -> Site | None:
    row = models.Site.objects.filter(agency_id=agency_id, id=site_id).values_list(*_SITE).first()
    return Site(*row) if row else None


@dataclasses.dataclass(frozen=True)
class Form:
    """A form with its present definition and settings."""

    id: UUID
    site_id: UUID
    name: str
    key: str
    version: int
    fields: list[dict[str, Any]]
    honeypot: str
    files: dict[str, Any]
    settings: rules.Settings
    allowed_origins: list[str]
    redirect_targets: list[str]
    notify_addresses: list[str]
    created_at: dt.datetime

    @property
    def post_url(self) -> str:
        """Where its page and programs send it: the edge's address."""
        return f"{settings.CONSULT_EDGE_URL}/f/{self.key}"


def forms_after(agency_id: int, after: UUID | None, limit: int, *, site_id: UUID | None = None) -> list[Form]:
    """Return the forms from `after` on in the order in which they were added, or those of one site."""
    found = models.Form.objects.filter(agency_id=agency_id, **({"site_id": site_id} if site_id else {}))
    return _forms(agency_id, list((found.filter(id__gt=after) if after else found).order_by("id")[:limit]))


def form(agency_id: int, form_id: UUID) -> Form | None:
    found = _forms(agency_id, list(models.Form.objects.filter(agency_id=agency_id, id=form_id)))
    return found[0] if found else None


def _forms(agency_id: int, rows: list[models.Form]) -> list[Form]:
    if not rows:
        return []
    present = Q()
    for row in rows:
        present |= Q(form_id=row.id, version=row.version)
    found = models.FormVersion.objects.filter(present, agency_id=agency_id)
    versions = {version.form_id: version for version in found}
    names = [field.name for field in dataclasses.fields(rules.Settings)]
    return [
        Form(
            id=row.id,
            site_id=row.site_id,
            name=row.name,
            key=row.key,
            version=row.version,
            fields=versions[row.id].fields,
            honeypot=versions[row.id].honeypot,
            files=versions[row.id].files,
            settings=rules.Settings(**{name: getattr(row, name) for name in names}),
            allowed_origins=row.allowed_origins,
            redirect_targets=row.redirect_targets,
            notify_addresses=row.notify_addresses,
            created_at=row.created_at,
        )
        for row in rows
    ]
