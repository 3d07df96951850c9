"""How often a caller may ask: counted in this process, or in Redis for all processes together."""

import functools
import math
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import limits as library
import structlog
from django.conf import settings
from limits import storage, strategies

from consult.core.errors import Refused

log = structlog.get_logger("consult.limits")


class Turn(NamedTuple):
    """One limit that a request counts towards: its policy's name, what it allows, and for whom."""

    policy: str
    limit: str
    who: str


@functools.lru_cache(maxsize=32)
def _item(words: str) -> library.RateLimitItem:
    return library.parse(words)


@functools.cache
def _counter(redis: str) -> strategies.SlidingWindowCounterRateLimiter:
    if not redis:
        return strategies.SlidingWindowCounterRateLimiter(storage.MemoryStorage())
    # Whoever calls does not wait for a Redis that hangs.
    options: dict[str, Any] = {"socket_timeout": 0.25, "socket_connect_timeout": 0.25}
    return strategies.SlidingWindowCounterRateLimiter(storage.RedisStorage(redis, **options))


def forget() -> None:
    """Begin to count anew; for tests."""
    _counter.cache_clear()


def spend(turns: Sequence[Turn], *, cost: int = 1) -> dict[str, str]:
    """Count a request and return its RateLimit headers (draft-ietf-httpapi-ratelimit-headers-10).

    Raise Refused (429) when a limit is used up. Where the counters cannot be reached, nobody is refused.
    """
    counter = _counter(settings.CONSULT_REDIS_URL)
    policies, states, waits = [], [], []
    try:
        for policy, limit, who in turns:
            item = _item(limit)
            granted = counter.hit(item, policy, who, cost=cost) if cost else counter.test(item, policy, who)
            stats = counter.get_window_stats(item, policy, who)
            left = max(0, math.ceil(stats.reset_time - time.time()))
            policies.append(f'"{policy}";q={item.amount};w={item.get_expiry()}')
            states.append(f'"{policy}";r={stats.remaining if granted else 0};t={left}')
            if not granted:
                waits.append(max(1, left))
    except Exception as error:
        log.warning("limits not counted", error=type(error).__name__)
        return {}
    headers = {"RateLimit-Policy": ", ".join(policies), "RateLimit": ", ".join(states)}
    if waits:
        raise Refused("too_many_requests", headers={**headers, "Retry-After": str(max(waits))})
    return headers
