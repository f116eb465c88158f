"""The reaper: gives jobs of lost workers to others, rings lost doorbells again, removes audio of no use.

Runs in every api and worker process. The script behind it is atomic, so that there is no leader to lose.
"""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import structlog

from shared.errors import ResultGone, StoreUnavailable, UnknownJob
from shared.job import JobId
from shared.ports import AudioStore, Doorbell
from shared.redis_jobs import RedisJobStore
from shared.settings import Settings
from shared.transitions import Sweep

SPENT_SECONDS = 10.0
"""For so long after its end, whoever ended a job has time to remove its audio himself."""
ORPHANS_PER_LIFE = 6
"""The directory is looked through so often while an orphan becomes one."""
JITTER = 0.25  # of the period, either way: many reapers do not sweep in step

log = structlog.get_logger(__name__)


class Reaper:
    """Sweeps once a period, in a thread of its own, until it is stopped."""

    def __init__(
        self,
        *,
        jobs: RedisJobStore,
        audio: AudioStore,
        doorbell: Doorbell,
        settings: Settings,
        on_sweep: Callable[[Sweep], None],
    ) -> None:
        """on_sweep hears of each sweep that found something."""
        self._jobs = jobs
        self._audio = audio
        self._doorbell = doorbell
        self._period_seconds = settings.reap_period_seconds
        self._rering_seconds = settings.rering_seconds
        self._orphan_seconds = settings.orphan_seconds
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
        sweep = replace(self._jobs.reap(rering_seconds=self._rering_seconds), expired=expired)
        if sweep.lapsed or sweep.rings or sweep.expired:
            log.warning(
                "jobs recovered",
                lapsed=sweep.lapsed,
                failed=sweep.failed,
                expired=expired,
                rung=len(sweep.rings),
            )
            self._on_sweep(sweep)
        for ring in sweep.rings:
            self._doorbell.ring(ring.job_id, ring.broker_queue)

    def sweep_spent(self, *, older_seconds: float = SPENT_SECONDS) -> None:
        """Remove the audio of finished jobs, where whoever ended them did not come to it."""
        if spent := self._jobs.spent(older_seconds=older_seconds):
            for job_id in spent:
                self._audio.delete(job_id)
            self._jobs.forget_audio(spent)

    def sweep_orphans(self) -> None:
        """Remove audio that a crash left behind: never accepted, or its job is long gone."""
        for job_id in self._audio.abandoned(idle_seconds=self._orphan_seconds):
            if not self._is_waited_for(job_id):
                log.warning("orphaned audio removed", job_id=job_id)
                self._audio.delete(job_id)

    def _is_waited_for(self, job_id: JobId) -> bool:
        try:
            return not self._jobs.get(job_id).is_finished
        except (UnknownJob, ResultGone):
            return False

    def _loop(self) -> None:
        orphans_due = time.monotonic()
        while not self._stop.wait(self._period_seconds * _jittered()):
            try:
                self.sweep()
                self.sweep_spent()
                if time.monotonic() >= orphans_due:
                    orphans_due = time.monotonic() + self._orphan_seconds / ORPHANS_PER_LIFE * _jittered()
                    self.sweep_orphans()
            except StoreUnavailable as error:
                log.warning("reaper cannot reach redis", error=error.detail)
            except Exception:
                # Without sweeps lost jobs stay lost: the loop outlives whatever one sweep meets.
                log.exception("reaper sweep failed")


def _jittered() -> float:
    return random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  a delay, no secret
