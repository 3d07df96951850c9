"""Filters kept under a name."""

from uuid import UUID

from consult.accounts import services as accounts
from consult.core import tenancy
from consult.inbox import models, rules


class NoName(Exception):
    """A view without a name, or with one that is too long."""


class TooLong(Exception):
    """Filters that no view can hold: somebody has pasted a letter into the search."""


class NoSuchView(Exception):
    """The member has no saved view of this id."""


MOST_LETTERS, LONGEST_QUERY = 60, 600


def save_view(*, agency_id: int, name: str, filters: rules.Filters, shared: bool, by: UUID) -> UUID:
    """Keep these filters as a member's view, in place of their one of the same name. Return its id.

    Raise NoName, TooLong.
    """
    name = name.strip()
    if not name or len(name) > MOST_LETTERS:
        raise NoName
    if len(query := filters.query()) > LONGEST_QUERY:
        raise TooLong
    with tenancy.agency(agency_id):
        view, _made = models.SavedView.objects.update_or_create(
            agency_id=agency_id, member_id=by, name=name, defaults={"query": query, "shared": shared}
        )
        accounts.record("inbox.save_view", agency_id=agency_id, by=by, subject_id=view.id, data={"shared": shared})
    return view.id


def delete_view(*, agency_id: int, view_id: UUID, by: UUID | None) -> tuple[str, str, bool]:
    """Forget a view of one's own. Return its name, query and whether it was shared. Raise NoSuchView."""
    if by is None:
        raise NoSuchView(view_id)
    with tenancy.agency(agency_id):
        view = (
            models.SavedView.objects.select_for_update().filter(agency_id=agency_id, id=view_id, member_id=by).first()
        )
        if view is None:
            raise NoSuchView(view_id)
        accounts.record("inbox.delete_view", agency_id=agency_id, by=by, subject_id=view.id)
        kept = (view.name, view.query, view.shared)
        view.delete()
    return kept
