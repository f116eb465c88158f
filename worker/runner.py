"""Runs one job: claim, fetch, classify, finish.

It decides nothing about a job's status: the scripts behind the job store do, and refuse a run whose lease is
lost.
"""

import threading
import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog

from shared.classification import TimelineEntry
from shared.errors import AudioMissing, StoreUnavailable
from shared.job import Job, JobId
from shared.job_events import NO_WINDOWS, Windows
from shared.names import SourceKind, recovered_queue
from shared.ports import AudioStore, Doorbell
from shared.redis_jobs import RedisJobStore
from shared.settings import Settings
from shared.story import tell
from shared.transitions import ENDS, Verdict
from worker.activity import Activity
from worker.classifier import Classifier
from worker.gate import Gate, Occupied
from worker.lease import KeptLease, LeaseKeeper, LeaseLost, give_back
from worker.metrics import WorkerMetrics

STEP_BACK_SECONDS = 5.0  # for so long a place stays empty whose song could not be read from the stores
PROGRESS_PERIOD_SECONDS = 0.25  # within a stage, progress is shown no oftener

log = structlog.get_logger(__name__)


class WorkerStops(Exception):
    """The worker was told to stop: it claims no more."""


class WaitsNoMore(Exception):
    """The suspect that room is being made for was taken or ended elsewhere."""


class Runner:
    """What a worker does with a doorbell."""

    def __init__(
        self,
        *,
        jobs: RedisJobStore,
        audio: AudioStore,
        doorbell: Doorbell,
        classifier: Classifier,
        leases: LeaseKeeper,
        activity: Activity,
        metrics: WorkerMetrics,
        settings: Settings,
    ) -> None:
        self._jobs = jobs
        self._audio = audio
        self._doorbell = doorbell
        self._classifier = classifier
        self._leases = leases
        self._activity = activity
        self._metrics = metrics
        self._lease_seconds = settings.lease_seconds
        self._gate = Gate()
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Claim no more. Safe in a signal's handler."""
        self._stopped.set()

    def run(self, job_id: JobId, kind: SourceKind) -> None:
        """Run the job if it is there to be run; a doorbell for any other job is answered with silence.

        Where Redis or the audio store is away, the job is given back, or left to the reaper.
        """
        _speak_of(job_id=job_id)
        with self._activity.doorbell(kind), self._gate.together():
            try:
                self._check_stop()
                if self._claim(job_id, alone=False) is Verdict.SUSPECT:
                    with self._gate.alone(lambda: self._stand_by(job_id)):
                        self._check_stop()
                        self._claim(job_id, alone=True)
            except (WorkerStops, Occupied):
                self._pass_on(job_id, kind)
            except WaitsNoMore:
                log.debug("suspect taken or ended elsewhere")
            except StoreUnavailable as error:
                log.warning("job left to the reaper", error=error.detail)
            except LeaseLost:
                log.warning("job given up: its lease was lost")

    def _check_stop(self) -> None:
        if self._stopped.is_set():
            raise WorkerStops

    def _stand_by(self, job_id: JobId) -> None:
        self._check_stop()
        if not self._jobs.stand_by(job_id):
            raise WaitsNoMore

    def _pass_on(self, job_id: JobId, kind: SourceKind) -> None:
        try:
            self._doorbell.ring(job_id, recovered_queue(kind))  # for another worker
        except StoreUnavailable as error:
            log.warning("job left to the reaper", error=error.detail)

    def _claim(self, job_id: JobId, *, alone: bool) -> Verdict:
        claim = self._jobs.claim(
            job_id, owner=uuid.uuid4().hex, lease_seconds=self._lease_seconds, alone=alone
        )
        if claim.job is None or claim.lease is None:
            if claim.verdict in ENDS:
                self._metrics.ended(ENDS[claim.verdict])
            if claim.news:
                tell(claim.news)
            log.debug("doorbell without a job to run", verdict=claim.verdict.value)
        else:
            self._metrics.claimed(claim.job)
            with self._leases.keep(claim.lease, claim.job) as kept:
                _speak_of(**kept.story)
                log.info("job claimed", attempt=claim.job.attempt, source=claim.job.source.kind)
                try:
                    self._classify(claim.job, claim.url, kept)
                except StoreUnavailable as error:
                    self._step_back(kept, error)
        return claim.verdict

    def _step_back(self, kept: KeptLease, error: StoreUnavailable) -> None:
        """Leave the job to workers that see the stores; a blind one would be the first at the next."""
        log.warning("job left to others", error=error.detail)
        if not isinstance(error, AudioMissing):  # else it counts: it may be missing everywhere
            give_back(self._jobs, self._doorbell, kept)
        self._stopped.wait(STEP_BACK_SECONDS)

    def _classify(self, job: Job, url: str | None, kept: KeptLease) -> None:
        start = time.perf_counter()
        reporter = _Reporter(self._leases, kept)
        outcome = self._classifier.outcome(job, url, reporter)
        stored_from = time.perf_counter()
        if not self._jobs.finish(kept.lease, outcome, windows=reporter.unseen):
            self._metrics.rejected()
            log.warning("result refused: the lease was lost")
            return
        end = time.perf_counter()
        self._metrics.stored(end - stored_from)
        self._metrics.finished(outcome, seconds=end - start)
        with suppress(StoreUnavailable):  # the caretaker tries again
            self._audio.delete(job.id)
        log.info(
            "job finished",
            status=outcome.status.value,
            reason=outcome.error.code if outcome.error else None,
            attempt=job.attempt,
            seconds=round(end - start, 3),
        )


def _speak_of(**story: str) -> None:
    """Every line of this thread is of this job from now on, until it has another one in hand."""
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(**story)


@dataclass
class _Reporter:
    """Shows progress and windows, several at once, and ends the run once its lease is lost."""

    leases: LeaseKeeper
    kept: KeptLease
    unseen: Windows = NO_WINDOWS
    """What nobody was shown yet: it goes out with the next step, or with the end."""
    _stage: str = ""
    _shown_at: float = 0.0

    def __call__(self, stage: str, fraction: float, windows: Sequence[TimelineEntry] = (), /) -> None:
        self.unseen = Windows(first=self.unseen.first, entries=(*self.unseen.entries, *windows))
        self.kept.check()
        if stage == self._stage and time.monotonic() - self._shown_at < PROGRESS_PERIOD_SECONDS:
            return
        if self.leases.report(self.kept, stage=stage, fraction=fraction, windows=self.unseen):
            self.unseen = Windows(first=self.unseen.first + len(self.unseen.entries), entries=())
        self.kept.check()
        self._stage, self._shown_at = stage, time.monotonic()
