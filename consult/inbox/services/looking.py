"""Who has an enquiry open just now: short signs of life of their pages, in the cache, which forgets them by itself."""

from uuid import UUID

from django.core.cache import cache

from consult.accounts import queries as accounts
from consult.core import live, tenancy

DOINGS = ("looking", "writing", "gone")
# Pages say so every fifteen seconds; who has said nothing for that long has gone.
SECONDS = 45


def look_at_enquiry(*, agency_id: int, enquiry_id: UUID, member_id: UUID | None, doing: str) -> list[tuple[str, bool]]:
    """Note what somebody does (DOINGS) and return who else is there, by name: (name, whether they write).

    Only what changes is told to the other pages, so that they ask in turn. A token of the agency is nobody.
    """
    with tenancy.agency(agency_id):
        names = {person.id: person.name for person in accounts.members(agency_id)}
        keys = {_key(agency_id, enquiry_id, id): id for id in names}
        there = {keys[key]: doing for key, doing in cache.get_many(list(keys)).items()}
        if member_id is not None:
            before = there.pop(member_id, "gone")
            if doing == "gone":
                cache.delete(_key(agency_id, enquiry_id, member_id))
            else:
                cache.set(_key(agency_id, enquiry_id, member_id), doing, SECONDS)
            if before != doing:
                live.nudge(kind="looking", id=enquiry_id)
    return sorted((names[id], doing == "writing") for id, doing in there.items())


def _key(agency_id: int, enquiry_id: UUID, member_id: UUID) -> str:
    return f"looking:{agency_id}:{enquiry_id}:{member_id}"
