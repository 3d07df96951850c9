from django.urls import path

from consult.tasks.views import boards, comments, lists, projects, tasks

app_name = "tasks"
urlpatterns = [
    path("tasks/", lists.my_work, name="my_work"),
    path("tasks/new/", tasks.create_task, name="create_task"),
    path("tasks/trash/", lists.trash_list, name="trash_list"),
    path("tasks/<slug:key>/", tasks.task_detail, name="task_detail"),
    path("tasks/<slug:key>/edit/", tasks.update_task, name="update_task"),
    path("tasks/<slug:key>/move/", boards.move_task, name="move_task"),
    path("tasks/<slug:key>/assign/", tasks.assign_task, name="assign_task"),
    path("tasks/<slug:key>/undo/", tasks.undo_task, name="undo_task"),
    path("tasks/<slug:key>/trash/", tasks.trash_task, name="trash_task"),
    path("tasks/<slug:key>/restore/", tasks.restore_task, name="restore_task"),
    path("tasks/<slug:key>/comments/", comments.add_comment, name="add_comment"),
    path("tasks/<slug:key>/comments/<uuid:comment_id>/", comments.edit_comment, name="edit_comment"),
    path("projects/", projects.project_list, name="project_list"),
    path("projects/new/", projects.create_project, name="create_project"),
    path("projects/<slug:project_key>/", lists.project_detail, name="project_detail"),
    path("projects/<slug:project_key>/board/", boards.project_board, name="project_board"),
    path("projects/<slug:project_key>/settings/", projects.update_project, name="update_project"),
    path("projects/<slug:project_key>/states/", projects.set_states, name="set_states"),
    path("projects/<slug:project_key>/archive/", projects.archive_project, name="archive_project"),
    path("projects/<slug:project_key>/reopen/", projects.reopen_project, name="reopen_project"),
]
