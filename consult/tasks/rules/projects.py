"""Keys and states of projects."""

import dataclasses
import re
import unicodedata
from collections.abc import Sequence
from uuid import UUID

# Reports and boards rely on the group of a state; what it is called is the agency's own.
GROUPS = ("backlog", "unstarted", "started", "completed", "cancelled")
# Groups in which a task is no longer worked on.
ENDED = frozenset({"completed", "cancelled"})
# Names of classes in the stylesheet, each readable in both themes.
COLOURS = ("grey", "blue", "teal", "green", "yellow", "orange", "red", "pink", "purple")
DEFAULT_STATES = (
    ("Backlog", "backlog", "grey"),
    ("To do", "unstarted", "blue"),
    ("In progress", "started", "yellow"),
    ("In review", "started", "purple"),
    ("Done", "completed", "green"),
    ("Cancelled", "cancelled", "grey"),
)
MOST_STATES = 20
PROJECT_KEY = re.compile(r"[A-Z][A-Z0-9]{1,9}")


class BadStates(ValueError):
    """States that a project cannot work with; the text says why."""


@dataclasses.dataclass(frozen=True)
class Wanted:
    """A state as it is to be; without an id it is new."""

    name: str
    group: str
    colour: str
    id: UUID | None = None


def checked_states(states: Sequence[Wanted]) -> list[Wanted]:
    """Return the states with clean names, the groups in their order. Raise BadStates."""
    clean = [dataclasses.replace(state, name=" ".join(state.name.split())) for state in states]
    if len(clean) > MOST_STATES:
        raise BadStates(f"A project has {MOST_STATES} states at most.")
    for state in clean:
        if not state.name or len(state.name) > 50:
            raise BadStates("A state needs a name of at most 50 characters.")
        if state.group not in GROUPS or state.colour not in COLOURS:
            raise BadStates("A state stands in one of the groups and has one of the colours.")
    names = [state.name.casefold() for state in clean]
    if len(set(names)) < len(names):
        raise BadStates("Two states have the same name.")
    ids = [state.id for state in clean if state.id]
    if len(set(ids)) < len(ids):
        raise BadStates("A state is named twice.")
    groups = {state.group for state in clean}
    if not groups & {"backlog", "unstarted", "started"}:
        raise BadStates("New tasks need a state to begin in: backlog, unstarted or started.")
    if "completed" not in groups:
        raise BadStates("A project needs a completed state.")
    return sorted(clean, key=lambda state: GROUPS.index(state.group))


def key_of(name: str) -> str:
    """Return a key for a project of this name: its first letters; empty when it has none to take."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().upper()
    letters = re.sub(r"[^A-Z0-9 ]+", " ", plain).split()
    joined = "".join(word[0] for word in letters) if len(letters) > 2 else "".join(letters)
    found = re.sub(r"^[0-9]+", "", joined)[:4]
    return found if PROJECT_KEY.fullmatch(found) else ""
