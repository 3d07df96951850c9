"""What periodic jobs ask before they enter an agency."""

import datetime as dt

from django.db import connection


def agencies_to_wake(now: dt.datetime) -> list[int]:
    """Return the agencies with an enquiry that was snoozed until now or earlier."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT inbox_agencies_to_wake_v1(%s)", [now])
        return [row[0] for row in cursor.fetchall()]
