"""Counts a caller's requests on Redis, over all api processes: all limits in one round trip.

It knows nothing of HTTP. The clock is Redis', as everywhere.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from redis import Redis

from shared.rate_limit import RateLimit
from shared.redis_keys import Keys
from shared.redis_scripts import away_is_ours, read_script


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where a caller stands with the limit that it is nearest to."""

    is_allowed: bool
    limit: RateLimit
    remaining: int
    reset_seconds: int  # until all of it is there again


class RedisRateLimits:
    """The limits of every caller. StoreUnavailable where Redis is away."""

    def __init__(self, redis: "Redis", keys: Keys, limits: Sequence[RateLimit]) -> None:
        """limits: at least one."""
        self._limits = limits
        self._pairs = [number for limit in limits for number in (limit.requests, limit.seconds)]
        # A full server refuses new jobs by itself: who asks for old ones goes on being counted.
        self._hit = redis.register_script(f"#!lua flags=allow-oom\n{keys.lua()}\n{read_script('hit')}")

    def hit(self, caller: str) -> Standing:
        """Count a request, unless it is one too many."""
        with away_is_ours():
            allowed, *seen = self._hit(args=[caller, *self._pairs])
        standings = [
            Standing(
                is_allowed=bool(allowed) or count < limit.requests,
                limit=limit,
                remaining=max(limit.requests - count, 0),
                reset_seconds=max(math.ceil(milliseconds / 1000), 1),
            )
            for limit, count, milliseconds in zip(self._limits, seen[::2], seen[1::2], strict=True)
        ]
        # Of two limits that are reached, the one that takes longer to be over.
        return min(standings, key=lambda standing: (standing.remaining, -standing.reset_seconds))
