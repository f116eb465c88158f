"""A song in pieces: the windows of the whole, however it is cut."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from support.audio import music_like
from worker.features import FeatureSettings
from worker.spectrogram import log_mel, mel_filterbank, mel_power
from worker.stream import SongWindows
from worker.windows import repeat_to_window, windows

SETTINGS = FeatureSettings(window_frames=40, window_hop_frames=20)
FILTERBANK = mel_filterbank(SETTINGS)
SONG = torch.from_numpy(music_like(seconds=8, sample_rate=SETTINGS.sample_rate))


def of_the_whole(song: torch.Tensor) -> torch.Tensor:
    power = mel_power(repeat_to_window(song, SETTINGS), FILTERBANK, SETTINGS)
    return log_mel(windows(power, SETTINGS), top_db=SETTINGS.top_db)


def in_pieces(*pieces: torch.Tensor) -> torch.Tensor:
    stream = SongWindows(FILTERBANK, SETTINGS)
    seen = [window for piece in pieces for window in stream.feed(piece)]
    return torch.stack([*seen, *stream.finish()])


@settings(deadline=None, max_examples=40)
@given(st.integers(1, len(SONG)), st.lists(st.floats(0, 1), max_size=6))
def test_the_windows_are_those_of_the_whole_song_however_it_is_cut(samples, cuts):
    song = SONG[:samples]
    places = sorted(int(cut * samples) for cut in cuts)

    seen = in_pieces(*torch.tensor_split(song, places))

    torch.testing.assert_close(seen, of_the_whole(song), rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    "samples", [1, 1_023, 39 * 1_024 - 1, 39 * 1_024, 39 * 1_024 + 1, 59 * 1_024, 60 * 1_024]
)
def test_the_same_holds_at_the_edges(samples):
    song = SONG[:samples]

    torch.testing.assert_close(in_pieces(*song.split(777)), of_the_whole(song), rtol=0, atol=1e-4)


def test_a_window_is_known_as_soon_as_it_is_full():
    stream = SongWindows(FILTERBANK, SETTINGS)

    assert not stream.feed(SONG[: 39 * 1_024])
    assert len(stream.feed(SONG[39 * 1_024 : 40 * 1_024])) == 1
