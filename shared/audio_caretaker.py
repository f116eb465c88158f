"""Removes what nobody waits for: audio of finished jobs and of lost uploads, pictures without a result.

It ends no job, and leaves alone whatever it does not know.
"""

import random
import time
from collections.abc import Iterable, Iterator
from itertools import islice

import structlog

from shared.errors import ResultGone, StoreUnavailable, UnknownJob
from shared.job import FINISHED, JobId, JobStatus
from shared.ports import AudioStore, PictureStore
from shared.redis_jobs import RedisJobStore
from shared.settings import Settings

SPENT_SECONDS = 10.0
"""For so long after its end, whoever ended a job has time to remove its audio himself."""
LOOKS_PER_LIFE = 6
"""The directory is looked through so often while an orphan becomes one."""
JITTER = 0.25
PICTURES_AT_ONCE = 500
USELESS = {None, *FINISHED} - {JobStatus.SUCCEEDED}
"""Where a job stands whose picture nobody can get any more; None where its record has expired."""

log = structlog.get_logger(__name__)


class AudioCaretaker:
    """Sweeps when it is told to; any number of processes may."""

    def __init__(
        self,
        jobs: RedisJobStore,
        audio: AudioStore,
        settings: Settings,
        *,
        pictures: PictureStore | None = None,
    ) -> None:
        self._jobs = jobs
        self._audio = audio
        self._pictures = pictures
        self._orphan_seconds = settings.orphan_seconds
        self._orphans_due = time.monotonic()

    def sweep(self) -> None:
        """Whatever is due; StoreUnavailable where Redis is away, and then nothing is removed."""
        self.sweep_spent()
        if time.monotonic() >= self._orphans_due:
            period = self._orphan_seconds / LOOKS_PER_LIFE
            self._orphans_due = time.monotonic() + period * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
            self.sweep_orphans()
            self.sweep_pictures()

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

    def sweep_pictures(self) -> None:
        """Remove pictures whose job's result is kept no longer, or never came to be."""
        if self._pictures is None:
            return
        # A picture is younger than its job: whichever is found here was already asked for.
        for job_ids in _batches(self._pictures.all(idle_seconds=self._orphan_seconds)):
            for job_id, status in zip(job_ids, self._jobs.statuses(job_ids), strict=True):
                if status in USELESS:
                    self._remove_picture(self._pictures, job_id)

    def _remove_picture(self, pictures: PictureStore, job_id: JobId) -> None:
        try:
            pictures.delete(job_id)
        except StoreUnavailable as error:
            log.warning("picture not removed", job_id=job_id, error=error.detail)

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


def _batches(job_ids: Iterable[JobId]) -> Iterator[tuple[JobId, ...]]:
    rest = iter(job_ids)
    while batch := tuple(islice(rest, PICTURES_AT_ONCE)):
        yield batch
