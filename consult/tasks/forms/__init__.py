"""HTML input of projects and tasks to clean values, by noun."""

from consult.tasks.forms.projects import NewProject, Project, State, States
from consult.tasks.forms.tasks import Task

__all__ = ["NewProject", "Project", "State", "States", "Task"]
