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
        "crm.create_contact": _("added a contact"),
        "crm.update_contact": _("changed a contact"),
        "crm.merge_contacts": _("merged two contacts"),
        "crm.unmerge_contacts": _("took the merge of two contacts back"),
        "crm.tell_apart": _("found two contacts to be two people"),
        "crm.create_company": _("added a company"),
        "crm.update_company": _("changed a company"),
        "crm.ensure_stages": _("began the pipeline"),
        "crm.create_stage": _("added a stage"),
        "crm.rename_stage": _("renamed a stage"),
        "crm.reorder_stages": _("put the stages into another order"),
        "crm.retire_stage": _("retired a stage"),
        "crm.restore_stage": _("brought a stage back"),
        "crm.create_deal": _("opened a deal"),
        "crm.update_deal": _("changed a deal"),
        "crm.move_deal": _("moved a deal"),
        "crm.win_deal": _("won a deal"),
        "crm.lose_deal": _("lost a deal"),
        "crm.reopen_deal": _("opened a deal again"),
        "crm.add_note": _("wrote a note"),
        "crm.set_labels": _("changed labels"),
        "crm.create_field": _("added a field"),
        "crm.retire_field": _("retired a field"),
        "crm.download_contacts": _("saved contacts as a file"),
        "crm.download_companies": _("saved companies as a file"),
        "crm.download_deals": _("saved deals as a file"),
        "crm.create_import": _("uploaded a file to import"),
        "crm.reread_import": _("read a file to import in another way"),
        "crm.check_import": _("had a file to import checked"),
        "crm.start_import": _("started an import"),
        "crm.finish_import": _("has imported a file"),
        "crm.undo_import": _("took an import back"),
        "crm.finish_undo": _("has taken an import back"),
        "crm.discard_import": _("discarded a file to import"),
    }

    def audit_subjects(self, agency_id: int, slug: str, ids: Collection[UUID]) -> dict[UUID, tuple[str, str]]:
        """Return what the audit calls these, with the addresses of their pages."""
        from django.urls import reverse

        from consult.crm import models

        told: dict[UUID, tuple[str, str]] = {}
        for model, name, page in (
            (models.Client, "name", ""),
            (models.Field, "name", ""),
            (models.Stage, "name", ""),
            (models.Contact, "name", "contact"),
            (models.Company, "name", "company"),
            (models.Deal, "title", "deal"),
            (models.Import, "name", "import"),
        ):
            found = model._default_manager.filter(agency_id=agency_id, id__in=ids).values_list("id", name)
            told |= {id: (said, reverse(f"crm:{page}_detail", args=[slug, id]) if page else "") for id, said in found}
        return told
