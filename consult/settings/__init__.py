"""The office's settings: `base` holds all, `dev`, `prod` and `test` are differences."""
