"""Rows of long lists: the template draws one row of each shape, the others are filled in.

Drawing each of fifty rows anew takes three quarters of a page's time, and they differ in little but names and dates.
What is kept is kept for one page alone, so nothing of one person's page can come into another's.
"""

import dataclasses
import datetime as dt
import functools
import html
import re
import uuid
from collections.abc import Iterable
from typing import Any

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext

register = template.Library()

# What stands for a value while a shape is drawn: nobody's text has it, and whatever it goes through leaves it alone.
_TEXT = "\ue000{}\ue001"
_NUMBER = 830_000_000_000_000_000
_ID = "ffffffff-ffff-4fff-8fff-{:012d}"
_PLACES = re.compile(
    rf"(?:\ue000(\d+(?:\.\w+)?)\ue001|{_NUMBER // 10**15}0{{12}}(\d{{3}})|ffffffff-ffff-4fff-8fff-0{{9}}(\d{{3}}))"
)


class _Moment:
    """Stands for a time or a day: `iso`, `day` (5 Mar), `full`."""

    def __init__(self, place: int) -> None:
        self.iso, self.day, self.full = (_TEXT.format(f"{place}.{part}") for part in ("iso", "day", "full"))


@register.simple_tag(takes_context=True)
def drawn(
    context: template.Context,
    partial: str,
    name: str,
    rows: Iterable[Any],
    texts: str,
    unread: str = "",
    faces: str = "",
) -> SafeString:
    """Draw `rows` (dataclasses) with a partial such as `inbox/enquiry_list.html#row`, in which each is called `name`.

    `texts` names the fields that differ from row to row: the partial may show them and put them into addresses, and
    ask whether they are empty; it may not change or compare them. A time or day has `iso`, `day` and `full`.
    `faces` are texts that are names of people, shown as their initials; `unread` are fields that the partial does
    not look at. All other fields are the row's shape.
    """
    rows = list(rows)
    if not rows:
        return SafeString("")
    shown, people, ignored = [*texts.split(), *faces.split()], set(faces.split()), set(unread.split())
    fields = [field.name for field in dataclasses.fields(rows[0]) if field.name not in ignored]
    shapes: dict[Any, list[str]] = {}
    language = get_language() or ""
    found: list[str] = []
    for row in rows:
        shape = _shape(row, fields, set(shown))
        if (parts := shapes.get(shape)) is None:
            parts = shapes[shape] = _draw(context, partial, name, row, shown, people, ignored)
        values: dict[str, str] = {}
        for place, field in enumerate(shown):
            _say(values, str(place), getattr(row, field), field in people, language)
        found += [values[part] if at % 2 else part for at, part in enumerate(parts)]
    # The template's own text, and values that were escaped.
    return mark_safe("".join(found))  # noqa: S308


def _shape(row: Any, fields: list[str], shown: set[str]) -> tuple[Any, ...]:
    values = ((field, getattr(row, field)) for field in fields)
    return tuple(
        bool(value) if field in shown else repr(value) if isinstance(value, list | dict) else value
        for field, value in values
    )


def _draw(
    context: template.Context, partial: str, name: str, row: Any, shown: list[str], people: set[str], ignored: set[str]
) -> list[str]:
    """Return the row's shape in parts: text, the place of a value, text, …"""
    stands = {
        field: _stand_in(place, getattr(row, field), field in people)
        for place, field in enumerate(shown)
        if getattr(row, field) or field in people
    }
    # Not dataclasses.replace, which would check types that a stand-in does not have.
    fake = {field.name: getattr(row, field.name) for field in dataclasses.fields(row) if field.name not in ignored}
    engine = context.template.engine if context.template else None
    if engine is None:
        raise TypeError("rows are drawn within a template")
    with context.push(**{name: {**fake, **stands}}):
        text = engine.get_template(partial).render(context).strip()
    parts: list[str] = []
    at = 0
    for match in _PLACES.finditer(text):
        parts += [text[at : match.start()], match[1] or str(int(match[2] or match[3]))]
        at = match.end()
    return [*parts, text[at:]]


def _stand_in(place: int, value: Any, is_face: bool) -> Any:
    if is_face:
        return SafeString(_TEXT.format(place))
    if isinstance(value, int):
        return _NUMBER + place
    if isinstance(value, uuid.UUID):
        return uuid.UUID(_ID.format(place))
    return _Moment(place) if isinstance(value, dt.date) else _TEXT.format(place)


def _say(values: dict[str, str], place: str, value: Any, is_face: bool, language: str) -> None:
    """Add what stands at this place, or at its parts."""
    if is_face:
        values[place] = _face(value or "", language)
    elif isinstance(value, dt.datetime):
        local = timezone.localtime(value)
        day = local.date()
        values[f"{place}.iso"] = local.isoformat(timespec="seconds")
        values[f"{place}.day"] = _day(day, False, language)
        values[f"{place}.full"] = f"{_day(day, True, language)}, {local:%H:%M}"
    elif isinstance(value, dt.date):
        values[f"{place}.iso"] = value.isoformat()
        values[f"{place}.day"] = _day(value, False, language)
        values[f"{place}.full"] = _day(value, True, language)
    else:
        values[place] = html.escape(str(value))


@functools.lru_cache(maxsize=2_000)
def _day(day: dt.date, is_full: bool, language: str) -> str:
    return html.escape(date_format(day, "j F Y" if is_full else "j M"))


@register.simple_tag
def face(name: str) -> SafeString:
    """Return what the component `initials` draws."""
    return _face(name, get_language() or "")


@functools.lru_cache(maxsize=1_000)
def _face(name: str, language: str) -> SafeString:
    if not name:
        nobody = gettext("Nobody yet")
        return format_html(
            '<span class="initials initials-none" title="{}"><span class="sr-only">{}</span></span>', nobody, nobody
        )
    words = name.split()
    letters = name[:1] + (words[-1][0] if len(words) > 1 else "")
    return format_html(
        '<span class="initials" title="{}"><span aria-hidden="true">{}</span><span class="sr-only">{}</span></span>',
        *(name, letters, name),
    )
