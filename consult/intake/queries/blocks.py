"""Whose messages are held."""

import dataclasses
import datetime as dt
from collections.abc import Iterable
from uuid import UUID

from consult.intake import models, rules


@dataclasses.dataclass(frozen=True)
class Block:
    """Somebody whose messages are held: `sender` is an address, or @ and a domain."""

    id: UUID
    sender: str
    reason: str
    by_id: UUID | None
    created_at: dt.datetime


_COLUMNS = [field.name for field in dataclasses.fields(Block)]


def blocks(agency_id: int) -> list[Block]:
    """Return all that are blocked, the latest first."""
    found = models.Block.objects.filter(agency_id=agency_id).order_by("-id")
    return [Block(*row) for row in found.values_list(*_COLUMNS)]


def blocks_after(agency_id: int, after: UUID | None, limit: int) -> list[Block]:
    """Return those after that one, in the order in which they were made."""
    found = models.Block.objects.filter(agency_id=agency_id)
    found = found.filter(id__gt=after) if after else found
    return [Block(*row) for row in found.order_by("id").values_list(*_COLUMNS)[:limit]]


def block(agency_id: int, block_id: UUID) -> Block | None:
    row = models.Block.objects.filter(agency_id=agency_id, id=block_id).values_list(*_COLUMNS).first()
    return Block(*row) if row else None


def blocked_by(agency_id: int, address: str) -> Block | None:
    """Return what holds the messages of this address, the narrowest; None: nothing."""
    keys = rules.block_keys(address)
    found = models.Block.objects.filter(agency_id=agency_id, sender__in=keys).values_list(*_COLUMNS) if keys else []
    return min((Block(*row) for row in found), key=lambda each: keys.index(each.sender), default=None)


def blocked(agency_id: int, addresses: Iterable[str]) -> set[str]:
    """Return which of these addresses are blocked, in one question."""
    keys = {address: rules.block_keys(address) for address in set(addresses)}
    asked = {key for found in keys.values() for key in found}
    if not asked:
        return set()
    there = set(models.Block.objects.filter(agency_id=agency_id, sender__in=asked).values_list("sender", flat=True))
    return {address for address, found in keys.items() if there & set(found)}
