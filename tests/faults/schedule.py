"""Which faults a soak does in which order: chance, but the same for the same seed.

It decides kinds and their order, and who is hit; when exactly each comes, the run decides, which has to fit
them into its time.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass

FULL_SECONDS = 3 * 720.0
"""What the numbers below are for, in all; a shorter soak does its share of each."""

TIMES = {
    "worker_kill": 69,
    "redis_kill": 24,
    "api_kill": 21,
    "zombie": 21,
    "black_hole": 9,
    "half_open": 3,
    "reset": 4,
    "latency": 4,
    "refuse": 3,
    "sigterm": 9,
    "doorbells_deleted": 6,
    "doorbells_doubled": 6,
    "crash": 24,
    "api_crash": 6,
}
QUIET_TIMES = {"worker_kill": 36, "redis_kill": 9, "black_hole": 3}
"""With nothing else going on, until it has been recovered from: those whose time is worth knowing."""
QUIET_SECONDS = {"worker_kill": 26.0, "redis_kill": 12.0, "black_hole": 45.0}
"""What such a one takes, about."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One fault to come."""

    kind: str
    is_quiet: bool
    chance: float  # in [0, 1): who is hit, and how


def steps(
    seed: int,
    seconds: float,
    *,
    times: Mapping[str, int] = TIMES,
    quiet_times: Mapping[str, int] = QUIET_TIMES,
    full_seconds: float = FULL_SECONDS,
) -> list[Step]:
    """A shuffled deck: at least one of each kind. times: of a run of full_seconds."""
    random_ = random.Random(seed)
    share = seconds / full_seconds
    deck = [
        (kind, is_quiet)
        for deck_, is_quiet in ((times, False), (quiet_times, True))
        for kind, count in deck_.items()
        for _ in range(max(1, round(count * share)))
    ]
    random_.shuffle(deck)
    return [Step(kind=kind, is_quiet=is_quiet, chance=random_.random()) for kind, is_quiet in deck]


def pause_seconds(left: list[Step], seconds: float) -> float:
    """Before the next of what is left, when so many seconds are."""
    spent = sum(QUIET_SECONDS[step.kind] for step in left if step.is_quiet)
    return max(0.5, (seconds - spent) / max(1, len(left)))
