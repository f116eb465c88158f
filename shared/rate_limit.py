"""How many requests a caller may make in how long, as an operator writes it.

It counts nothing.
"""

import re
from dataclasses import dataclass

UNIT_SECONDS = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400}

_LIMIT = re.compile(rf"([1-9]\d{{0,8}}) ?/ ?({'|'.join(UNIT_SECONDS)})", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class RateLimit:
    """So many requests in so many seconds."""

    requests: int
    seconds: int


def parse_rate_limits(text: str) -> tuple[RateLimit, ...]:
    """Limits as `20/second; 1200/minute`, of any order; none of an empty text. ValueError."""
    limits = tuple(_limit(part.strip()) for part in re.split("[,;]", text) if part.strip())
    if len({limit.seconds for limit in limits}) < len(limits):
        raise ValueError("a unit stands twice")
    return limits


def _limit(text: str) -> RateLimit:
    found = _LIMIT.fullmatch(text)
    if not found:
        raise ValueError("write limits as 1200/minute, with second, minute, hour or day, separated by commas")
    return RateLimit(requests=int(found[1]), seconds=UNIT_SECONDS[found[2]])
