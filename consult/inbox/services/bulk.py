"""One action on several enquiries: what can be done is done, and what was not is said with its reason."""

import dataclasses
from collections.abc import Callable, Sequence
from uuid import UUID

from consult.core import tenancy
from consult.inbox.services import changes

MOST = 200

Act = Callable[[int, int | None], changes.Done]


class TooMany(Exception):
    """More than MOST enquiries at once."""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of each: changed, as it was already (or not in a state for it), changed by others, not there."""

    done: list[changes.Done] = dataclasses.field(default_factory=list)
    same: list[int] = dataclasses.field(default_factory=list)
    conflicts: list[changes.Conflict] = dataclasses.field(default_factory=list)
    missing: list[int] = dataclasses.field(default_factory=list)


def each(*, agency_id: int, chosen: Sequence[tuple[int, int | None]], act: Act) -> Outcome:
    """Do `act(number, seen)` with each of (number, version seen) in one transaction. Raise TooMany.

    Locks are taken in the order of numbers, so that two who do this at once wait for each other, not for ever.
    """
    once = dict(chosen)
    if len(once) > MOST:
        raise TooMany(len(once))
    outcome = Outcome()
    with tenancy.agency(agency_id):
        for number, seen in sorted(once.items()):
            try:
                # A savepoint of its own: what one could not do takes nothing back of the others.
                with tenancy.agency(agency_id):
                    done = act(number, seen)
            except changes.Conflict as conflict:
                outcome.conflicts.append(conflict)
            except (changes.NoSuchEnquiry, changes.NoSuchChange):
                outcome.missing.append(number)
            else:
                outcome.done.append(done) if done.version else outcome.same.append(number)
    return outcome


def undo_changes(*, agency_id: int, chosen: Sequence[tuple[int, int]], by: UUID | None) -> Outcome:
    """Undo the changes that led to these (number, version). Raise TooMany."""

    def act(number: int, version: int | None) -> changes.Done:
        return changes.undo_change(agency_id=agency_id, number=number, version=version or 0, by=by)

    return each(agency_id=agency_id, chosen=chosen, act=act)
