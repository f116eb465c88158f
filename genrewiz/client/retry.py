"""Whether a request is sent again, and after how long.

Pure: clocks and dice are handed in. Nearly every request may be sent twice (what creates a job bears an
idempotency key), so that the outcome and the bounds alone decide; for those that may not, an outcome must say
that nothing has arrived.
"""

import re
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

from genrewiz.client.effects import Answer, Broken

TOO_MANY_REQUESTS: Final = 429
UNAVAILABLE: Final = 503
REPEATED: Final = frozenset({TOO_MANY_REQUESTS, 502, UNAVAILABLE, 504})
"""A server that says `later`, and a proxy that has lost it for a moment."""
FIRST_PAUSE_SECONDS: Final = 0.5
MAX_PAUSE_SECONDS: Final = 8.0
SPREAD: Final = 0.1
"""Clients who are told the same second come back in the tenth of the pause behind it, not all at once."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How often a request is sent at most, and how long all its pauses may be together."""

    max_attempts: int = 6
    pauses_seconds: float = 300.0

    def __post_init__(self) -> None:
        if self.max_attempts < 1:
            raise ValueError("A request is sent at least once: max_attempts must be 1 or more.")


def may_heal(outcome: Answer | Broken) -> bool:
    """Whether the same request may be answered otherwise a little later."""
    if isinstance(outcome, Broken):
        return not outcome.is_final
    return outcome.status in REPEATED


def nothing_has_arrived(outcome: Answer | Broken) -> bool:
    """Whether it is certain that nothing was done: no connection was made, or the request was turned away.

    503 is no such word: also a server whose store did not answer, though it had heard, says so.
    """
    if isinstance(outcome, Broken):
        return outcome.is_unsent
    return outcome.status == TOO_MANY_REQUESTS


def pause_seconds(
    outcome: Answer | Broken,
    *,
    attempt: int,
    paused_seconds: float,
    patience: Patience,
    now: float,
    dice: float,
) -> float | None:
    """How long to wait before the request is sent again; None where it is not.

    attempt: how often it was sent, from 1. paused_seconds: all pauses so far. now: seconds since 1970.
    dice: at random from 0 to 1.
    """
    if not may_heal(outcome) or attempt >= patience.max_attempts:
        return None
    told = retry_after_seconds(outcome, now=now) if isinstance(outcome, Answer) else None
    if told is None:
        longest = min(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1), MAX_PAUSE_SECONDS)
        pause = longest * (1 + dice) / 2
    else:
        pause = told * (1 + SPREAD * dice)  # never sooner
    return pause if paused_seconds + pause <= patience.pauses_seconds else None


def retry_after_seconds(answer: Answer, *, now: float) -> float | None:
    """The Retry-After header, be it seconds or a date; None where it is neither.

    now: seconds since 1970 here, which count where the server does not say what time it has.
    """
    text = answer.headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return float(text)
    then = _seconds_of(text)
    if then is None:
        return None
    said = _seconds_of(answer.headers.get("date", ""))
    return max(0.0, then - (now if said is None else said))


def _seconds_of(date: str) -> float | None:
    try:
        then = parsedate_to_datetime(date)
    except ValueError:
        return None
    return (then if then.tzinfo else then.replace(tzinfo=UTC)).timestamp()
