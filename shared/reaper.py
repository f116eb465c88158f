"""The reaper: gives jobs of lost workers to others and rings lost doorbells again.

Runs in every api and worker process. The script behind it is atomic, so that there is no leader to lose.
"""

import random
import threading
import time
from collections.abc import Callable

import structlog

from shared.errors import StoreUnavailable, UnknownJob
from shared.job import JobId
from shared.ports import AudioStore, Doorbell
from shared.redis_jobs import RedisJobStore, Sweep
from shared.settings import Settings

AUDIO_PERIOD_SECONDS = 600
AUDIO_IDLE_SECONDS = 3_600
"""Audio younger than this may belong to an upload that is being accepted."""
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
        sweep = self._jobs.reap(rering_seconds=self._rering_seconds)
        if sweep.lapsed or sweep.rings:
            log.warning(
                "jobs recovered", lapsed=sweep.lapsed, failed=len(sweep.failed), rung=len(sweep.rings)
            )
            self._on_sweep(sweep)
        for job_id in sweep.failed:
            self._audio.delete(job_id)
        for ring in sweep.rings:
            self._doorbell.ring(ring.job_id, ring.broker_queue)

    def sweep_audio(self, *, idle_seconds: float = AUDIO_IDLE_SECONDS) -> None:
        """Remove audio that a crash left: of uploads that were never accepted, and of finished jobs."""
        for job_id in self._audio.abandoned(idle_seconds=idle_seconds):
            if not self._is_waited_for(job_id):
                log.warning("abandoned audio removed", job_id=job_id)
                self._audio.delete(job_id)

    def _is_waited_for(self, job_id: JobId) -> bool:
        try:
            return not self._jobs.get(job_id).is_finished
        except UnknownJob:
            return False

    def _loop(self) -> None:
        audio_due = time.monotonic()
        while not self._stop.wait(self._period_seconds * _jittered()):
            try:
                self.sweep()
                if time.monotonic() >= audio_due:
                    audio_due = time.monotonic() + AUDIO_PERIOD_SECONDS * _jittered()
                    self.sweep_audio()
            except StoreUnavailable as error:
                log.warning("reaper cannot reach redis", error=error.detail)
            except Exception:
                # Without sweeps lost jobs stay lost: the loop outlives whatever one sweep meets.
                log.exception("reaper sweep failed")


def _jittered() -> float:
    return random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  a delay, no secret
