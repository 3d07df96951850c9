"""Pages of projects and tasks."""
