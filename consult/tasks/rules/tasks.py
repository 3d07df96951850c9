"""Keys, days and lengths of time of tasks."""

import datetime as dt
import re

# By their number: what is more urgent sorts first.
PRIORITIES = ("urgent", "high", "medium", "low", "none")
NO_PRIORITY = 5
LONGEST_TEXT = 100_000
MOST_ASSIGNEES = 20
# A year of working days.
MOST_MINUTES = 250 * 8 * 60
TRASH_DAYS = 30
EARLIEST_DAY, LATEST_DAY = dt.date(1970, 1, 1), dt.date(2199, 12, 31)

_KEY = re.compile(r"([A-Z][A-Z0-9]{1,9})-([1-9][0-9]{0,8})")
_DURATION = re.compile(r"(?:(\d{1,4})d)? ?(?:(\d{1,4}(?:[.,]\d{1,2})?)h)? ?(?:(\d{1,6})m(?:in)?)?", re.ASCII)
DAY_MINUTES = 8 * 60


class BadTask(ValueError):
    """A value that no task has; the text says why."""


class BadDuration(BadTask):
    """No length of time."""


def task_key(text: str) -> tuple[str, int] | None:
    """Return the project's key and the number that a task's key names (SITE-142), or None."""
    found = _KEY.fullmatch(text)
    return (found[1], int(found[2])) if found else None


def check_days(start_on: dt.date | None, due_on: dt.date | None) -> None:
    """Raise BadTask unless the days are ones that somebody may mean, the start first."""
    for day in (start_on, due_on):
        if day and not EARLIEST_DAY <= day <= LATEST_DAY:
            raise BadTask(f"A day is between {EARLIEST_DAY.year} and {LATEST_DAY.year}.")
    if start_on and due_on and start_on > due_on:
        raise BadTask("It cannot be due before it starts.")


def minutes(text: str) -> int:
    """Return the minutes that "2h", "1h 30m", "1.5h", "45m" or "2d" (of eight hours) mean. Raise BadDuration."""
    plain = " ".join(text.lower().split())
    found = _DURATION.fullmatch(plain)
    if not plain or not found or not any(found.groups()):
        raise BadDuration("Write it like 2h, 1h 30m, 45m or 2d.")
    days, hours, rest = found.groups()
    total = int(days or 0) * DAY_MINUTES + round(float((hours or "0").replace(",", ".")) * 60) + int(rest or 0)
    if not 1 <= total <= MOST_MINUTES:
        raise BadDuration("An estimate is between a minute and 250 days.")
    return total


def duration(total: int) -> str:
    """Return minutes as `minutes` reads them: 1h 30m."""
    hours, rest = divmod(total, 60)
    return " ".join(part for part in (f"{hours}h" if hours else "", f"{rest}m" if rest else "") if part)
