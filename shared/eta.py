"""When a job will have ended, as far as anybody can tell.

Guesses from what was, and by None where nothing was: it knows neither how long a song is nor who comes next.
"""

import math
from typing import Final

LEAST_FRACTION: Final = 0.1
"""Of a run: before that, what it took says nothing of what it will take."""


LEAST_DRAINED: Final = 10
"""Runs in a minute. Fewer may be all that there were: they do not tell how quickly jobs that wait end."""


def eta_of_waiting(*, queue_position: int, drained_in_a_minute: int) -> int | None:
    """Seconds until a job, and all before it in its queue, will have run, as quickly as jobs end now.

    Jobs of all queues end in that minute: behind a queue that is served first it takes longer than this, and
    after a minute in which workers were idle at times it is quicker.
    """
    if drained_in_a_minute < LEAST_DRAINED:
        return None
    return math.ceil((queue_position + 1) * 60 / drained_in_a_minute)


def eta_of_running(*, ran_seconds: float, fraction: float) -> int | None:
    """Seconds that were left of a run when a fraction was done. A clock that went back tells nothing."""
    if fraction < LEAST_FRACTION or ran_seconds < 0:
        return None
    return math.ceil(ran_seconds * (1 - fraction) / fraction)
