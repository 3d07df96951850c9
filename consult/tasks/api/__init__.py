"""JSON routes of projects and tasks, by noun."""

from consult.tasks.api.comments import router as comments
from consult.tasks.api.projects import router as projects
from consult.tasks.api.tasks import router as tasks

ROUTERS = (("/projects", projects), ("/tasks", tasks), ("/tasks", comments))

__all__ = ["ROUTERS"]
