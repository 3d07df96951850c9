"""Projects and tasks."""

from django.contrib import admin

from consult.core.admin import Records
from consult.tasks import models

admin.site.register(
    [
        models.Activity,
        models.Assignee,
        models.Comment,
        models.Edit,
        models.Project,
        models.State,
        models.Task,
    ],
    Records,
)
