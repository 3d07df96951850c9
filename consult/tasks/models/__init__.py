"""Tables of projects and tasks, by noun."""

from consult.tasks.models.comments import Comment, Edit
from consult.tasks.models.projects import Project, State
from consult.tasks.models.tasks import Activity, Assignee, Task

__all__ = ["Activity", "Assignee", "Comment", "Edit", "Project", "State", "Task"]
