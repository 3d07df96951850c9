"""How often: sliding windows by address, form and agency, and a form's daily cap.

Counted by the `limits` library in this process, or in Redis for all edges together. A busy counter is asked for
several turns at once (a lease): one question per request would cost a fifth of the whole.
"""

import datetime
import time
from typing import TYPE_CHECKING, Any, Literal

import limits as library
from limits.aio import storage, strategies

from edge import forms, http, log

if TYPE_CHECKING:
    from redis.asyncio import connection

type Verdict = Literal["over_limit", "refused"] | None

_LEASE_SECONDS = 1.0
_MOST_LEASED = 64
_LEASES = 20_000
# After a failure Redis is not asked for so long.
_ALONE_SECONDS = 5.0


class _Lease:
    """Turns that are paid for already. `size` grows while they are used up in time."""

    __slots__ = ("left", "size", "until")

    def __init__(self) -> None:
        self.size = 1
        self.left = 0
        self.until = 0.0


class Limits:
    """`redis_url` empty: counted in this process alone. `agency_limit` in the words of the library: 3000/minute."""

    def __init__(self, redis_url: str, agency_limit: str, told: log.Log) -> None:
        self._log = told
        self._pool: connection.ConnectionPool | None = None
        here = storage.MemoryStorage()
        shared: storage.Storage = here
        if redis_url:
            from redis.asyncio import ConnectionPool  # 8 MB that an edge without Redis saves

            # Whoever writes does not wait for a Redis that hangs.
            self._pool = ConnectionPool.from_url(redis_url, socket_timeout=0.25, socket_connect_timeout=0.25)
            options: dict[str, Any] = {"implementation": "redispy", "connection_pool": self._pool}
            shared = storage.RedisStorage(f"async+{redis_url}", **options)
        # The cap's day is a calendar day (UTC), everything else slides.
        self._counters: dict[bool, tuple[strategies.RateLimiter, strategies.RateLimiter]] = {
            True: (strategies.FixedWindowRateLimiter(shared), strategies.FixedWindowRateLimiter(here)),
            False: (
                strategies.SlidingWindowCounterRateLimiter(shared),
                strategies.SlidingWindowCounterRateLimiter(here),
            ),
        }
        self._agency = library.parse(agency_limit)
        self._items: dict[str, library.RateLimitItem] = {}
        self._leases: dict[tuple[str, str], _Lease] = {}
        # What one sender of one form needs, together: gone with the leases.
        self._paid: dict[str, list[_Lease]] = {}
        # Of which form and day it is counted what was accepted before this process began.
        self._days: set[str] = set()
        self._alone_until = 0.0

    async def check(self, form: forms.Form, address: str) -> tuple[Verdict, int]:
        """Counts one submission. `over_limit`: hold it; `refused`: 429, with the seconds until the next try."""
        # Whoever has one IPv6 address has a whole /64 of them.
        sender = f"{form.key}/{http.network_of(address, 32, 64)}"
        now = time.monotonic()
        paid = self._paid.get(sender)
        if paid is not None and all(lease.left and now < lease.until for lease in paid):
            for lease in paid:
                lease.left -= 1
            return None, 0
        turns = (
            ("address", sender, self._item(form.address_limit)),
            ("form", form.key, self._item(form.form_limit)),
            ("agency", str(form.agency_id), self._agency),
            ("day", await self._day(form), self._item(f"{form.daily_cap}/day")),
        )
        leases = [self._lease(kind, name) for kind, name, _item in turns]
        granted = [await self._turn(lease, *turn) for lease, turn in zip(leases, turns, strict=True)]
        self._paid[sender] = leases
        *of_three, of_day = granted
        if not of_day:
            return "refused", _until_midnight()
        over = max((turn[2].get_expiry() for turn, got in zip(turns, of_three, strict=False) if not got), default=0)
        if not over:
            return None, 0
        return ("refused" if form.over_limit == "refuse" else "over_limit"), min(over, 3_600)

    async def _day(self, form: forms.Form) -> str:
        """The name of the form's day, with what was accepted of it before this process began."""
        today = _today()
        name = f"{form.key}/{today}"
        if name not in self._days:
            if len(self._days) > 10_000:
                self._days.clear()
            self._days.add(name)
            # Redis has counted them itself.
            if self._pool is None and form.today == today and form.accepted_today:
                cap = self._item(f"{form.daily_cap}/day")
                await self._hit(cap, "day", name, min(form.accepted_today, form.daily_cap))
        return name

    def _item(self, words: str) -> library.RateLimitItem:
        item = self._items.get(words)
        if item is None:
            try:
                item = library.parse(words)
            except ValueError:
                # The office checks what it stores; whatever is there instead must not stop a submission.
                self._log.error("limit_unreadable", limit=words[:40])
                item = library.RateLimitItemPerMinute(600)
            if len(self._items) > 10_000:
                self._items.clear()
            self._items[words] = item
        return item

    def _lease(self, kind: str, name: str) -> _Lease:
        lease = self._leases.get((kind, name))
        if lease is None:
            if len(self._leases) > _LEASES:
                self._leases.clear()
                self._paid.clear()
            lease = self._leases[kind, name] = _Lease()
        return lease

    async def _turn(self, lease: _Lease, kind: str, name: str, item: library.RateLimitItem) -> bool:
        now = time.monotonic()
        if lease.left and now < lease.until:
            lease.left -= 1
            return True
        if now < lease.until:
            lease.size = min(lease.size * 2, _MOST_LEASED, max(1, item.amount // 100))
        else:
            lease.size = max(1, lease.size // 4)
        granted = await self._hit(item, kind, name, lease.size)
        if not granted and lease.size > 1:
            lease.size = 1
            granted = await self._hit(item, kind, name, 1)
        lease.left = lease.size - 1 if granted else 0
        lease.until = now + _LEASE_SECONDS
        return granted

    async def _hit(self, item: library.RateLimitItem, kind: str, name: str, cost: int) -> bool:
        shared, own = self._counters[kind == "day"]
        if self._pool is None or time.monotonic() < self._alone_until:
            return await own.hit(item, kind, name, cost=cost)
        try:
            return await shared.hit(item, kind, name, cost=cost)
        except Exception as error:  # whatever the client of Redis raises
            # Redis away: count here. Refusing everybody, or nobody, would both be worse.
            self._alone_until = time.monotonic() + _ALONE_SECONDS
            self._log.warning("limits_away", reason=type(error).__name__)
            return await own.hit(item, kind, name, cost=cost)

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.disconnect()


def _today() -> str:
    """The day (UTC) of which the cap is: the library's own day would begin with the first submission."""
    return datetime.datetime.fromtimestamp(time.time(), datetime.UTC).date().isoformat()


def _until_midnight() -> int:
    return 86_400 - int(time.time()) % 86_400
