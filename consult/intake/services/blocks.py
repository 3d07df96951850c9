"""Blocking a sender: what comes from them is held, and can be restored like anything that is held."""

from uuid import UUID

from consult.accounts import services as accounts
from consult.core import tenancy
from consult.crm import queries as crm
from consult.intake import models, rules

LONGEST_REASON = 200
MOST_BLOCKS = 5_000


class NotBlockable(Exception):
    """This is neither an address nor a domain."""


class FreeMail(Exception):
    """A domain at which everybody may have an address: one of them can be blocked, not all."""


class TooManyBlocks(Exception):
    """The agency has MOST_BLOCKS already."""


class NoSuchBlock(Exception):
    """The agency has no block of this id."""


def block_sender(*, agency_id: int, sender: str, reason: str = "", by: UUID | None) -> UUID:
    """Hold from now on what comes from an address, or from a domain (`@example.com`) and those below it; return its id.

    Who is blocked already stays so, with the new reason if there is one. What has come before stays as it is.
    Raise NotBlockable, FreeMail, TooManyBlocks.
    """
    kept = rules.blockable(sender if "@" in sender else f"@{sender}")
    if not kept:
        raise NotBlockable
    if kept.startswith("@") and crm.is_free_mail(kept[1:]):
        raise FreeMail(kept)
    reason = " ".join(reason.split())[:LONGEST_REASON]
    with tenancy.agency(agency_id):
        if models.Block.objects.filter(agency_id=agency_id).count() >= MOST_BLOCKS:
            raise TooManyBlocks
        block, made = models.Block.objects.get_or_create(
            agency_id=agency_id, sender=kept, defaults={"reason": reason, "by_id": by}
        )
        if not made and reason and block.reason != reason:
            block.reason = reason
            block.save(update_fields=["reason"])
        if made:
            # Whom it is about stands in the row alone: what the audit keeps could never be forgotten.
            accounts.record("intake.block_sender", agency_id=agency_id, by=by, subject_id=block.id)
    return block.id


def unblock_sender(*, agency_id: int, block_id: UUID, by: UUID | None) -> tuple[str, str]:
    """Let a sender write again; what was held meanwhile stays held. Return (sender, reason). Raise NoSuchBlock."""
    with tenancy.agency(agency_id):
        block = models.Block.objects.select_for_update().filter(agency_id=agency_id, id=block_id).first()
        if block is None:
            raise NoSuchBlock(block_id)
        accounts.record("intake.unblock_sender", agency_id=agency_id, by=by, subject_id=block.id)
        told = (block.sender, block.reason)
        block.delete()
    return told
