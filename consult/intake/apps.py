from collections.abc import Collection
from typing import Any, ClassVar
from uuid import UUID

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class Intake(AppConfig):
    name = "consult.intake"
    label = "intake"
    # What the audit says of each action, after the name of who did it.
    actions: ClassVar[dict[str, Any]] = {
        "intake.type_in": _("stored what was typed in"),
        "intake.create_site": _("added a site"),
        "intake.update_site": _("changed a site"),
        "intake.create_form": _("added a form"),
        "intake.update_form": _("changed a form"),
        "intake.rotate_form_secret": _("replaced a form's secret"),
        "intake.block_sender": _("blocked a sender"),
        "intake.unblock_sender": _("let a blocked sender write again"),
        "intake.resolve_set_aside": _("settled what was set aside"),
        "intake.reopen_set_aside": _("took up again what was set aside"),
    }

    def audit_subjects(self, agency_id: int, slug: str, ids: Collection[UUID]) -> dict[UUID, tuple[str, str]]:
        """Return what the audit calls these, with the addresses of their pages."""
        from django.urls import reverse

        from consult.intake import models

        sites = models.Site.objects.filter(agency_id=agency_id, id__in=ids).values_list("id", "name")
        forms = models.Form.objects.filter(agency_id=agency_id, id__in=ids).values_list("id", "name")
        blocks = models.Block.objects.filter(agency_id=agency_id, id__in=ids).values_list("id", "sender")
        return {
            **{id: (sender, reverse("intake:block_list", args=[slug])) for id, sender in blocks},
            **{id: (name, reverse("intake:site_detail", args=[slug, id])) for id, name in sites},
            **{id: (name, reverse("intake:form_detail", args=[slug, id])) for id, name in forms},
        }
