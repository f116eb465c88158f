"""The reaper, on a real server."""

import pytest

from shared.audio_store import DirectoryAudioStore
from shared.errors import StoreUnavailable
from shared.names import RECOVERED_QUEUE
from shared.reaper import Reaper
from shared.redis_keys import Keys
from support.jobs import new_job, success
from support.waiting import eventually


class Doorbells:
    """Remembers who rang."""

    def __init__(self) -> None:
        self.rung: list[tuple[str, str]] = []

    def ring(self, job_id, broker_queue) -> None:
        self.rung.append((job_id, broker_queue))


@pytest.fixture
def doorbells() -> Doorbells:
    return Doorbells()


@pytest.fixture
def audio(settings) -> DirectoryAudioStore:
    return DirectoryAudioStore(settings.audio_dir)


def make_reaper(jobs, audio, doorbells, settings, on_sweep=lambda _: None, **changes) -> Reaper:
    settings = settings.model_copy(update=changes)
    return Reaper(jobs=jobs, audio=audio, doorbell=doorbells, settings=settings, on_sweep=on_sweep)


def lose(jobs, redis, new) -> None:
    """Claim a job and fall silent."""
    jobs.claim(new.id, owner=f"{redis.incr('owners')}", lease_seconds=60)
    redis.zadd(Keys().running, {new.id: 1})


def test_the_job_of_a_lost_worker_is_rung_on_the_queue_that_is_read_first(
    jobs, redis, audio, doorbells, settings
):
    new, sweeps = new_job(), []
    jobs.accept(new)
    lose(jobs, redis, new)

    make_reaper(jobs, audio, doorbells, settings, sweeps.append).sweep()

    assert doorbells.rung == [(new.id, RECOVERED_QUEUE)]
    assert sweeps[0].lapsed == 1


def test_the_audio_of_a_job_without_attempts_is_removed(jobs, redis, audio, doorbells, settings):
    new = new_job(max_attempts=1)
    audio.create(new.id).commit()
    jobs.accept(new)
    lose(jobs, redis, new)

    reaper = make_reaper(jobs, audio, doorbells, settings)

    reaper.sweep()
    reaper.sweep_spent(older_seconds=0)

    with pytest.raises(StoreUnavailable):
        audio.open(new.id)
    assert doorbells.rung == []
    assert jobs.spent(older_seconds=0) == ()


def test_whoever_has_just_ended_a_job_is_left_the_time_to_remove_its_audio(jobs, audio, doorbells, settings):
    new = new_job()
    store(audio, new.id)
    jobs.accept(new)
    jobs.finish(jobs.claim(new.id, owner="w", lease_seconds=60).lease, success())

    make_reaper(jobs, audio, doorbells, settings).sweep_spent()

    assert jobs.spent(older_seconds=0) == (new.id,)
    assert audio.open(new.id).read() == b"la la la"


def store(audio, job_id) -> None:
    """Audio that a request has left."""
    sink = audio.create(job_id)
    sink.write(b"la la la")
    sink.commit()


def test_audio_that_a_crash_left_is_removed_and_that_of_waiting_jobs_is_not(
    jobs, redis, audio, doorbells, settings
):
    waiting, finished, never_accepted = new_job(1), new_job(2), new_job(3)
    for new in (waiting, finished, never_accepted):
        store(audio, new.id)
    audio.create(new_job(4).id).write(b"an upload that broke off")
    jobs.accept(waiting)
    jobs.accept(finished)
    jobs.finish(jobs.claim(finished.id, owner="w", lease_seconds=60).lease, success())

    make_reaper(jobs, audio, doorbells, settings, orphan_seconds=-1).sweep_orphans()

    assert [path.name for path in settings.audio_dir.iterdir()] == [waiting.id]


def test_young_audio_is_left_alone(jobs, audio, doorbells, settings):
    store(audio, new_job(1).id)

    make_reaper(jobs, audio, doorbells, settings).sweep_orphans()

    assert len(list(settings.audio_dir.iterdir())) == 1


def test_a_broker_that_is_away_keeps_no_failed_job_from_being_counted(jobs, redis, audio, settings):
    class Broken:
        def ring(self, job_id, broker_queue):
            raise StoreUnavailable("away")

    failed, lapsed, sweeps = new_job(1, max_attempts=1), new_job(2), []
    for new in (failed, lapsed):
        jobs.accept(new)
        store(audio, new.id)
        lose(jobs, redis, new)

    with pytest.raises(StoreUnavailable):
        make_reaper(jobs, audio, Broken(), settings, sweeps.append).sweep()

    assert sweeps[0].failed == 1
    assert jobs.spent(older_seconds=0) == (failed.id,)


def test_the_reaper_sweeps_by_itself_until_it_is_stopped(jobs, redis, audio, doorbells, settings):
    new = new_job()
    jobs.accept(new)
    lose(jobs, redis, new)
    reaper = make_reaper(jobs, audio, doorbells, settings.model_copy(update={"reap_period_seconds": 0.01}))

    reaper.start()

    eventually(lambda: doorbells.rung)
    reaper.stop()
    eventually(lambda: not reaper._thread.is_alive())
