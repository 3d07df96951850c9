#!/usr/bin/env python
"""Django's commands: `migrate` connects as the owner of the tables, everything else as the office."""

import os
import sys

OWNERS_COMMANDS = {"migrate", "makemigrations", "sqlmigrate", "showmigrations", "dbshell"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consult.settings.dev")
    if len(sys.argv) > 1 and sys.argv[1] in OWNERS_COMMANDS:
        os.environ.setdefault("CONSULT_PROCESS", "migrate")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
