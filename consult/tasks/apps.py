from collections.abc import Collection
from typing import Any, ClassVar
from uuid import UUID

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class Tasks(AppConfig):
    name = "consult.tasks"
    label = "tasks"
    # What the audit says of each action, after the name of who did it.
    actions: ClassVar[dict[str, Any]] = {
        "tasks.create_project": _("began a project"),
        "tasks.update_project": _("changed a project"),
        "tasks.archive_project": _("archived a project"),
        "tasks.reopen_project": _("took a project out of the archive"),
        "tasks.set_states": _("changed the states of a project"),
        "tasks.create_task": _("made a task"),
        "tasks.update_task": _("changed a task"),
        "tasks.move_task": _("moved a task"),
        "tasks.undo_task": _("took a change of a task back"),
        "tasks.trash_task": _("put a task into the trash"),
        "tasks.restore_task": _("took a task out of the trash"),
        "tasks.add_comment": _("commented on a task"),
        "tasks.edit_comment": _("changed a comment on a task"),
    }

    def audit_subjects(self, agency_id: int, slug: str, ids: Collection[UUID]) -> dict[UUID, tuple[str, str]]:
        """Return what the audit calls these, with the addresses of their pages."""
        from django.urls import reverse

        from consult.tasks import models

        told: dict[UUID, tuple[str, str]] = {}
        keys = dict(models.Project.objects.filter(agency_id=agency_id).values_list("id", "key"))
        for id, name in models.Project.objects.filter(agency_id=agency_id, id__in=ids).values_list("id", "name"):
            told[id] = (name, reverse("tasks:project_detail", args=[slug, keys[id]]))
        found = models.Task.objects.filter(agency_id=agency_id, id__in=ids)
        for id, project_id, number, title in found.values_list("id", "project_id", "number", "title"):
            key = f"{keys[project_id]}-{number}"
            told[id] = (f"{key} {title}", reverse("tasks:task_detail", args=[slug, key]))
        return told
