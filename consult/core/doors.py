"""Door functions in migrations: an SQL file forward, DROP FUNCTION back."""

from pathlib import Path

from django.db import migrations


def install(file: Path, *functions: str, undo: str = "") -> migrations.RunSQL:
    """Return the operation that runs `file` and, backwards, runs `undo` and drops the doors it made.

    Dropping needs the owner: the migrating role may become consult_doors, and goes back to itself after.
    """
    drops = "".join(f"DROP FUNCTION {function};" for function in functions)
    return migrations.RunSQL(
        file.read_text(encoding="utf-8"), f"{undo} SET LOCAL ROLE consult_doors; {drops} RESET ROLE;"
    )
