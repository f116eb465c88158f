"""A folder of invented songs by genre, and features of them without the sandbox' processes."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from support.audio import encode, music_like, noise
from worker.decode import decode_pieces
from worker.features import FeatureSettings
from worker.song import Decode
from worker.spectrogram import mel_filterbank
from worker.training.songs.audio_features import FeatureMaker

RATE = 22_050
FEATURES = FeatureSettings()
SMALL = FeatureSettings(window_frames=128, window_hop_frames=64)  # 6 s
"""For tests of many songs: the network needs 128 frames."""


def song(seed: int, *, seconds: float = 4.0, kind: str = "wav16", noisy: bool = False) -> bytes:
    """A file; each seed is another song."""
    make = noise if noisy else music_like
    return encode(make(seconds=seconds, sample_rate=RATE, seed=seed), kind, sample_rate=RATE)


def write_songs(folder: Path, genres: dict[str, int], *, seed: int = 0) -> Path:
    """So many songs in a folder for each genre, `genre/0.wav`, ...; every second genre is noise."""
    for place, (genre, songs) in enumerate(genres.items()):
        (folder / genre).mkdir(parents=True)
        for number in range(songs):
            data = song(1_000 * (seed + place) + number, noisy=place % 2 == 1)
            (folder / genre / f"{number}.wav").write_bytes(data)
    return folder


def maker(cache: Path, features: FeatureSettings = SMALL, filterbank: Tensor | None = None) -> FeatureMaker:
    """Decodes in this process, one song at a time."""
    return FeatureMaker(
        features=features,
        filterbank=mel_filterbank(features) if filterbank is None else filterbank,
        cache=cache,
        open_decoder=partial(_decoder, features.sample_rate),
        threads=1,
    )


def no_decoder(cache: Path, features: FeatureSettings = SMALL) -> FeatureMaker:
    """Fails where a song is not in the cache."""
    return FeatureMaker(
        features=features,
        filterbank=mel_filterbank(features),
        cache=cache,
        open_decoder=_refusing,
        threads=1,
    )


def exact_windows(path: Path, features: FeatureSettings = SMALL) -> Tensor:
    """What the service's model sees of a file, (windows, frames, bands)."""
    from worker.stream import SongWindows

    windows = SongWindows(mel_filterbank(features), features)
    with path.open("rb") as audio:
        pieces = [
            torch.from_numpy(piece.waveform)
            for piece in decode_pieces(audio, sample_rate=RATE, max_seconds=900)
        ]
    return torch.stack([*(window for piece in pieces for window in windows.feed(piece)), *windows.finish()])


@contextmanager
def _decoder(sample_rate: int) -> Iterator[Decode]:
    yield lambda audio: decode_pieces(audio, sample_rate=sample_rate, max_seconds=900)


@contextmanager
def _refusing() -> Iterator[Decode]:
    raise AssertionError("a song is decoded that should be in the cache")
    yield
