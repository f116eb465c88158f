"""When a delivery is tried again. Pure: it waits for nothing and reads no clock."""

import email.utils
from collections.abc import Sequence
from datetime import UTC
from typing import Final

from shared.webhooks import Attempt, DueDelivery

JITTER: Final = 0.1
"""Of a pause, in either direction: receivers that failed together are not asked again together."""
MAX_RETRY_AFTER_SECONDS: Final = 86_400.0
GONE: Final = 410
NEVER_AGAIN: Final = frozenset({"job.progress"})
"""Events that newer ones of the same kind make worthless."""


def pause_seconds(
    due: DueDelivery, attempt: Attempt, *, schedule: Sequence[float], chance: float
) -> float | None:
    """How long to wait after an attempt that failed; None where it was the last one.

    chance: from 0 to 1, at random. What the receiver asked for is the least, not the most.
    """
    if due.event in NEVER_AGAIN or attempt.status_code == GONE or due.tries >= len(schedule):
        return None
    pause = schedule[due.tries] * (1 - JITTER + 2 * JITTER * chance)
    asked = (attempt.retry_after_seconds or 0.0) * (1 + JITTER * chance)
    return max(pause, asked)


def retry_after_seconds(header: str | None, *, now: float) -> float | None:
    """What `Retry-After` asks for, a day at most; None where it says nothing that can be understood.

    now: seconds since 1970.
    """
    text = (header or "").strip()
    if text.isascii() and text.isdecimal():
        return min(float(text[:20]), MAX_RETRY_AFTER_SECONDS)
    try:
        until = email.utils.parsedate_to_datetime(text)
        seconds = until.replace(tzinfo=until.tzinfo or UTC).timestamp() - now
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(0.0, seconds), MAX_RETRY_AFTER_SECONDS)
