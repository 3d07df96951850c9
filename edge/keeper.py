"""Kept, whatever happens: in PostgreSQL, or in the spool while PostgreSQL is away. Only then is it accepted."""

from edge import database, identity, spool, store
from edge.submission import Outcome, Submission


class Nowhere(Exception):
    """Neither the database nor the spool takes anything at this moment. Nothing is kept."""


class Keeper:
    def __init__(self, shelf: store.Store, shelter: spool.Spool) -> None:
        self._store = shelf
        self._spool = shelter

    async def keep(self, row: Submission) -> Outcome:
        """Outcomes: stored, spooled, set_aside, duplicate, conflict (kept under another id), unknown_form (not kept).

        Raises Nowhere.
        """
        outcome = await self._put(row)
        if outcome.kind != "conflict":
            return outcome
        kept = await self._put(identity.rekeyed(row))
        return Outcome("conflict", kept.receipt)

    async def _put(self, row: Submission) -> Outcome:
        # In order: while older rows wait in the spool, newer ones wait behind them.
        if not self._spool.waiting or await self._spool.emptied():
            try:
                return await self._store.put(row)
            except store.Full:
                raise Nowhere from None
            except database.Unavailable:
                pass
        try:
            return await self._spool.put(row)
        except spool.ERRORS as error:
            raise Nowhere from error
