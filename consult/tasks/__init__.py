"""The work that enquiries cause: projects and their tasks."""
