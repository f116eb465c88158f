"""How much may wait, and how long a caller who was refused is asked to stay away.

The counting is done where jobs are accepted, in Redis (`lua/admission.lua`).
"""

import math
from dataclasses import dataclass
from typing import Final

SHARE_TO_DRAIN: Final = 0.1
"""Of what waits: when so much is done there is room for a while, not for the first one who asks."""
LONGEST_SECONDS: Final = 600
UNKNOWN_SECONDS: Final = 60
"""Where nothing was done of late, nobody knows."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What may wait at once, in all and of one caller."""

    jobs: int
    bytes: int  # of audio
    caller_jobs: int
    caller_bytes: int


UNLIMITED: Final = Limits(jobs=2**53, bytes=2**53, caller_jobs=2**53, caller_bytes=2**53)


def retry_after_seconds(*, waiting: int, drained_in_a_minute: int) -> int:
    """When a share of `waiting` jobs will have ended, as quickly as jobs end now; 1 to LONGEST_SECONDS."""
    if drained_in_a_minute <= 0:
        return UNKNOWN_SECONDS
    seconds = math.ceil(waiting * SHARE_TO_DRAIN / (drained_in_a_minute / 60))
    return min(max(seconds, 1), LONGEST_SECONDS)
