"""Counts a caller's requests on Redis, over all api processes: all limits in one round trip.

It knows nothing of HTTP. The clock is Redis', as everywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from redis import Redis

from shared.rate_limit import RateLimit
from shared.redis_keys import Keys
from shared.redis_scripts import away_is_ours, read_script

HANDFULS = 200
"""Parts of a limit. What a process has counted and not used when a window ends is lost to the caller."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where a caller stands with the limit that it is nearest to."""

    granted: int  # requests that may go on
    limit: RateLimit
    remaining: int
    reset_seconds: float  # until all of it is there again
    holds_seconds: float  # until the first of all limits begins anew


class RedisRateLimits:
    """The limits of every caller. StoreUnavailable where Redis is away."""

    def __init__(self, redis: "Redis", keys: Keys, limits: Sequence[RateLimit]) -> None:
        """limits: at least one."""
        self._limits = limits
        self._pairs = [number for limit in limits for number in (limit.requests, limit.seconds)]
        # A full server refuses new jobs by itself: who asks for old ones goes on being counted.
        self._hit = redis.register_script(f"#!lua flags=allow-oom\n{keys.lua()}\n{read_script('hit')}")

    @property
    def handful(self) -> int:
        """So many requests may be counted at once: of the lowest limit one in two hundred, or one by one."""
        return max(min(limit.requests for limit in self._limits) // HANDFULS, 1)

    def take(self, caller: str, requests: int = 1) -> Standing:
        """Count so many requests; one alone where no more fit, none where a limit is reached."""
        with away_is_ours():
            granted, *seen = self._hit(args=[caller, requests, *self._pairs])
        standings = [
            Standing(
                granted=granted,
                limit=limit,
                remaining=max(limit.requests - count, 0),
                reset_seconds=milliseconds / 1000,
                holds_seconds=min(seen[1::2]) / 1000,
            )
            for limit, count, milliseconds in zip(self._limits, seen[::2], seen[1::2], strict=True)
        ]
        # Of two limits that are reached, the one that takes longer to be over.
        return min(standings, key=lambda standing: (standing.remaining, -standing.reset_seconds))
