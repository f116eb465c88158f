"""A folder of audio becomes songs with the service's features; what cannot be used is named."""

import io
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

import worker
from shared.errors import DataUnavailable
from shared.settings import Settings
from support.audio import encode
from support.song_folder import RATE, SMALL, exact_windows, maker, no_decoder, song, write_songs
from worker.build import open_pipeline
from worker.checkpoint import RELEASED, load_checkpoint
from worker.training.learning.train import predict
from worker.training.songs.audio_folder import load_audio_folder, load_songs, scored_folder
from worker.training.songs.song_files import list_folder
from worker.training.songs.songs import epoch_generator

SAMPLES = Path(worker.__file__).parents[1] / "api" / "static" / "samples"


@pytest.fixture
def said():
    return []


@pytest.fixture
def load(tmp_path, said):
    def loader(folder, *, genres=("blues", "rock"), features=SMALL, maker_of=maker):
        return load_audio_folder(folder, maker_of(tmp_path / "cache", features), genres, said.append)

    return loader


@pytest.fixture
def folder(tmp_path):
    return write_songs(tmp_path / "songs", {"blues": 2, "rock": 2})


def test_an_answer_is_the_services_own(tmp_path, said):
    folder = write_songs(tmp_path / "songs", {"blues": 1})
    for genre, sample in zip(("jazz", "metal", "pop", "rock"), sorted(SAMPLES.glob("*.mp3")), strict=True):
        (folder / genre).mkdir()
        shutil.copy(sample, folder / genre)
    (folder / "blues" / "long.ogg").write_bytes(song(7, seconds=50, kind="ogg"))
    checkpoint = load_checkpoint(RELEASED)

    songs = scored_folder(folder, checkpoint, tmp_path / "cache", Settings(concurrency=1), tmp_path)
    logits = predict(checkpoint.build(), songs, torch.device("cpu"), seed=0)

    ours = (logits.double() / checkpoint.temperature).softmax(dim=1)
    assert len(songs) == 6
    with open_pipeline(Settings(concurrency=1, device="cpu")) as pipeline:
        for row, name in enumerate(songs.names):
            answer = pipeline.run(io.BytesIO((folder / name).read_bytes())).classification
            theirs = {each.genre: each.probability for each in answer.predictions}
            assert ours[row].tolist() == pytest.approx([theirs[genre] for genre in songs.genres], abs=1e-4)


def test_a_song_is_cut_into_the_services_windows(folder, load):
    (folder / "blues" / "1.wav").write_bytes(song(5, seconds=21))

    songs = load(folder)

    for row, windows in enumerate((1, 6, 1, 1)):
        exact = exact_windows(folder / songs.names[row])
        assert songs.whole(row, seed=0).shape == exact.shape == (windows, 128, 128)
        assert (songs.whole(row, seed=0) - exact).abs().max() < 0.003


def test_training_draws_windows_from_anywhere_in_a_song_under_their_own_maximum(folder, load):
    (folder / "blues" / "0.wav").write_bytes(song(5, seconds=21))
    songs = load(folder)

    drawn = torch.cat([songs.draw(torch.tensor([0, 2]), epoch_generator(0, n), spread=0.2) for n in range(8)])

    assert drawn.shape == (16, 128, 128)
    assert drawn.min() >= -80
    assert torch.equal(drawn.amax(dim=(1, 2)), torch.zeros(16))
    assert len({float(window.sum()) for window in drawn[::2]}) > 5
    assert len({float(window.sum()) for window in drawn[1::2]}) == 1  # a window long: there is no other place
    again = songs.draw(torch.tensor([0, 2]), epoch_generator(0, 0), spread=0.2)
    assert torch.equal(again, drawn[:2])


def test_labels_and_chosen_songs_keep_their_spectrograms(folder, load):
    songs = load(folder)

    chosen = songs.chosen(("rock/1.wav", "blues/0.wav", "rock/none.wav"))

    assert chosen.names == ("rock/1.wav", "blues/0.wav")
    assert [chosen.genres[label] for label in chosen.labels] == ["rock", "blues"]
    assert torch.equal(chosen.whole(1, seed=0), songs.whole(0, seed=0))


def test_the_hash_follows_from_what_is_heard(folder, load):
    before = load(folder).sha256()
    (folder / "rock" / "0.wav").write_bytes(
        encode(samples_of(folder / "rock" / "0.wav"), "flac16", sample_rate=RATE)
    )
    same = load(folder).sha256()
    (folder / "rock" / "0.wav").write_bytes(song(5))

    assert same == before
    assert load(folder).sha256() != before


def test_a_second_time_nothing_is_decoded(folder, load):
    first = load(folder)

    assert load(folder, maker_of=no_decoder).sha256() == first.sha256()


def test_a_damaged_cache_is_made_again(folder, load):
    first = load(folder)
    first.mels[1].path.write_bytes(b"damage")

    again = load(folder)

    assert again.sha256() == first.sha256()
    assert torch.equal(again.whole(1, seed=0), first.whole(1, seed=0))


def test_files_that_are_no_songs_are_named_left_out_and_counted(folder, load, said):
    bad = {
        "cut.wav": song(1)[:1_000],
        "empty.mp3": b"",
        "short.wav": song(1, seconds=2),
        "silent.wav": encode(np.zeros(5 * RATE, np.float32), "wav16", sample_rate=RATE),
        "text.mp3": b"no song",
        "zwölf Töne [red].wav": b"no song",
    }
    for name, data in bad.items():
        (folder / "blues" / name).write_bytes(data)
    (folder / "rock" / "gone.wav").symlink_to(folder / "nothing")

    songs = load(folder)

    assert songs.names == ("blues/0.wav", "blues/1.wav", "rock/0.wav", "rock/1.wav")
    for name in bad:
        assert any(line.startswith(f"left out blues/{name}: ") for line in said)
    assert any("silent" in line for line in said if "silent.wav" in line)
    assert any("3 seconds" in line for line in said if "short.wav" in line)
    assert said[-1] == "4 songs are used, 7 files were left out"


def test_a_file_that_may_not_be_read_is_left_out(folder, load, said, monkeypatch):
    def denied(path, *arguments, **options):
        if path.name == "1.wav" and path.parent.name == "rock":
            raise PermissionError(13, "Permission denied")
        return opened(path, *arguments, **options)

    opened = Path.open
    monkeypatch.setattr(Path, "open", denied)  # the tests may run as root, whom no file denies itself

    assert len(load(folder)) == 3
    assert "left out rock/1.wav: it cannot be read: Permission denied" in said


def test_a_folder_without_one_song_that_can_be_used_is_refused(tmp_path, load):
    (tmp_path / "songs" / "rock").mkdir(parents=True)
    (tmp_path / "songs" / "rock" / "text.mp3").write_bytes(b"no song")

    with pytest.raises(DataUnavailable, match="No file in"):
        load(tmp_path / "songs")


def test_a_song_that_is_there_twice_counts_once_whatever_its_tags(folder, load, said):
    samples = samples_of(folder / "blues" / "0.wav")
    (folder / "blues" / "copy.flac").write_bytes(encode(samples, "flac16", sample_rate=RATE))

    songs = load(folder)

    assert songs.names == ("blues/0.wav", "blues/1.wav", "rock/0.wav", "rock/1.wav")
    assert "left out blues/copy.flac: it is the same song as blues/0.wav" in said


def test_a_song_under_two_genres_is_left_out_of_both(folder, load, said):
    shutil.copy(folder / "blues" / "0.wav", folder / "rock" / "2.wav")

    songs = load(folder)

    assert songs.names == ("blues/1.wav", "rock/0.wav", "rock/1.wav")
    assert "left out rock/2.wav: the same song is under another genre, too: blues/0.wav" in said


def test_genres_that_the_checkpoint_does_not_know_are_named_and_counted(folder, load, said):
    (folder / "jazz").mkdir()

    songs = load(folder, genres=("metal", "rock"))

    assert songs.names == ("rock/0.wav", "rock/1.wav")
    assert songs.labels.tolist() == [1, 1]
    assert "left out the genre blues with 2 files: the checkpoint does not know it" in said
    assert "left out the genre jazz: its folder holds no file" in said


def test_a_folder_of_unknown_genres_alone_is_refused_with_those_that_are_known(folder, load):
    with pytest.raises(DataUnavailable, match="metal, pop"):
        load(folder, genres=("metal", "pop"))


def test_several_threads_give_the_same_songs(folder, tmp_path, said):
    listing = list_folder(folder)
    one = load_songs(listing, maker(tmp_path / "one"), listing.genres, said.append)
    many = load_songs(listing, replace(maker(tmp_path / "many"), threads=4), listing.genres, said.append)

    assert many.sha256() == one.sha256()
    assert many.names == one.names


def samples_of(path: Path) -> np.ndarray:
    return soundfile.read(path, dtype="float32")[0]
