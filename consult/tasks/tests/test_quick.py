"""The one line: what it understands, and that nothing of it is lost or guessed."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consult.tasks.rules.quick import quick

# A Monday.
TODAY = dt.date(2027, 3, 1)
MEMBERS = {"Ann Lee": "1", "Anna Berg": "2", "Bob": "3"}


def said(line: str) -> tuple[str, dict[str, str], tuple[str, ...]]:
    found = quick(line, members=MEMBERS, projects=("SITE", "SHOP"), today=TODAY)
    return found.title, {piece.kind: piece.value for piece in found.pieces}, found.unknown


@pytest.mark.parametrize(
    ("line", "title", "pieces"),
    [
        (
            "Fix menu @bob !2 fri SITE ~2h",
            "Fix menu",
            {"assignee": "3", "priority": "high", "due": "2027-03-05", "project": "SITE", "estimate": "120"},
        ),
        ("Call @annlee mon", "Call", {"assignee": "1", "due": "2027-03-01"}),
        ("Call tomorrow", "Call", {"due": "2027-03-02"}),
        ("Ship 2027-04-01", "Ship", {"due": "2027-04-01"}),
        # A key is a key as it is written; a sentence stays a sentence.
        ("the site is down", "the site is down", {}),
        ("Meet \\fri at \\SITE", "Meet fri at SITE", {}),
        ("fri or sat", "or sat", {"due": "2027-03-05"}),
    ],
)
def test_what_a_line_says(line: str, title: str, pieces: dict[str, str]) -> None:
    assert said(line)[:2] == (title, pieces)


@pytest.mark.parametrize("word", ["@ann", "@nobody", "!9", "~soon", "#bug"])
def test_what_it_does_not_know_it_says_and_keeps(word: str) -> None:
    title, pieces, unknown = said(f"Fix {word} now")
    assert (title, pieces, unknown) == (f"Fix {word} now", {}, (word,))


@given(st.text())
def test_every_word_is_in_the_title_or_a_piece(line: str) -> None:
    found = quick(line, members=MEMBERS, projects=("SITE",), today=TODAY)
    words = [word[1:] if len(word) > 1 and word.startswith("\\") else word for word in line.split()]
    kept = [*found.title.split(), *(piece.text for piece in found.pieces)]
    assert set(words) == set(kept)


@given(st.text(alphabet="@#!~abnSITE0123456789-hm ", max_size=60))
def test_what_looks_like_a_mark_is_understood_or_told(line: str) -> None:
    found = quick(line, members=MEMBERS, projects=("SITE",), today=TODAY)
    marks = {word for word in line.split() if len(word) > 1 and word[0] in "@#!~"}
    assert marks == {piece.text for piece in found.pieces if piece.text[0] in "@#!~"} | set(found.unknown)
