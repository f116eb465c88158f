"""What a worker does with a doorbell: on a real server, with stand-in pipelines."""

from typing import BinaryIO

import numpy as np
import pytest
from prometheus_client import CollectorRegistry
from redis import Redis

from shared.audio_store import DirectoryAudioStore
from shared.errors import CorruptAudio, JobFailure
from shared.job import JobId, JobStatus, StageSeconds
from shared.redis_jobs import RedisJobStore
from shared.redis_keys import Keys
from shared.settings import Settings
from support.jobs import MODEL, classification, new_job
from worker.decode import DecodedAudio
from worker.lease import LeaseKeeper
from worker.metrics import WorkerMetrics
from worker.pipeline import Analysis
from worker.runner import Runner


class StubPipeline:
    """Answers, or raises, and lets a test interfere before it does."""

    identity = MODEL

    def __init__(self, error: Exception | None = None, meanwhile=lambda: None) -> None:
        self._error, self._meanwhile = error, meanwhile
        self.heard: list[bytes] = []
        self.went_on = False

    def run(self, audio: BinaryIO, *, first_window_only: bool, report) -> Analysis:
        self.heard.append(audio.read())
        report("decode", 0.0)
        self._meanwhile()
        report("decode", 0.1)
        self.went_on = True
        report("predict", 0.75)
        if isinstance(self._error, JobFailure):
            return Analysis(error=self._error, stage_seconds=StageSeconds(decode=0.25))
        if self._error:
            raise self._error
        decoded = DecodedAudio(
            waveform=np.zeros(10, np.float32),
            source_sample_rate=44_100,
            channels=2,
            codec="mp3",
            duration_seconds=30.0,
            truncated=False,
        )
        return Analysis(
            classification=classification(), audio=decoded, stage_seconds=StageSeconds(decode=0.5)
        )


class World:
    """A worker's surroundings and one accepted job."""

    def __init__(self, jobs: RedisJobStore, redis: Redis, settings: Settings) -> None:
        self.jobs, self.redis = jobs, redis
        self.audio = DirectoryAudioStore(settings.audio_dir)
        self.metrics = WorkerMetrics()
        self.leases = LeaseKeeper(jobs=jobs, settings=settings)
        self._settings = settings
        self.job_id = self.submit(1)

    def submit(self, number: int) -> JobId:
        new = new_job(number)
        sink = self.audio.create(new.id)
        sink.write(b"la la la")
        sink.commit()
        self.jobs.accept(new)
        return new.id

    def run(self, pipeline: StubPipeline, job_id: JobId | None = None) -> None:
        Runner(
            jobs=self.jobs,
            audio=self.audio,
            pipeline=pipeline,
            leases=self.leases,
            metrics=self.metrics,
            settings=self._settings,
        ).run(job_id or self.job_id)

    def lose_the_lease(self) -> None:
        self.redis.zadd(Keys().running, {self.job_id: 1})
        self.jobs.reap(rering_seconds=60)

    def figure(self, name: str, **labels: str) -> float:
        registry: CollectorRegistry = self.metrics.registry
        return registry.get_sample_value(f"genrewiz_{name}", labels) or 0.0


@pytest.fixture
def world(jobs, redis, settings) -> World:
    return World(jobs, redis, settings)


def test_a_song_is_heard_answered_and_forgotten(world):
    pipeline = StubPipeline()

    world.run(pipeline)

    job = world.jobs.get(world.job_id)
    assert pipeline.heard == [b"la la la"]
    assert job.status is JobStatus.SUCCEEDED
    assert job.result == classification()
    assert job.model == MODEL
    assert job.stage_seconds.decode == 0.5
    assert (job.source.codec, job.source.channels, job.source.duration_seconds) == ("mp3", 2, 30.0)
    assert job.source.filename == "song.wav"
    assert list(world.audio._root.iterdir()) == []


def test_progress_can_be_seen_while_the_song_is_heard(world):
    seen = []

    world.run(StubPipeline(meanwhile=lambda: seen.append(world.jobs.get(world.job_id))))

    assert seen[0].status is JobStatus.RUNNING
    assert seen[0].progress.stage == "decode"


def test_a_song_that_cannot_be_decoded_fails_its_job_with_the_reason(world):
    world.run(StubPipeline(error=CorruptAudio("Nothing could be decoded.")))

    job = world.jobs.get(world.job_id)
    assert job.status is JobStatus.FAILED
    assert job.error.code == "corrupt_audio"
    assert (job.stage_seconds.decode, job.stage_seconds.predict) == (0.25, None)
    assert job.attempt == 1
    assert list(world.audio._root.iterdir()) == []


def test_a_song_that_breaks_the_pipeline_fails_alone(world):
    second = world.submit(2)

    world.run(StubPipeline(error=RuntimeError("boom")))
    world.run(StubPipeline(), second)

    error = world.jobs.get(world.job_id).error
    assert error.code == "prediction_failed"
    assert "boom" not in error.detail
    assert world.jobs.get(second).status is JobStatus.SUCCEEDED


def test_a_doorbell_for_a_finished_job_changes_nothing(world):
    world.run(StubPipeline())
    again = StubPipeline()

    world.run(again)

    assert again.heard == []


def test_a_run_that_lost_its_lease_stops_and_writes_nothing(world):
    world.run(StubPipeline(meanwhile=world.lose_the_lease))

    assert world.jobs.get(world.job_id).status is JobStatus.QUEUED


def test_a_heartbeat_that_finds_the_lease_lost_stops_the_run_at_its_next_step(world):
    def lose_and_notice() -> None:
        world.lose_the_lease()
        world.leases.renew_all()

    pipeline = StubPipeline(meanwhile=lose_and_notice)

    world.run(pipeline)

    assert not pipeline.went_on
    assert world.jobs.get(world.job_id).status is JobStatus.QUEUED


def test_a_job_whose_audio_cannot_be_read_is_left_to_the_reaper(world):
    world.audio.delete(world.job_id)

    world.run(StubPipeline())

    assert world.jobs.get(world.job_id).status is JobStatus.RUNNING
    assert world.jobs.get(world.job_id).attempt == 1


def test_a_heartbeat_prolongs_the_lease_of_what_runs(world, redis):
    def beat() -> None:
        redis.zadd(Keys().running, {world.job_id: 1})
        world.leases.renew_all()

    world.run(StubPipeline(meanwhile=beat))

    assert world.jobs.get(world.job_id).status is JobStatus.SUCCEEDED


def test_each_end_of_a_job_is_counted_once(world):
    second = world.submit(2)

    world.run(StubPipeline())
    world.run(StubPipeline())
    world.run(StubPipeline(error=CorruptAudio()), second)

    assert world.figure("jobs_finished_total", status="succeeded", reason="") == 1
    assert world.figure("jobs_finished_total", status="failed", reason="corrupt_audio") == 1
    assert world.figure("predictions_total", genre="rock") == 1
    assert world.figure("audio_seconds_total") == 30
    assert world.figure("job_queue_wait_seconds_count") == 2
    assert world.figure("stage_duration_seconds_count", stage="decode") == 2
    assert world.figure("stage_duration_seconds_count", stage="predict") == 0
