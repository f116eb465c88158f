"""Runs one job: claim, fetch, classify, finish.

It decides nothing about a job's status: the scripts behind the job store do, and refuse a run whose lease is
lost.
"""

import time
import uuid
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import BinaryIO

import structlog

from shared.errors import JobFailure, PredictionFailed, StoreUnavailable
from shared.job import Job, JobError, JobId, Outcome, Source, StageSeconds
from shared.ports import AudioStore
from shared.redis_jobs import RedisJobStore, Verdict
from shared.settings import Settings
from worker.fetch import Fetcher
from worker.lease import KeptLease, LeaseKeeper, LeaseLost
from worker.metrics import WorkerMetrics
from worker.pipeline import Analysis, Pipeline, Report
from worker.song import AudioFacts

PROGRESS_PERIOD_SECONDS = 0.25  # within a stage, progress is shown no oftener

log = structlog.get_logger(__name__)


class Runner:
    """What a worker does with a doorbell."""

    def __init__(
        self,
        *,
        jobs: RedisJobStore,
        audio: AudioStore,
        fetcher: Fetcher,
        pipeline: Pipeline,
        leases: LeaseKeeper,
        metrics: WorkerMetrics,
        settings: Settings,
    ) -> None:
        self._jobs = jobs
        self._audio = audio
        self._fetcher = fetcher
        self._pipeline = pipeline
        self._leases = leases
        self._metrics = metrics
        self._lease_seconds = settings.lease_seconds

    def run(self, job_id: JobId) -> None:
        """Run the job if it is there to be run; a doorbell for any other job is answered with silence.

        Where Redis or the audio store is away, the lease is left to lapse and the reaper gives the job on.
        """
        try:
            claim = self._jobs.claim(job_id, owner=uuid.uuid4().hex, lease_seconds=self._lease_seconds)
            if claim.verdict is Verdict.EXHAUSTED:
                self._metrics.exhausted()
                self._audio.delete(job_id)
            if claim.job is None or claim.lease is None:
                log.debug("doorbell without a job to run", job_id=job_id, verdict=claim.verdict.value)
                return
            self._metrics.claimed(claim.job)
            with self._leases.keep(claim.lease) as kept:
                self._classify(claim.job, claim.url, kept)
        except StoreUnavailable as error:
            log.warning("job left to the reaper", job_id=job_id, error=error.detail)
        except LeaseLost:
            log.warning("job given up: its lease was lost", job_id=job_id)

    def _classify(self, job: Job, url: str | None, kept: KeptLease) -> None:
        start = time.perf_counter()
        outcome = self._outcome(job, url, kept)
        stored_from = time.perf_counter()
        if not self._jobs.finish(kept.lease, outcome):
            self._metrics.rejected()
            log.warning("result refused: the lease was lost", job_id=job.id)
            return
        end = time.perf_counter()
        self._metrics.stored(end - stored_from)
        self._metrics.finished(outcome, seconds=end - start)
        self._audio.delete(job.id)
        log.info(
            "job finished",
            job_id=job.id,
            status=outcome.status.value,
            reason=outcome.error.code if outcome.error else None,
            attempt=job.attempt,
            seconds=round(end - start, 3),
        )

    def _outcome(self, job: Job, url: str | None, kept: KeptLease) -> Outcome:
        report = _Reporter(self._jobs, kept)
        source, start, fetch_seconds = job.source, time.perf_counter(), None
        with ExitStack() as stack:
            try:
                audio, source = self._song(job, url, report, stack)
                fetch_seconds = time.perf_counter() - start
                analysis = self._pipeline.run(
                    audio, first_window_only=job.options.windows == "first", report=report
                )
            except (StoreUnavailable, LeaseLost):
                raise
            except JobFailure as error:
                analysis = Analysis(error=error, stage_seconds=StageSeconds())
            except Exception:
                # One song must never take the worker down with it, whatever it does to the pipeline.
                log.exception("prediction failed", job_id=job.id)
                analysis = Analysis(
                    error=PredictionFailed("The song could not be classified."), stage_seconds=StageSeconds()
                )
        return Outcome(
            source=described(source, analysis.audio),
            model=self._pipeline.identity,
            stage_seconds=replace(analysis.stage_seconds, fetch=fetch_seconds),
            result=analysis.classification,
            error=JobError.of(analysis.error) if analysis.error else None,
        )

    def _song(self, job: Job, url: str | None, report: Report, stack: ExitStack) -> tuple[BinaryIO, Source]:
        """The song's bytes, which live as long as the stack, and what is known of where they came from."""
        if url is None:
            return stack.enter_context(self._audio.open(job.id)), job.source
        file = stack.enter_context(self._audio.scratch())
        fetched = self._fetcher.fetch(url, file, on_step=lambda: report("fetch", 0.0))
        return file, replace(job.source, sha256=fetched.sha256, bytes=fetched.bytes)


def described(source: Source, audio: AudioFacts | None) -> Source:
    """The source with what decoding has found out about it."""
    if audio is None:
        return source
    return replace(
        source,
        duration_seconds=audio.duration_seconds,
        sample_rate=audio.source_sample_rate,
        channels=audio.channels,
        codec=audio.codec,
        truncated=audio.truncated,
    )


@dataclass
class _Reporter:
    """Shows progress, and ends the run once its lease is lost."""

    jobs: RedisJobStore
    kept: KeptLease
    _stage: str = ""
    _shown_at: float = 0.0

    def __call__(self, stage: str, fraction: float) -> None:
        self.kept.check()
        if stage == self._stage and time.monotonic() - self._shown_at < PROGRESS_PERIOD_SECONDS:
            return
        if not self.jobs.progress(self.kept.lease, stage=stage, fraction=fraction):
            raise LeaseLost(self.kept.lease.job_id)
        self._stage, self._shown_at = stage, time.monotonic()
