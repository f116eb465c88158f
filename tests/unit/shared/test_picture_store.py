"""Pictures in the audio directory."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.audio_store import DirectoryAudioStore, FileSink
from shared.errors import StoreUnavailable
from shared.job import JobId
from shared.picture_store import DirectoryPictureStore

JOB, OTHER = JobId("job_1"), JobId("job_2")


@pytest.fixture
def store(tmp_path) -> DirectoryPictureStore:
    return DirectoryPictureStore(tmp_path)


def names(tmp_path) -> list[str]:
    return sorted(path.name for path in tmp_path.iterdir())


def test_a_picture_can_be_read_and_deleted(store):
    store.put(JOB, b"dots")

    assert store.get(JOB) == b"dots"
    store.delete(JOB)
    assert store.get(JOB) is None
    store.delete(JOB)


def test_it_outlives_the_audio_of_its_job_and_is_no_orphan_of_the_audio(store, tmp_path):
    audio = DirectoryAudioStore(tmp_path)
    audio.create(JOB).commit()
    store.put(JOB, b"dots")

    found = list(audio.abandoned(idle_seconds=-1))
    audio.delete(JOB)

    assert found == [JOB]
    assert names(tmp_path) == ["job_1.spectrogram.png"]


def test_audio_is_no_picture(store, tmp_path):
    audio = DirectoryAudioStore(tmp_path)
    audio.create(JOB).commit()
    audio.create(OTHER).write(b"an upload that is coming in")
    store.put(OTHER, b"dots")
    before = names(tmp_path)

    assert list(store.all(idle_seconds=-1)) == [OTHER]
    assert names(tmp_path) == before


def test_two_runs_that_write_at_once_leave_one_whole_picture(store, tmp_path):
    pictures = [bytes([number]) * 300_000 for number in range(8)]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda picture: store.put(JOB, picture), pictures))

    assert store.get(JOB) in pictures
    assert names(tmp_path) == ["job_1.spectrogram.png"]


def test_it_is_on_disk_with_its_name_before_it_counts_as_kept(store, tmp_path, monkeypatch):
    done, fsync, rename = [], os.fsync, type(tmp_path).replace
    monkeypatch.setattr(os, "fsync", lambda file: (done.append("fsync"), fsync(file)))
    monkeypatch.setattr(type(tmp_path), "replace", lambda *paths: (done.append("rename"), rename(*paths)))

    store.put(JOB, b"dots")

    assert done == ["fsync", "rename", "fsync"]


def test_one_that_the_disk_does_not_take_leaves_nothing_and_not_the_older_one_harmed(
    store, tmp_path, monkeypatch
):
    store.put(JOB, b"dots")

    def full(*_) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreUnavailable):
        store.put(JOB, b"more dots")

    assert store.get(JOB) == b"dots"
    assert names(tmp_path) == ["job_1.spectrogram.png"]


def test_a_directory_that_is_gone_is_a_store_that_is_away(tmp_path):
    with pytest.raises(StoreUnavailable):
        DirectoryPictureStore(tmp_path / "gone").put(JOB, b"dots")


def test_what_broke_off_long_ago_is_removed_and_what_is_being_written_is_not(store, tmp_path):
    FileSink(tmp_path / "x", part=tmp_path / ".job_1.spectrogram.png.0a1b2c3d.part").write(b"do")
    (tmp_path / ".job_1.spectrogram.png.notours.part").touch()
    (tmp_path / "job_1.spectrogram.png.bak").touch()

    assert list(store.all(idle_seconds=3_600)) == []
    assert len(names(tmp_path)) == 3
    assert list(store.all(idle_seconds=-1)) == []
    assert names(tmp_path) == [".job_1.spectrogram.png.notours.part", "job_1.spectrogram.png.bak"]
