"""One line that makes a task: "Fix menu @ann #bug !2 fri SITE ~2h". Nothing is guessed silently.

Pure: names that it could mean come in, and what it understood goes out as pieces, each of which a page shows as a chip
before anything is saved. What it does not understand stays in the title.
"""

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence

from consult.tasks.rules.tasks import PRIORITIES, BadDuration, minutes

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONG = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclasses.dataclass(frozen=True)
class Piece:
    """A word that was understood: as typed, what it is about, and what it means."""

    text: str
    kind: str
    value: str


@dataclasses.dataclass(frozen=True)
class Quick:
    """What a line says. `unknown` are words that look like a name and are nobody's: they stay in the title."""

    title: str
    pieces: tuple[Piece, ...]
    unknown: tuple[str, ...]

    def value(self, kind: str) -> str:
        """Return what the line says about it, or nothing."""
        return next((piece.value for piece in self.pieces if piece.kind == kind), "")

    def values(self, kind: str) -> list[str]:
        return [piece.value for piece in self.pieces if piece.kind == kind]


def quick(line: str, *, members: Mapping[str, str], projects: Sequence[str], today: dt.date) -> Quick:
    """Return what a line says. `members` are ids by name; a day's name is the next one of it, today included.

    A project, a priority, a day and an estimate count once, the first of each; a second one stays in the title. A name
    counts when it begins that of exactly one member. A backslash before a word keeps it a word.
    """
    title: list[str] = []
    pieces: list[Piece] = []
    unknown: list[str] = []
    for word in line.split():
        if len(word) > 1 and word.startswith("\\"):
            title.append(word[1:])
            continue
        piece = _piece(word, members, projects, today)
        if piece and piece.kind != "assignee" and any(each.kind == piece.kind for each in pieces):
            piece = None
        if piece and piece in pieces:
            continue
        if piece:
            pieces.append(piece)
        else:
            title.append(word)
            if len(word) > 1 and word[0] in "@#!~":
                unknown.append(word)
    return Quick(" ".join(title), tuple(pieces), tuple(unknown))


def _piece(word: str, members: Mapping[str, str], projects: Sequence[str], today: dt.date) -> Piece | None:
    if word in projects:
        return Piece(word, "project", word)
    mark, rest = word[0], word[1:]
    if mark == "@" and rest:
        return _member(word, rest.casefold(), members)
    if mark == "!" and rest in ("1", "2", "3", "4"):
        return Piece(word, "priority", PRIORITIES[int(rest) - 1])
    if mark == "~" and rest:
        try:
            return Piece(word, "estimate", str(minutes(rest)))
        except BadDuration:
            return None
    day = _day(word.casefold(), today)
    return Piece(word, "due", day.isoformat()) if day else None


def _member(word: str, said: str, members: Mapping[str, str]) -> Piece | None:
    """Who is meant: by the whole name without spaces, or by the beginning of exactly one."""
    plain = {"".join(name.split()).casefold(): id for name, id in members.items()}
    if said in plain:
        return Piece(word, "assignee", plain[said])
    found = {id for name, id in plain.items() if name.startswith(said)}
    return Piece(word, "assignee", found.pop()) if len(found) == 1 else None


def _day(word: str, today: dt.date) -> dt.date | None:
    if word in ("today", "tomorrow"):
        return today + dt.timedelta(days=word == "tomorrow")
    for names in (_DAYS, _LONG):
        if word in names:
            return today + dt.timedelta(days=(names.index(word) - today.weekday()) % 7)
    try:
        return dt.date.fromisoformat(word) if len(word) == 10 else None
    except ValueError:
        return None
