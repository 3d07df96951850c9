"""Writes of projects and tasks, by noun."""

from consult.tasks.queries import NoSuchProject, NoSuchTask
from consult.tasks.rules import BadDuration, BadStates, BadTask, Wanted
from consult.tasks.services.changes import Conflict, Done, InTrash, NoSuchMember, lock_task
from consult.tasks.services.comments import EmptyComment, NoSuchComment, NotYours, add_comment, edit_comment
from consult.tasks.services.moves import MovedMeanwhile, NoSuchState, move_task
from consult.tasks.services.projects import (
    BadKey,
    ChangedMeanwhile,
    KeyTaken,
    NoSuchClient,
    ProjectArchived,
    StateInUse,
    archive_project,
    create_project,
    lock_project,
    reopen_project,
    set_states,
    update_project,
)
from consult.tasks.services.tasks import (
    CannotUndo,
    assign_task,
    create_task,
    restore_task,
    trash_task,
    undo_task,
    update_task,
)

__all__ = [
    "BadDuration",
    "BadKey",
    "BadStates",
    "BadTask",
    "CannotUndo",
    "ChangedMeanwhile",
    "Conflict",
    "Done",
    "EmptyComment",
    "InTrash",
    "KeyTaken",
    "MovedMeanwhile",
    "NoSuchClient",
    "NoSuchComment",
    "NoSuchMember",
    "NoSuchProject",
    "NoSuchState",
    "NoSuchTask",
    "NotYours",
    "ProjectArchived",
    "StateInUse",
    "Wanted",
    "add_comment",
    "archive_project",
    "assign_task",
    "create_project",
    "create_task",
    "edit_comment",
    "lock_project",
    "lock_task",
    "move_task",
    "reopen_project",
    "restore_task",
    "set_states",
    "trash_task",
    "undo_task",
    "update_project",
    "update_task",
]
