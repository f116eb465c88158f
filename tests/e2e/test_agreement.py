"""One answer for a song, whichever command gives it: classify hears it, the others see its spectrogram.

What they may differ by is held here: the spectrograms of the data folder are rounded to half precision and
then to levels of 0.31 dB, and nothing else separates the ways.
"""

import csv
import json
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from support.service import genrewiz
from worker.checkpoint import RELEASED, Checkpoint, load_checkpoint
from worker.decode import decode
from worker.stream import SongWindows
from worker.training.learning.train import predict
from worker.training.songs.gtzan import DECIBELS_PER_LEVEL, MelSongs, load_gtzan

ROUNDING = 0.01
"""Of a probability. 0.002 was the most that rounding moved one; more confident weights may move further."""


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return load_checkpoint(RELEASED)


@pytest.fixture(scope="module")
def tracks(data_folder: Path) -> list[Path]:
    return sorted((data_folder / "gtzan" / "audio").glob("*.flac"))


@pytest.fixture(scope="module")
def songs(data_folder: Path, tracks: list[Path]) -> MelSongs:
    """The spectrograms of the tracks."""
    songs = load_gtzan(data_folder).true.chosen(tuple(track.stem for track in tracks))
    assert len(songs) == len(tracks) == 20
    return songs


@pytest.fixture(scope="module")
def evaluated(checkpoint: Checkpoint, songs: MelSongs) -> Tensor:
    """Probabilities (songs, genres) as the evaluation has them."""
    logits = predict(checkpoint.build(), songs, torch.device("cpu"), seed=0)
    return (logits.double() / checkpoint.temperature).softmax(dim=1)


@pytest.fixture(scope="module")
def windows(checkpoint: Checkpoint, tracks: list[Path]) -> Tensor:
    """What the service's model sees of the tracks, (songs, frames, bands) in dB."""
    features = checkpoint.features
    seen = []
    for track in tracks:
        heard = decode(BytesIO(track.read_bytes()), sample_rate=features.sample_rate, max_seconds=60)
        song = SongWindows(checkpoint.mel_filterbank, features)
        [window] = [*song.feed(torch.from_numpy(heard.waveform)), *song.finish()]  # 30 s are one window
        seen.append(window)
    return torch.stack(seen)


def test_classify_agrees_with_the_evaluation_of_the_true_spectrograms(checkpoint, tracks, evaluated):
    done = genrewiz("classify", "--json", *map(str, tracks))

    results = [json.loads(line)["result"] for line in done.stdout.splitlines()]
    heard = torch.tensor([result["timeline"][0]["probabilities"] for result in results])
    assert [len(result["timeline"]) for result in results] == [1] * len(tracks)
    assert (heard - evaluated).abs().max() < ROUNDING
    # Of two genres that are as likely as each other rounding may decide; most songs have none such.
    likeliest, second = evaluated.topk(2, dim=1).values.T
    clear = likeliest - second > 2 * ROUNDING
    assert clear.sum() >= 15
    named = np.array([result["genre"] for result in results])
    expected = np.array(checkpoint.genres)[evaluated.argmax(dim=1)]
    assert (named == expected)[clear].all()


def test_predict_mels_agrees_with_the_evaluation_to_the_last_digit_it_writes(tmp_path, songs, evaluated):
    np.savez(tmp_path / "mels.npz", X=songs.levels.numpy())

    done = genrewiz("predict-mels", str(tmp_path / "mels.npz"), "--output", str(tmp_path / "answers.csv"))

    assert done.returncode == 0, done.stderr
    with (tmp_path / "answers.csv").open(newline="") as file:
        rows = [[float(cell) for cell in row[1:]] for row in list(csv.reader(file))[1:]]
    assert (torch.tensor(rows) - evaluated).abs().max() < 1e-5


def test_the_service_sees_what_the_evaluation_sees_but_for_rounding_to_half_precision_and_to_levels(
    windows, songs
):
    levels = ((windows.half().float() + 80) / DECIBELS_PER_LEVEL).round()

    assert (levels == songs.levels).double().mean() > 0.999
    assert (levels - songs.levels.float()).abs().max() <= 1
