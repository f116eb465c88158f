"""A song's picture: columns and levels."""

import weakref
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from support.audio import chirp, music_like, noise, sine
from worker.features import FeatureSettings
from worker.picture import MOST_COLUMNS, RANGE_DB, SongPicture
from worker.spectrogram import mel_filterbank, mel_power
from worker.stream import SongWindows

FEATURES = FeatureSettings()
RATE, HOP = FEATURES.sample_rate, FEATURES.hop_length
FILTERBANK = mel_filterbank(FEATURES)


def drawn(power: torch.Tensor, *cuts: int) -> torch.Tensor:
    """The picture of mel power (frames, n_mels), fed in pieces."""
    picture = SongPicture(FEATURES)
    for piece in torch.tensor_split(power, cuts):
        picture.feed(piece)
    return picture.levels(samples=(len(power) - 1) * HOP)


def of_song(waveform) -> torch.Tensor:
    """The picture of a song, drawn on its way to the model."""
    picture, song = SongPicture(FEATURES), torch.from_numpy(waveform)
    windows = SongWindows(FILTERBANK, FEATURES, on_power=picture.feed)
    for piece in song.split(70_001):
        windows.feed(piece)
    windows.finish()
    return picture.levels(samples=len(song))


def some_power(frames: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(frames, FEATURES.n_mels, generator=torch.Generator().manual_seed(seed)) ** 8


def loudest_rows(levels: torch.Tensor) -> list[int]:
    """Of each column the loudest band, counted from below."""
    return (FEATURES.n_mels - 1 - levels.int().argmax(dim=0)).tolist()


@pytest.mark.parametrize(
    ("frames", "columns"),
    [
        (1, 1),
        (2, 2),
        (1_999, 1_999),
        (2_000, 2_000),
        (2_001, 1_001),
        (4_000, 2_000),
        (4_001, 1_001),
        (19_380, 1_212),
    ],
)
def test_a_column_is_a_frame_or_as_few_frames_as_fit(frames, columns):
    levels = drawn(some_power(frames), *range(300, frames, 300))

    assert levels.shape == (128, columns)
    assert levels.dtype == torch.uint8


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 9_000), st.lists(st.floats(0, 1), max_size=6))
def test_each_column_is_the_mean_power_of_its_frames_however_the_song_is_cut(frames, cuts):
    power = some_power(frames)
    per_column = 1
    while frames > MOST_COLUMNS * per_column:
        per_column *= 2
    means = torch.stack([part.mean(dim=0) for part in power.double().split(per_column)])
    db = 10 * (means / means.max()).clamp_min(1e-20).log10()
    expected = ((db / RANGE_DB + 1).clamp_min(0) * 255).T.flip(0)

    levels = drawn(power, *sorted(int(cut * frames) for cut in cuts))

    assert (levels.double() - expected).abs().max() <= 0.51


def test_three_hours_take_the_memory_of_a_minute():
    picture = SongPicture(FEATURES)
    before = picture._sums.nbytes
    frames = 3 * 3_600 * RATE // HOP
    fed = []

    for number in range(frames // 500):
        piece = some_power(500, seed=number)
        fed.append(weakref.ref(piece))
        picture.feed(piece)

    del piece
    assert not any(piece() is not None for piece in fed)
    held = [value for value in vars(picture).values() if isinstance(value, torch.Tensor)]
    assert sum(tensor.untyped_storage().nbytes() for tensor in held) == before == 2_000 * 128 * 4
    levels = picture.levels(samples=frames * HOP)
    assert MOST_COLUMNS // 2 < levels.shape[1] <= MOST_COLUMNS
    assert levels.max() == 255


def test_a_rising_tone_is_a_rising_line():
    rows = loudest_rows(of_song(chirp(100, 10_000, seconds=60, sample_rate=RATE)))

    assert rows[0] < 10
    assert rows[-1] > 115
    assert all(later >= earlier for earlier, later in pairwise(rows[1:-1]))


@pytest.mark.parametrize("hz", [110, 440, 3_000, 9_000])
def test_a_tone_is_bright_where_it_is_and_dark_elsewhere(hz):
    levels = of_song(sine(hz, seconds=40, sample_rate=RATE))

    # From below: the band whose filter weighs the tone's bin the most.
    band = int(FILTERBANK[:, round(hz * FEATURES.n_fft / RATE)].argmax())
    inside = levels[:, 2:-2]
    assert set(loudest_rows(inside)) <= {band - 1, band, band + 1}
    assert inside.float().median() == 0


def test_sixty_decibels_less_are_three_quarters_of_the_levels_less():
    loud, quiet = (noise(seconds=20, sample_rate=RATE, seed=3) for _ in range(2))
    quiet *= 1e-3

    levels = of_song(torch.cat([torch.from_numpy(loud), torch.from_numpy(quiet)]).numpy()).float()

    columns = levels.shape[1]
    first, second = levels[:, : columns // 2 - 3].mean(), levels[:, columns // 2 + 3 :].mean()
    assert first - second == pytest.approx(60 / 80 * 255, abs=3)


def test_a_noise_is_as_bright_in_a_long_song_as_in_a_short_one():
    song = noise(seconds=30, sample_rate=RATE) + sine(440, seconds=30, sample_rate=RATE)
    power = mel_power(torch.from_numpy(song), FILTERBANK, FEATURES)

    short, long = (drawn(power.repeat(times, 1))[:20].float().mean() for times in (1, 60))

    assert abs(long - short) < 3


@pytest.mark.parametrize("samples", [1, HOP - 1, HOP, 3 * RATE, 10 * RATE])
def test_a_song_shorter_than_a_window_is_drawn_once_though_the_model_hears_it_repeated(samples):
    assert of_song(music_like(seconds=11, sample_rate=RATE)[:samples]).shape == (128, 1 + samples // HOP)


def test_silence_is_dark_and_finite():
    assert drawn(torch.zeros(5_000, 128)).unique().tolist() == [0]


def test_a_single_frame_has_its_loudest_point_at_the_top_level():
    levels = drawn(some_power(1))

    assert levels.shape == (128, 1)
    assert levels.max() == 255


def test_the_windows_are_the_same_with_and_without_a_picture():
    song = torch.from_numpy(music_like(seconds=70, sample_rate=RATE))
    without, with_picture = (
        SongWindows(FILTERBANK, FEATURES, **watched)
        for watched in ({}, {"on_power": SongPicture(FEATURES).feed})
    )

    for piece in song.split(50_000):
        for one, other in zip(without.feed(piece), with_picture.feed(piece), strict=True):
            assert torch.equal(one, other)
