"""The work that enquiries cause: projects with their states, tasks, what was changed of them and said about them."""
