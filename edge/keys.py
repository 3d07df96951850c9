"""The office's public keys: asked for when needed, again when told, and rarely for a kid nobody knows."""

import asyncio
import importlib
import sys
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from edge import bounds

if TYPE_CHECKING:
    from edge import tokens

type Ask = Callable[[], Awaitable[dict[str, str]]]


class Invalid(Exception):
    """The token is not to be believed. The text says why, for the log; it holds nothing of the token."""


class KeyRing:
    def __init__(self, ask: Ask, limits: bounds.Bounds) -> None:
        self._ask = ask
        self._limits = limits
        self._keys: tokens.Keys = {}
        self._stale = True
        self._asked_at = 0.0
        self._turn = asyncio.Lock()

    def outdated(self) -> None:
        self._stale = True

    async def verify(self, token: str) -> "tokens.Claims":
        """Raises Invalid, and database.Unavailable when no key is known and none can be asked for."""
        if "edge.tokens" not in sys.modules:
            # Late, because it takes 9 MB that an edge without streams saves; in a thread, because it takes 0.2 s.
            await asyncio.to_thread(importlib.import_module, "edge.tokens")
        from edge import tokens

        kid = tokens.kid_of(token)
        async with self._turn:
            if self._stale or (kid not in self._keys and self._may_ask()):
                # Before the question: a NOTIFY that comes while it is answered must count.
                self._stale = False
                try:
                    self._keys = tokens.load_keys(await self._ask())
                except BaseException:
                    self._stale = True
                    raise
                self._asked_at = time.monotonic()
        return tokens.verify(token, self._keys)

    def _may_ask(self) -> bool:
        # Made-up kids must not become a way to query the database at will.
        return time.monotonic() - self._asked_at > self._limits.keys_reload_seconds
