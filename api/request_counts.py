"""Counts a caller's requests, a handful at a time: most requests ask Redis nothing for that.

What it has counted ahead is gone from the limit, used or not: never is more let through than that.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from api.remembered import Remembered
from shared.rate_limit import RateLimit
from shared.redis_rate_limits import RedisRateLimits


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where a caller stands with the limit that it is nearest to."""

    is_allowed: bool
    limit: RateLimit
    remaining: int
    reset_seconds: int  # until all of it is there again


@dataclass(kw_only=True)
class _Handful:
    """Requests that are counted and not made yet."""

    left: int
    ends_at: float
    limit: RateLimit
    remaining: int  # beside these
    resets_at: float

    def standing(self, now: float, *, is_allowed: bool) -> Standing:
        """As the caller is told."""
        return Standing(
            is_allowed=is_allowed,
            limit=self.limit,
            remaining=self.remaining + self.left,
            reset_seconds=max(math.ceil(self.resets_at - now), 1),
        )


class RequestCounts:
    """The counts of one api process. StoreUnavailable where Redis is away and no handful is left."""

    def __init__(self, limits: RedisRateLimits, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._handfuls: Remembered[str, _Handful] = Remembered()

    def hit(self, caller: str) -> Standing:
        """Count a request, unless it is one too many."""
        now = self._clock()
        handful = self._left_of(caller, now) or self._taken(caller, now)
        if not handful.left:
            return handful.standing(now, is_allowed=False)
        handful.left -= 1
        return handful.standing(now, is_allowed=True)

    def _left_of(self, caller: str, now: float) -> _Handful | None:
        handful = self._handfuls.get(caller, now)
        return handful if handful and handful.left and now < handful.ends_at else None

    def _taken(self, caller: str, now: float) -> _Handful:
        taken = self._limits.take(caller, self._limits.handful)
        handful = _Handful(
            left=taken.granted,
            # Counted from before the question: Redis' window may end sooner than this says, and never later.
            ends_at=now + taken.holds_seconds,
            limit=taken.limit,
            remaining=taken.remaining,
            resets_at=now + taken.reset_seconds,
        )
        if meanwhile := self._left_of(caller, now):  # another request has asked at the same time
            handful.left += meanwhile.left
            handful.ends_at = min(handful.ends_at, meanwhile.ends_at)
        self._handfuls.put(caller, handful, now)
        return handful
