"""What a worker does with a doorbell: on a real server, with stand-in pipelines."""

import hashlib
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO

import numpy as np
import pytest
from prometheus_client import CollectorRegistry
from redis import Redis

from shared.audio_store import DirectoryAudioStore
from shared.classification import TimelineEntry
from shared.egress import EgressGuard
from shared.errors import CorruptAudio, JobFailure, StoreUnavailable
from shared.job import JobId, JobOptions, JobStatus, Source, StageSeconds
from shared.job_events import BEFORE_ALL, WindowEvent
from shared.picture_store import DirectoryPictureStore
from shared.pinned_http import PinnedHttp
from shared.redis_events import RedisEvents
from shared.redis_jobs import RedisJobStore
from shared.redis_keys import Keys
from shared.settings import Settings
from support.jobs import MODEL, classification, new_job
from support.waiting import eventually
from support.web import Server, response, saying, song
from worker import runner as runner_module
from worker.activity import Activity
from worker.classifier import Classifier
from worker.decode import DecodedAudio
from worker.fetch import Fetcher
from worker.lease import LeaseKeeper
from worker.metrics import WorkerMetrics
from worker.pipeline import Analysis
from worker.runner import Runner

PICTURE = b"a picture"


class StubPipeline:
    """Answers, or raises, and lets a test interfere before it does."""

    identity = MODEL

    def __init__(self, error: Exception | None = None, meanwhile=lambda: None) -> None:
        self._error, self._meanwhile = error, meanwhile
        self.heard: list[bytes] = []
        self.went_on = False

    def run(self, audio: BinaryIO, *, first_window_only: bool, picture: bool, report) -> Analysis:
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
            classification=classification(),
            audio=decoded,
            picture=PICTURE if picture else None,
            stage_seconds=StageSeconds(decode=0.5),
        )


class World:
    """A worker's surroundings and one accepted job."""

    def __init__(self, jobs: RedisJobStore, redis: Redis, settings: Settings) -> None:
        self.jobs, self.redis = jobs, redis
        self.audio = DirectoryAudioStore(settings.audio_dir)
        self.pictures = DirectoryPictureStore(settings.audio_dir)
        self.metrics = WorkerMetrics()
        self.leases = LeaseKeeper(jobs=jobs, model=MODEL, settings=settings)
        self.rung: list[tuple[str, str]] = []
        self._settings = settings
        self.dns = ["127.0.0.1"]
        self.job_id = self.submit(1)

    def submit(self, number: int, **changes: Any) -> JobId:
        new = new_job(number, **changes)
        sink = self.audio.create(new.id)
        sink.write(b"la la la")
        sink.commit()
        self.jobs.accept(new)
        return new.id

    def submit_url(self, number: int, url: str) -> JobId:
        source = Source(kind="url", filename="song.wav", url=url.partition("?")[0])
        new = new_job(number, source=source, url=url)
        self.jobs.accept(new)
        return new.id

    def fetcher(self) -> Fetcher:
        settings = Settings(egress_http=True, egress_allow="127.0.0.0/8")
        guard = EgressGuard(http=True, allow=settings.egress_allow, resolve=lambda *_, **__: self.dns)
        return Fetcher(guard=guard, http=PinnedHttp(), settings=settings)

    def ring(self, job_id: JobId, broker_queue: str) -> None:
        self.rung.append((job_id, broker_queue))

    def runner(self, pipeline: StubPipeline) -> Runner:
        classifier = Classifier(
            audio=self.audio,
            pictures=self.pictures,
            fetcher=self.fetcher(),
            pipeline=pipeline,
            keep_answers=True,
        )
        return Runner(
            jobs=self.jobs,
            audio=self.audio,
            doorbell=self,
            classifier=classifier,
            leases=self.leases,
            activity=Activity(),
            metrics=self.metrics,
            settings=self._settings,
        )

    def run(self, pipeline: StubPipeline, job_id: JobId | None = None) -> None:
        self.runner(pipeline).run(job_id or self.job_id, "upload")

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


def test_a_job_whose_audio_is_missing_counts_its_attempt_and_is_left_to_the_reaper(
    world, no_time_to_step_back
):
    world.audio.delete(world.job_id)

    world.run(StubPipeline())

    assert world.jobs.get(world.job_id).status is JobStatus.RUNNING
    assert world.jobs.get(world.job_id).attempt == 1


def test_a_job_whose_audio_cannot_be_read_goes_to_others_and_its_attempt_does_not_count(
    world, no_time_to_step_back
):
    def blind(_):
        raise StoreUnavailable("The volume is away.")

    world.audio.open = blind

    world.run(StubPipeline())

    job = world.jobs.get(world.job_id)
    assert (job.status, job.attempt) == (JobStatus.QUEUED, 0)
    assert world.rung == [(world.job_id, "gw.recovered")]


def test_a_worker_that_cannot_read_audio_takes_no_other_job_for_a_while(world):
    world.audio.delete(world.job_id)
    runner = world.runner(StubPipeline())
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(runner.run, world.job_id, "upload")
        with pytest.raises(TimeoutError):
            run.result(timeout=0.5)
        runner.stop()  # which nobody has to wait for
        run.result(timeout=60)


def test_a_zombie_whose_finish_is_refused_leaves_the_audio_to_whoever_has_the_job_now(world):
    runner, finish = world.runner(StubPipeline()), world.jobs.finish

    def too_late(lease, outcome, **more) -> bool:
        world.redis.zadd(Keys().running, {world.job_id: 1})
        world.jobs.reap(rering_seconds=60)
        world.jobs.claim(world.job_id, owner="heir", lease_seconds=60)
        return finish(lease, outcome, **more)

    world.jobs.finish = too_late
    runner.run(world.job_id, "upload")

    assert world.jobs.get(world.job_id).status is JobStatus.RUNNING
    assert world.audio.open(world.job_id).read() == b"la la la"


@pytest.mark.usefixtures("every_step")
def test_a_report_that_does_not_get_through_ends_no_run(world):
    def away(*_, **__):
        raise StoreUnavailable("Redis does not answer.")

    world.jobs.progress = away

    world.run(StubPipeline())

    assert world.jobs.get(world.job_id).status is JobStatus.SUCCEEDED


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


def test_the_song_of_a_url_is_fetched_heard_and_described(world):
    with Server(saying(response(song()))) as server:
        job_id = world.submit_url(2, server.url("/song.wav?sig=s3cret"))
        pipeline = StubPipeline()

        world.run(pipeline, job_id)

    job = world.jobs.get(job_id)
    assert pipeline.heard == [song()]
    assert job.status is JobStatus.SUCCEEDED
    assert (job.source.kind, job.source.bytes) == ("url", len(song()))
    assert job.source.sha256 == hashlib.sha256(song()).hexdigest()
    assert job.stage_seconds.fetch > 0
    assert [path.name for path in world.audio._root.iterdir()] == [world.job_id]


@pytest.mark.parametrize("end", ["finish", "attempts", "claim"])
def test_the_whole_url_is_forgotten_when_its_job_has_finished(world, redis, end):
    with Server(saying(response(b"", "404 Not Found"))) as server:
        job_id = world.submit_url(2, server.url("/song.wav?sig=s3cret"))
        assert "s3cret" in str(redis.hgetall(Keys().job(job_id)))
        if end == "finish":
            world.run(StubPipeline(), job_id)
        else:
            for _ in range(3):
                world.jobs.claim(job_id, owner=f"{redis.incr('owners')}", lease_seconds=60)
                redis.zadd(Keys().running, {job_id: 1})
            if end == "attempts":
                world.jobs.reap(rering_seconds=60)
            else:
                world.run(StubPipeline(), job_id)

    job = world.jobs.get(job_id)
    assert job.status is JobStatus.FAILED
    assert job.error.code == ("fetch_failed" if end == "finish" else "too_many_attempts")
    assert "s3cret" not in str(redis.hgetall(Keys().job(job_id)))


def test_a_url_that_cannot_be_fetched_fails_its_job_with_the_reason(world):
    with Server(saying(response(b"", "404 Not Found"))) as server:
        job_id = world.submit_url(2, server.url())

        world.run(StubPipeline(), job_id)

    job = world.jobs.get(job_id)
    assert (job.error.code, job.error.retryable) == ("fetch_failed", False)
    assert (job.source.sha256, job.source.bytes, job.stage_seconds.decode) == (None, None, None)


def test_a_name_that_changes_between_post_and_fetch_is_blocked(world):
    with Server(saying(response(song()))) as server:
        job_id = world.submit_url(2, f"http://name.example:{server.port}/")
        world.dns = ["10.0.0.1"]

        world.run(StubPipeline(), job_id)

        assert server.accepted == 0
    assert world.jobs.get(job_id).error.code == "url_blocked"


def test_while_a_song_is_fetched_that_is_its_stage_and_a_lost_lease_ends_it(world, redis):
    stages = []

    def stream(connection: socket.socket, _: str) -> None:
        whole = response(song())
        connection.sendall(whole[:1_000])
        stages.append(world.jobs.get(job_id).progress.stage)
        redis.zadd(Keys().running, {job_id: 1})
        world.jobs.reap(rering_seconds=60)
        world.leases.renew_all()
        connection.sendall(whole[1_000:])

    pipeline = StubPipeline()
    with Server(stream) as server:
        job_id = world.submit_url(2, server.url())

        world.run(pipeline, job_id)

    assert stages == ["fetch"]
    assert pipeline.heard == []
    assert world.jobs.get(job_id).status is JobStatus.QUEUED


def test_a_job_that_lost_its_worker_while_fetching_is_fetched_anew(world, redis):
    with Server(saying(response(song()))) as server:
        job_id = world.submit_url(2, server.url("/song.wav?sig=s3cret"))
        world.jobs.claim(job_id, owner="killed", lease_seconds=60)
        redis.zadd(Keys().running, {job_id: 1})
        [ring] = world.jobs.reap(rering_seconds=60).rings

        world.run(StubPipeline(), job_id)

    assert ring.broker_queue == "gw.fetch.recovered"
    assert world.jobs.get(job_id).status is JobStatus.SUCCEEDED
    assert world.jobs.get(job_id).attempt == 2


@pytest.fixture
def no_time_to_step_back(monkeypatch) -> None:
    monkeypatch.setattr(runner_module, "STEP_BACK_SECONDS", 0)


@pytest.fixture
def every_step(monkeypatch) -> None:
    """Redis hears of every step, however soon after the last one."""
    monkeypatch.setattr(runner_module, "PROGRESS_PERIOD_SECONDS", 0)


@pytest.mark.usefixtures("every_step")
def test_a_run_that_nobody_wants_any_more_stops_at_its_next_step_and_is_cancelled_then(world):
    seen = []
    pipeline = StubPipeline(meanwhile=lambda: seen.append(world.jobs.cancel(world.job_id).job))

    world.run(pipeline)

    assert (seen[0].status, seen[0].cancel_requested) == (JobStatus.RUNNING, True)
    assert not pipeline.went_on
    job = world.jobs.get(world.job_id)
    assert (job.status, job.result, job.error) == (JobStatus.CANCELLED, None, None)
    assert world.figure("jobs_finished_total", status="cancelled", reason="") == 1
    assert list(world.audio.abandoned(idle_seconds=-1)) == []


def test_a_heartbeat_tells_a_run_that_nobody_wants_it_any_more(world):
    def cancel_and_beat() -> None:
        world.jobs.cancel(world.job_id)
        world.leases.renew_all()

    pipeline = StubPipeline(meanwhile=cancel_and_beat)

    world.run(pipeline)

    assert not pipeline.went_on
    assert world.jobs.get(world.job_id).status is JobStatus.CANCELLED


def test_a_run_that_ends_before_it_hears_of_the_wish_has_its_answer(world):
    pipeline = StubPipeline()
    runner = world.runner(pipeline)
    finish = world.jobs.finish

    def cancelled_too_late(lease, outcome, **more) -> bool:
        world.jobs.cancel(world.job_id)
        return finish(lease, outcome, **more)

    world.jobs.finish = cancelled_too_late
    runner.run(world.job_id, "upload")

    job = world.jobs.get(world.job_id)
    assert (job.status, job.cancel_requested) == (JobStatus.SUCCEEDED, True)


def test_a_run_behind_its_limit_fails_at_its_next_step(jobs, redis, settings):
    world = World(jobs, redis, settings.model_copy(update={"run_seconds": 1e-9}))
    pipeline = StubPipeline()

    world.run(pipeline)

    job = world.jobs.get(world.job_id)
    assert not pipeline.went_on
    assert (job.status, job.error.code) == (JobStatus.FAILED, "deadline_exceeded")


def test_a_worker_that_stops_claims_no_more_and_rings_for_others(world):
    pipeline = StubPipeline()
    runner = world.runner(pipeline)
    url_job = world.submit_url(2, "https://example.com/a.wav")

    runner.stop()
    runner.run(world.job_id, "upload")
    runner.run(url_job, "url")

    assert pipeline.heard == []
    assert world.jobs.get(world.job_id).status is JobStatus.QUEUED
    assert world.rung == [(world.job_id, "gw.recovered"), (url_job, "gw.fetch.recovered")]


def lose_workers(world, job_id: JobId, count: int) -> None:
    """So many runs of the job end with their worker."""
    for number in range(count):
        world.jobs.claim(job_id, owner=f"lost-{job_id}-{number}", lease_seconds=60)
        world.redis.zadd(Keys().running, {job_id: 1})


class Meeting(StubPipeline):
    """Holds each song until it is let go, and tells who is inside."""

    def __init__(self) -> None:
        super().__init__()
        self.inside: list[int] = []
        self._lock = threading.Lock()
        self._count = 0
        self.let_go = threading.Semaphore(0)

    def run(self, audio: BinaryIO, *, first_window_only: bool, picture: bool, report) -> Analysis:
        with self._lock:
            self._count += 1
            self.inside.append(self._count)
        self.let_go.acquire()
        with self._lock:
            self._count -= 1
        return super().run(audio, first_window_only=first_window_only, picture=picture, report=report)


def test_the_last_attempt_of_a_job_that_has_lost_its_workers_runs_alone(world):
    pipeline = Meeting()
    runner = world.runner(pipeline)
    neighbours = [world.submit(number) for number in (2, 3)]
    lose_workers(world, world.job_id, 2)
    with ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(runner.run, neighbours[0], "upload")]
        eventually(lambda: pipeline.inside == [1])
        runs.append(pool.submit(runner.run, world.job_id, "upload"))
        eventually(lambda: runner._gate._loner)
        # It waits until its neighbour is out, and its attempt does not count before.
        assert (pipeline.inside, world.jobs.get(world.job_id).attempt) == ([1], 2)
        runs.append(pool.submit(runner.run, neighbours[1], "upload"))
        for run in range(3):
            pipeline.let_go.release()
            eventually(lambda run=run: sum(future.done() for future in runs) == run + 1)

    assert pipeline.inside == [1, 1, 1]  # nobody came in before it was out
    assert {world.jobs.get(job_id).status for job_id in (world.job_id, *neighbours)} == {JobStatus.SUCCEEDED}


def test_of_two_last_attempts_in_a_worker_one_is_given_to_another(world):
    pipeline = Meeting()
    runner = world.runner(pipeline)
    second = world.submit(2)
    for job_id in (world.job_id, second):
        lose_workers(world, job_id, 2)
    neighbour = world.submit(3)
    with ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(runner.run, neighbour, "upload")]
        eventually(lambda: pipeline.inside == [1])
        inside = threading.Barrier(2)
        claim = world.jobs.claim

        def claim_together(job_id, *, alone, **how):
            if not alone:
                inside.wait()  # both are past the gate before either asks to be alone
            return claim(job_id, alone=alone, **how)

        world.jobs.claim = claim_together
        runs += [pool.submit(runner.run, job_id, "upload") for job_id in (world.job_id, second)]
        eventually(lambda: world.rung)
        for _ in range(2):
            pipeline.let_go.release()
        for run in runs:
            run.result()

    [(given_back, queue)] = world.rung
    assert queue == "gw.recovered"
    assert world.jobs.get(given_back).attempt == 2
    assert pipeline.inside == [1, 1]


def test_a_suspect_that_waits_while_its_worker_stops_is_left_to_others(world):
    pipeline = Meeting()
    runner = world.runner(pipeline)
    neighbour = world.submit(2)
    lose_workers(world, world.job_id, 2)
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(runner.run, neighbour, "upload")]
        eventually(lambda: pipeline.inside == [1])
        runs.append(pool.submit(runner.run, world.job_id, "upload"))
        eventually(lambda: runner._gate._loner)
        runner.stop()
        runs[1].result()
        pipeline.let_go.release()
        runs[0].result()

    assert world.jobs.get(world.job_id).attempt == 2
    assert world.rung == [(world.job_id, "gw.recovered")]


@pytest.mark.parametrize("how", ["cancelled", "taken elsewhere"])
def test_a_suspect_that_waits_no_more_holds_up_nobody(world, how):
    pipeline = Meeting()
    runner = world.runner(pipeline)
    neighbour, later = world.submit(2), world.submit(3)
    lose_workers(world, world.job_id, 2)
    world.jobs.reap(rering_seconds=60)
    with ThreadPoolExecutor(3) as pool:
        runs = [pool.submit(runner.run, neighbour, "upload")]
        eventually(lambda: pipeline.inside == [1])
        runs.append(pool.submit(runner.run, world.job_id, "upload"))
        eventually(lambda: runner._gate._loner)
        if how == "cancelled":
            world.jobs.cancel(world.job_id)
        else:
            world.jobs.claim(world.job_id, owner="elsewhere", lease_seconds=60)
        runs.append(pool.submit(runner.run, later, "upload"))
        eventually(lambda: pipeline.inside == [1, 2])  # beside the neighbour, who is still there
        for _ in range(2):
            pipeline.let_go.release()
        for run in runs:
            run.result()

    assert world.rung == []


def test_while_room_is_made_for_a_suspect_no_other_worker_is_rung_for_it(world):
    lose_workers(world, world.job_id, 2)
    world.jobs.reap(rering_seconds=60)
    world.redis.zadd(Keys().rung, {world.job_id: 1})

    assert world.jobs.stand_by(world.job_id)
    assert world.jobs.reap(rering_seconds=60).rings == ()


def test_an_answer_is_kept_for_the_same_song_where_that_is_wanted(world):
    world.run(StubPipeline())

    answer = f"pcrnn:all:{world.jobs.get(world.job_id).source.sha256}"
    assert world.redis.get(Keys().answer(MODEL.sha256, answer)) == world.job_id


class TellingPipeline(StubPipeline):
    """Tells of six windows in no time, and ends with them."""

    windows = tuple(
        TimelineEntry(start_seconds=15.0 * n, end_seconds=15.0 * n + 30, genre="rock", probabilities=(1.0,))
        for n in range(6)
    )

    def run(self, audio: BinaryIO, *, report, **more) -> Analysis:
        report("decode", 0.0)
        for number, window in enumerate(self.windows):
            report("decode", number / 10, [window])
        return super().run(audio, report=lambda *_: None, **more)


def told(world: World, redis: Redis) -> list[TimelineEntry]:
    events = RedisEvents(redis, Keys()).read(world.job_id, BEFORE_ALL).events
    return [event.entry for event in events if isinstance(event, WindowEvent)]


def test_windows_that_come_together_are_shown_in_one_call_and_each_once(world, redis):
    calls, progress = [], world.jobs.progress

    def counted(*args, **kwargs):
        calls.append(kwargs)
        return progress(*args, **kwargs)

    world.jobs.progress = counted
    world.run(TellingPipeline())

    assert told(world, redis) == list(TellingPipeline.windows)
    assert len(calls) < len(TellingPipeline.windows)


def test_windows_that_nobody_could_be_shown_come_with_the_end(world, redis):
    def away(*_, **__):
        raise StoreUnavailable

    world.jobs.progress = away
    world.run(TellingPipeline())

    assert world.jobs.get(world.job_id).status is JobStatus.SUCCEEDED
    assert told(world, redis) == list(TellingPipeline.windows)


DRAWN = JobOptions(spectrogram=True)


def test_a_picture_is_in_the_store_before_its_job_has_ended_and_stays(world):
    job_id = world.submit(2, options=DRAWN)
    runner, finish, there = world.runner(StubPipeline()), world.jobs.finish, []

    def finish_and_see(*args, **kwargs) -> bool:
        there.append(world.pictures.get(job_id))
        return finish(*args, **kwargs)

    world.jobs.finish = finish_and_see
    runner.run(job_id, "upload")

    assert there == [PICTURE]
    assert world.jobs.get(job_id).status is JobStatus.SUCCEEDED
    assert world.pictures.get(job_id) == PICTURE


def test_without_the_wish_nothing_is_drawn(world):
    world.run(StubPipeline())

    assert world.pictures.get(world.job_id) is None


def test_a_song_that_fails_leaves_no_picture(world):
    job_id = world.submit(2, options=DRAWN)

    world.run(StubPipeline(error=CorruptAudio()), job_id)

    assert world.jobs.get(job_id).status is JobStatus.FAILED
    assert list(world.pictures.all(idle_seconds=0)) == []


@pytest.mark.usefixtures("no_time_to_step_back")
def test_a_picture_that_the_store_does_not_take_leaves_the_job_to_others(world):
    class Full(DirectoryPictureStore):
        def put(self, job_id, picture) -> None:
            raise StoreUnavailable("The audio store is full.")

    job_id = world.submit(2, options=DRAWN)
    world.pictures = Full(world.audio._root)

    world.run(StubPipeline(), job_id)

    job = world.jobs.get(job_id)
    assert (job.status, job.attempt) == (JobStatus.QUEUED, 0)
    assert world.rung == [(job_id, "gw.recovered")]
