"""Audio in a directory."""

import time

import pytest

from shared.audio_store import DirectoryAudioStore
from shared.errors import SetupError, StoreUnavailable
from shared.job import JobId

JOB = JobId("job_1")


@pytest.fixture
def store(tmp_path) -> DirectoryAudioStore:
    return DirectoryAudioStore(tmp_path / "audio")


def test_committed_audio_can_be_read_and_deleted(store):
    sink = store.create(JOB)
    sink.write(b"la ")
    sink.write(b"la")
    sink.commit()

    with store.open(JOB) as audio:
        assert audio.read() == b"la la"
    store.delete(JOB)
    with pytest.raises(StoreUnavailable):
        store.open(JOB)


def test_nothing_can_be_seen_before_it_is_committed(store):
    store.create(JOB).write(b"la")

    with pytest.raises(StoreUnavailable):
        store.open(JOB)


def test_discarded_audio_leaves_nothing_behind(store, tmp_path):
    sink = store.create(JOB)
    sink.write(b"la")
    sink.discard()

    assert list((tmp_path / "audio").iterdir()) == []


def test_to_discard_what_was_committed_changes_nothing(store):
    sink = store.create(JOB)
    sink.commit()
    sink.discard()

    store.open(JOB).close()


def test_to_delete_what_is_not_there_is_no_error(store):
    store.delete(JOB)


def test_a_directory_that_cannot_be_made_stops_the_process(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(SetupError, match="cannot be made"):
        DirectoryAudioStore(tmp_path / "file" / "audio")


def test_scratch_has_no_name_and_is_gone_when_it_is_closed(store, tmp_path):
    with store.scratch() as file:
        file.write(b"la la")
        file.seek(0)

        assert file.read() == b"la la"
        assert list((tmp_path / "audio").iterdir()) == []


def test_a_directory_that_is_gone_gives_no_scratch(store, tmp_path):
    (tmp_path / "audio").rmdir()

    with pytest.raises(StoreUnavailable):
        store.scratch()


def test_fresh_audio_is_not_old_to_a_machine_whose_clock_is_ahead(store, tmp_path, monkeypatch):
    store.create(JOB).commit()
    store.create(JobId("job_2")).write(b"an upload that is coming in")
    right = time.time
    monkeypatch.setattr(time, "time", lambda: right() + 2 * 24 * 60 * 60)

    assert list(store.abandoned(idle_seconds=3_600)) == []
    assert len(list((tmp_path / "audio").iterdir())) == 2
