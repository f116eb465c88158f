"""The reaper: gives jobs of lost workers to others, rings lost doorbells again, and lets audio be cared for.

Runs in every api and worker process. The script behind it is atomic, so that there is no leader to lose.
"""

import random
import threading
from collections.abc import Callable
from dataclasses import replace

import structlog

from shared.audio_caretaker import AudioCaretaker
from shared.errors import StoreUnavailable
from shared.ports import Doorbell
from shared.redis_jobs import RedisJobStore
from shared.settings import Settings
from shared.story import tell
from shared.transitions import Sweep

JITTER = 0.25  # of the period, either way: many reapers do not sweep in step

log = structlog.get_logger(__name__)


class Reaper:
    """Sweeps once a period, in a thread of its own, until it is stopped."""

    def __init__(
        self,
        *,
        jobs: RedisJobStore,
        doorbell: Doorbell,
        settings: Settings,
        on_sweep: Callable[[Sweep], None],
        caretaker: AudioCaretaker | None = None,
    ) -> None:
        """on_sweep hears of each sweep that found something.

        caretaker: sweeps in the same period; None where other processes see to that.
        """
        self._jobs = jobs
        self._caretaker = caretaker
        self._doorbell = doorbell
        self._period_seconds = settings.reap_period_seconds
        self._rering_seconds = settings.rering_seconds
        self._on_sweep = on_sweep
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="reaper", daemon=True)

    def start(self) -> None:
        """Begin to sweep."""
        self._thread.start()

    def stop(self) -> None:
        """End after the sweep in progress."""
        self._stop.set()

    def sweep(self) -> None:
        """One sweep; StoreUnavailable where Redis is away."""
        expired = self._jobs.expire()
        sweep = self._jobs.reap(rering_seconds=self._rering_seconds)
        sweep = replace(sweep, expired=len(expired), news=(*expired, *sweep.news))
        if sweep.lapsed or sweep.rings or sweep.expired:
            log.warning(
                "jobs recovered",
                lapsed=sweep.lapsed,
                failed=sweep.failed,
                expired=sweep.expired,
                rung=len(sweep.rings),
            )
            self._on_sweep(sweep)
        for news in sweep.news:
            tell(news)
        for ring in sweep.rings:
            self._doorbell.ring(ring.job_id, ring.broker_queue)

    def _loop(self) -> None:
        while not self._stop.wait(self._period_seconds * _jittered()):
            try:
                self.sweep()
                if self._caretaker:
                    self._caretaker.sweep()
            except StoreUnavailable as error:
                log.warning("reaper cannot reach redis", error=error.detail)
            except Exception:
                # Without sweeps lost jobs stay lost: the loop outlives whatever one sweep meets.
                log.exception("reaper sweep failed")


def _jittered() -> float:
    return random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  a delay, no secret
