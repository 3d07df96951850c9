"""Ranges of days, and the arithmetic of pictures."""

import contextlib
import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consult.thread import rules

TODAY = dt.date(2026, 3, 5)
VALUES = st.lists(
    st.integers(0, 10**9).flatmap(lambda whole: st.tuples(st.just(whole), st.integers(0, whole))), max_size=40
)


def test_days() -> None:
    assert rules.days("", "", TODAY) == rules.Days(dt.date(2026, 2, 4), TODAY)
    assert rules.days("2026-03-01", "", TODAY) == rules.Days(dt.date(2026, 3, 1), TODAY)
    assert [each.day for each in rules.days("2026-02-27", "2026-03-02", TODAY)] == [27, 28, 1, 2]
    assert len(rules.days("2025-03-05", "2026-03-05", TODAY)) == 366


@pytest.mark.parametrize(
    ("first", "last", "reason"),
    [
        ("x", "", "unreadable"),
        ("", "2026-02-30", "unreadable"),
        ("2026-03-02", "2026-03-01", "backwards"),
        ("2024-01-01", "2026-03-01", "too long"),
        ("", "0001-01-05", "unreadable"),
        ("9999-12-01", "9999-12-31", "unreadable"),
    ],
)
def test_bad_ranges(first: str, last: str, reason: str) -> None:
    with pytest.raises(rules.BadRange) as raised:
        rules.days(first, last, TODAY)
    assert raised.value.reason == reason


@given(st.text(max_size=12), st.text(max_size=12))
def test_a_range_is_days_or_refused(first: str, last: str) -> None:
    with contextlib.suppress(rules.BadRange):
        assert 1 <= len(rules.days(first, last, TODAY)) <= rules.LONGEST


@given(VALUES)
def test_bars_stay_within_the_picture(values: list[tuple[int, int]]) -> None:
    found = rules.bars(values, width=720, height=160)
    drawn = re.findall(r"M([\d.]+) ([\d.]+)h([\d.]+)v([\d.]+)", found.whole)
    assert len(drawn) == sum(value > 0 for value, _part in values)
    for x, y, width, height in drawn:
        assert float(x) + float(width) <= 720.02
        assert abs(float(y) + float(height) - 160) < 0.02
    assert found.part.count("M") == sum(part > 0 for _value, part in values)


@given(st.floats(0, 1e12))
def test_a_scale_ends_at_a_round_number_that_is_not_below(value: float) -> None:
    end = rules.round_up(value)
    assert end >= value
    assert end <= max(4, value * 2.5)
    assert re.fullmatch(r"[1245]0*", str(end))


def test_durations() -> None:
    assert [rules.duration(each) for each in (1, 59 * 60, 3 * 3600, 3 * 86_400)] == [
        (1, "minutes"),
        (59, "minutes"),
        (3, "hours"),
        (3, "days"),
    ]
