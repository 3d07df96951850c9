"""Pictures as numbers: where bars are drawn. No Django, no colours; lengths are in the units of the drawing."""

import dataclasses
import datetime as dt
import math
import zoneinfo
from collections.abc import Iterator, Sequence

LONGEST = 366
DEFAULT = 30


class BadRange(ValueError):
    """What was asked for is no range of days: `reason` is a word of REASONS."""

    REASONS = ("unreadable", "backwards", "too long")

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclasses.dataclass(frozen=True)
class Days:
    """A range of days, both included."""

    first: dt.date
    last: dt.date

    def __iter__(self) -> Iterator[dt.date]:
        return (self.first + dt.timedelta(days=n) for n in range(len(self)))

    def __len__(self) -> int:
        return (self.last - self.first).days + 1


def days(first: str, last: str, today: dt.date) -> Days:
    """Return the range that two texts (2026-03-05) name; without them the last thirty days. Raise BadRange."""
    try:
        since, until = (dt.date.fromisoformat(each) if each else None for each in (first, last))
    except ValueError as error:
        raise BadRange("unreadable") from error
    return range_of(since, until, today)


def range_of(first: dt.date | None, last: dt.date | None, today: dt.date) -> Days:
    """Return the range of two days; without the last up to today, without the first thirty days. Raise BadRange."""
    until = last or today
    # A day more or less is still a day there, in every zone.
    if not 1 < until.year < 9999 or (first and not first.year > 1):
        raise BadRange("unreadable")
    since = first or until - dt.timedelta(days=DEFAULT - 1)
    if since > until:
        raise BadRange("backwards")
    if (until - since).days >= LONGEST:
        raise BadRange("too long")
    return Days(since, until)


def bounds(days: Days, zone: str) -> tuple[dt.datetime, dt.datetime]:
    """Return when the first day begins in that time zone and when the last one ends."""
    there = zoneinfo.ZoneInfo(zone)
    begin = dt.datetime.combine(days.first, dt.time(), there)
    return begin, dt.datetime.combine(days.last + dt.timedelta(days=1), dt.time(), there)


@dataclasses.dataclass(frozen=True)
class Bars:
    """Bars as two outlines (the `d` of an SVG path): whole, and the part of each, from its top, that is special."""

    whole: str
    part: str


def bars(values: Sequence[tuple[int, int]], *, width: float, height: float, top: float = 0) -> Bars:
    """Return a bar for each (value, part of it), as high as `height` where it is `top` or, without one, the largest."""
    most = top or max((value for value, _part in values), default=0)
    if not values or most <= 0:
        return Bars("", "")
    step = width / len(values)
    gap = min(step * 0.25, 3)
    whole, parts = [], []
    for place, (value, part) in enumerate(values):
        begin = f"M{place * step + gap / 2:.2f} {height - value * height / most:.2f}h{step - gap:.2f}"
        if value > 0:
            whole.append(f"{begin}v{value * height / most:.2f}h-{step - gap:.2f}z")
        if part > 0:
            parts.append(f"{begin}v{part * height / most:.2f}h-{step - gap:.2f}z")
    return Bars("".join(whole), "".join(parts))


def round_up(value: float) -> int:
    """Return the next number that is good at the end of a scale: 1, 2, 4, 5 or 10 times a power of ten; at least 4."""
    if value <= 4:
        return 4
    power = 10 ** math.floor(math.log10(value))
    return next(int(times * power) for times in (1, 2, 4, 5, 10, 20) if times * power >= value)


def duration(seconds: float) -> tuple[int, str]:
    """Return a duration as people say it: a number, and minutes, hours or days."""
    if seconds < 90 * 60:
        return max(1, round(seconds / 60)), "minutes"
    if seconds < 48 * 3600:
        return round(seconds / 3600), "hours"
    return round(seconds / 86_400), "days"
