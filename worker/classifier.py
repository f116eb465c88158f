"""One job -> its outcome: fetch the song, run the pipeline, put the answer or the song's fault into words.

It changes nothing: what an outcome does to a job is the store's business.
"""

import time
from contextlib import ExitStack
from dataclasses import replace
from typing import BinaryIO

import structlog

from shared.errors import JobFailure, PredictionFailed, StoreUnavailable
from shared.job import Job, JobError, Outcome, Source, StageSeconds, answer_key
from shared.ports import AudioStore, PictureStore
from worker.fetch import Fetcher
from worker.lease import CancelRequested, LeaseLost
from worker.pipeline import Analysis, Pipeline, Report
from worker.song import AudioFacts

log = structlog.get_logger(__name__)


class Classifier:
    """What a worker does with a job that it has claimed."""

    def __init__(
        self,
        *,
        audio: AudioStore,
        pictures: PictureStore,
        fetcher: Fetcher,
        pipeline: Pipeline,
        keep_answers: bool,
    ) -> None:
        """keep_answers: whether an answer may be given again to the same audio and options."""
        self._audio = audio
        self._pictures = pictures
        self._fetcher = fetcher
        self._pipeline = pipeline
        self._keep_answers = keep_answers

    def outcome(self, job: Job, url: str | None, report: Report) -> Outcome:
        """How the run ends. LeaseLost of the report, and StoreUnavailable, leave the job without an end."""
        source, start, fetch_seconds = job.source, time.perf_counter(), None
        with ExitStack() as stack:
            try:
                audio, source = self._song(job, url, report, stack)
                fetch_seconds = time.perf_counter() - start
                analysis = self._pipeline.run(
                    audio,
                    first_window_only=job.options.windows == "first",
                    picture=job.options.spectrogram,
                    report=report,
                )
                if analysis.picture is not None:  # whoever sees the job's end can have it
                    self._pictures.put(job.id, analysis.picture)
            except (StoreUnavailable, LeaseLost):
                raise
            except CancelRequested:
                analysis = Analysis(stage_seconds=StageSeconds())
            except JobFailure as error:
                analysis = Analysis(error=error, stage_seconds=StageSeconds())
            except Exception:
                # One song must never take the worker down with it, whatever it does to the pipeline.
                log.exception("prediction failed")
                analysis = Analysis(
                    error=PredictionFailed("The song could not be classified."), stage_seconds=StageSeconds()
                )
        return Outcome(
            source=described(source, analysis.audio),
            model=self._pipeline.identity,
            stage_seconds=replace(analysis.stage_seconds, fetch=fetch_seconds),
            result=analysis.classification,
            error=JobError.of(analysis.error) if analysis.error else None,
            answer=answer_key(source.sha256, job.options) if self._keep_answers and source.sha256 else None,
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
