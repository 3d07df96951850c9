from collections.abc import Collection
from typing import Any, ClassVar
from uuid import UUID

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class Crm(AppConfig):
    name = "consult.crm"
    label = "crm"
    # What the audit says of each action, after the name of who did it.
    actions: ClassVar[dict[str, Any]] = {
        "crm.ensure_client": _("added a client"),
        "crm.create_client": _("added a client"),
        "crm.update_client": _("changed a client"),
    }

    def audit_subjects(self, agency_id: int, slug: str, ids: Collection[UUID]) -> dict[UUID, tuple[str, str]]:
        """Return what the audit calls these, with the addresses of their pages."""
        from consult.crm import models

        found = models.Client.objects.filter(agency_id=agency_id, id__in=ids).values_list("id", "name")
        return {id: (name, "") for id, name in found}
