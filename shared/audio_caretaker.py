"""Removes audio that nobody waits for: of finished jobs, and of uploads that were never accepted.

It ends no job, and leaves alone whatever it does not know.
"""

import random
import time

import structlog

from shared.errors import ResultGone, StoreUnavailable, UnknownJob
from shared.job import JobId
from shared.ports import AudioStore
from shared.redis_jobs import RedisJobStore
from shared.settings import Settings

SPENT_SECONDS = 10.0
"""For so long after its end, whoever ended a job has time to remove its audio himself."""
LOOKS_PER_LIFE = 6
"""The directory is looked through so often while an orphan becomes one."""
JITTER = 0.25

log = structlog.get_logger(__name__)


class AudioCaretaker:
    """Sweeps when it is told to; any number of processes may."""

    def __init__(self, jobs: RedisJobStore, audio: AudioStore, settings: Settings) -> None:
        self._jobs = jobs
        self._audio = audio
        self._orphan_seconds = settings.orphan_seconds
        self._orphans_due = time.monotonic()

    def sweep(self) -> None:
        """Whatever is due; StoreUnavailable where Redis is away, and then nothing is removed."""
        self.sweep_spent()
        if time.monotonic() >= self._orphans_due:
            period = self._orphan_seconds / LOOKS_PER_LIFE
            self._orphans_due = time.monotonic() + period * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
            self.sweep_orphans()

    def sweep_spent(self, *, older_seconds: float = SPENT_SECONDS) -> None:
        """Remove the audio of finished jobs, where whoever ended them did not come to it."""
        spent = self._jobs.spent(older_seconds=older_seconds)
        if gone := [job_id for job_id in spent if self._removed(job_id)]:
            self._jobs.forget_audio(gone)

    def sweep_orphans(self) -> None:
        """Remove audio that a crash left behind: never accepted, or its job is long gone."""
        for job_id in self._audio.abandoned(idle_seconds=self._orphan_seconds):
            if not self._is_waited_for(job_id):
                log.warning("orphaned audio removed", job_id=job_id)
                self._removed(job_id)

    def _removed(self, job_id: JobId) -> bool:
        try:
            self._audio.delete(job_id)
        except StoreUnavailable as error:
            log.warning("audio not removed", job_id=job_id, error=error.detail)
            return False
        return True

    def _is_waited_for(self, job_id: JobId) -> bool:
        try:
            return not self._jobs.get(job_id).is_finished
        except (UnknownJob, ResultGone):
            return False
