"""Audio that nobody waits for, on a real server and a real directory."""

import pytest

from shared import audio_caretaker
from shared.audio_caretaker import AudioCaretaker
from shared.audio_store import DirectoryAudioStore
from shared.errors import AudioMissing, StoreUnavailable
from shared.picture_store import DirectoryPictureStore
from shared.redis_client import connect
from shared.redis_jobs import RedisJobStore
from shared.redis_keys import Keys
from shared.settings import Settings
from support.jobs import failure, new_job, success


@pytest.fixture
def audio(settings) -> DirectoryAudioStore:
    return DirectoryAudioStore(settings.audio_dir)


def caretaker(jobs, audio, settings, *, orphan_seconds: float = 3_600) -> AudioCaretaker:
    return AudioCaretaker(
        jobs,
        audio,
        settings.model_copy(update={"orphan_seconds": orphan_seconds}),
        pictures=DirectoryPictureStore(settings.audio_dir),
    )


def store(audio, job_id) -> None:
    """Audio that a request has left."""
    sink = audio.create(job_id)
    sink.write(b"la la la")
    sink.commit()


def finished(jobs, audio, number: int):
    """A job that has ended, and whose audio nobody came to remove."""
    new = new_job(number)
    store(audio, new.id)
    jobs.accept(new)
    jobs.finish(jobs.claim(new.id, owner="w", lease_seconds=60).lease, success())
    return new


def names(settings) -> list[str]:
    return sorted(path.name for path in settings.audio_dir.iterdir())


def test_the_audio_of_a_finished_job_is_removed_and_then_forgotten(jobs, audio, settings):
    finished(jobs, audio, 1)

    caretaker(jobs, audio, settings).sweep_spent(older_seconds=0)

    assert names(settings) == []
    assert jobs.spent(older_seconds=0) == ()


def test_the_audio_of_a_job_without_attempts_is_removed(jobs, redis, audio, settings):
    new = new_job(max_attempts=1)
    store(audio, new.id)
    jobs.accept(new)
    jobs.claim(new.id, owner="lost", lease_seconds=60)
    redis.zadd(Keys().running, {new.id: 1})
    jobs.reap(rering_seconds=60)

    caretaker(jobs, audio, settings).sweep_spent(older_seconds=0)

    with pytest.raises(AudioMissing):
        audio.open(new.id)


def test_whoever_has_just_ended_a_job_is_left_the_time_to_remove_its_audio(jobs, audio, settings):
    new = finished(jobs, audio, 1)

    caretaker(jobs, audio, settings).sweep()

    assert jobs.spent(older_seconds=0) == (new.id,)
    assert names(settings) == [new.id]


def test_audio_that_cannot_be_removed_holds_up_no_other(jobs, audio, settings):
    stuck, other = (finished(jobs, audio, number) for number in (1, 2))
    audio.delete(stuck.id)
    (settings.audio_dir / stuck.id).mkdir()  # not even root can unlink that

    caretaker(jobs, audio, settings).sweep_spent(older_seconds=0)

    assert names(settings) == [stuck.id]
    assert jobs.spent(older_seconds=0) == (stuck.id,)
    assert other.id not in names(settings)


def test_audio_that_a_crash_left_is_removed_and_that_of_waiting_jobs_is_not(jobs, audio, settings):
    waiting, never_accepted = new_job(1), new_job(3)
    for new in (waiting, never_accepted):
        store(audio, new.id)
    finished(jobs, audio, 2)
    audio.create(new_job(4).id).write(b"an upload that broke off")
    jobs.accept(waiting)

    caretaker(jobs, audio, settings, orphan_seconds=-1).sweep_orphans()

    assert names(settings) == [waiting.id]


def test_young_audio_is_left_alone(jobs, audio, settings):
    store(audio, new_job(1).id)

    caretaker(jobs, audio, settings).sweep_orphans()

    assert names(settings) == [new_job(1).id]


def test_what_others_have_put_into_the_directory_is_left_alone(jobs, audio, settings):
    for name in ("My Holiday Song.mp3", ".hidden.part", "job_notes.txt"):
        (settings.audio_dir / name).write_bytes(b"mine")
    (settings.audio_dir / "lost+found").mkdir()
    before = names(settings)
    store(audio, new_job(1).id)

    caretaker(jobs, audio, settings, orphan_seconds=-1).sweep_orphans()

    assert names(settings) == before


def test_an_entry_that_cannot_be_removed_holds_up_no_orphan(jobs, audio, settings):
    (settings.audio_dir / ".job_0f.part").mkdir()
    for number in range(10):
        store(audio, new_job(number).id)

    caretaker(jobs, audio, settings, orphan_seconds=-1).sweep_orphans()

    assert names(settings) == [".job_0f.part"]


def test_where_redis_is_away_no_audio_counts_as_orphaned(audio, settings):
    store(audio, new_job(1).id)
    away = RedisJobStore(connect(Settings(redis_url="redis://127.0.0.1:1/0"), retries=0), Keys())

    with pytest.raises(StoreUnavailable):
        caretaker(away, audio, settings, orphan_seconds=-1).sweep_orphans()

    assert names(settings) == [new_job(1).id]


# Pictures


@pytest.fixture
def pictures(settings, audio) -> DirectoryPictureStore:
    return DirectoryPictureStore(settings.audio_dir)


def drawn(jobs, pictures, number: int, outcome=None):
    """A job with a picture that still runs, or has ended so."""
    new = new_job(number)
    jobs.accept(new)
    lease = jobs.claim(new.id, owner="w", lease_seconds=60).lease
    pictures.put(new.id, b"a picture")
    if outcome:
        jobs.finish(lease, outcome)
    return new.id


def test_a_picture_lives_for_as_long_as_its_result(jobs, redis, audio, pictures, settings):
    kept, expired = (drawn(jobs, pictures, number, success()) for number in (1, 2))
    care = caretaker(jobs, audio, settings)

    care.sweep()
    before = sorted(pictures.all(idle_seconds=0))
    redis.delete(Keys().job(expired))  # as its time to live does
    care.sweep_pictures()

    assert before == [kept, expired]
    assert list(pictures.all(idle_seconds=0)) == [kept]


def test_a_picture_of_a_job_that_runs_is_left_alone_however_old(jobs, audio, pictures, settings):
    running = drawn(jobs, pictures, 1)

    caretaker(jobs, audio, settings, orphan_seconds=-1).sweep_orphans()
    caretaker(jobs, audio, settings, orphan_seconds=-1).sweep_pictures()

    assert names(settings) == [f"{running}.spectrogram.png"]


def test_a_picture_of_a_job_that_did_not_succeed_is_removed(jobs, audio, pictures, settings):
    drawn(jobs, pictures, 1, failure())

    caretaker(jobs, audio, settings).sweep_pictures()

    assert names(settings) == []


def test_the_sweeps_of_a_worker_come_to_pictures_by_themselves(jobs, audio, pictures, settings):
    drawn(jobs, pictures, 1, failure())

    caretaker(jobs, audio, settings).sweep()

    assert names(settings) == []


def test_more_pictures_than_are_asked_for_at_once_are_all_looked_at(
    jobs, audio, pictures, settings, monkeypatch
):
    monkeypatch.setattr(audio_caretaker, "PICTURES_AT_ONCE", 2)
    kept = drawn(jobs, pictures, 1, success())
    for number in range(2, 7):
        pictures.put(new_job(number).id, b"of no job")

    caretaker(jobs, audio, settings).sweep_pictures()

    assert names(settings) == [f"{kept}.spectrogram.png"]


def test_a_picture_that_cannot_be_removed_holds_up_no_other(jobs, audio, pictures, settings):
    stuck = settings.audio_dir / f"{new_job(1).id}.spectrogram.png"
    stuck.mkdir()
    pictures.put(new_job(2).id, b"of no job")

    caretaker(jobs, audio, settings).sweep_pictures()

    assert names(settings) == [stuck.name]


def test_where_redis_is_away_no_picture_is_removed(audio, pictures, settings):
    pictures.put(new_job(1).id, b"a picture")
    away = RedisJobStore(connect(Settings(redis_url="redis://127.0.0.1:1/0"), retries=0), Keys())

    with pytest.raises(StoreUnavailable):
        caretaker(away, audio, settings).sweep_pictures()

    assert len(names(settings)) == 1
