"""Where the windows of a song lie."""

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from worker.features import FeatureSettings
from worker.windows import WindowStream, repeat_to_window, window_starts, window_times, windows

SETTINGS = FeatureSettings()
SMALL = FeatureSettings(hop_length=4, window_frames=8, window_hop_frames=4, n_mels=3)

frame_counts = st.integers(min_value=SETTINGS.window_frames, max_value=60_000)


def test_a_clip_of_thirty_seconds_is_one_window():
    frames = 1 + 30 * SETTINGS.sample_rate // SETTINGS.hop_length

    assert window_starts(frames, SETTINGS) == [0]


def test_a_window_ends_with_the_song_only_where_over_half_a_hop_would_be_missed():
    just_half = 640 + 160

    assert window_starts(just_half, SETTINGS) == [0]
    assert window_starts(just_half + 1, SETTINGS) == [0, 161]
    assert window_starts(640 + 320, SETTINGS) == [0, 320]


@given(frame_counts)
def test_windows_lie_within_the_song_in_order_and_without_repetition(frames):
    starts = window_starts(frames, SETTINGS)

    assert starts[0] == 0
    assert all(earlier < later for earlier, later in itertools.pairwise(starts))
    assert starts[-1] + SETTINGS.window_frames <= frames


@given(frame_counts)
def test_no_more_than_half_a_hop_is_left_out_and_nothing_in_between(frames):
    starts = window_starts(frames, SETTINGS)

    steps = [later - earlier for earlier, later in itertools.pairwise(starts)]
    assert all(step <= SETTINGS.window_hop_frames for step in steps)
    assert frames - (starts[-1] + SETTINGS.window_frames) <= SETTINGS.window_hop_frames // 2


@given(st.integers(min_value=0, max_value=SETTINGS.window_frames - 1))
def test_fewer_frames_than_a_window_are_refused(frames):
    with pytest.raises(ValueError, match="do not fill a window"):
        window_starts(frames, SETTINGS)


@given(st.integers(min_value=8, max_value=200))
def test_each_window_is_its_slice_of_the_spectrogram(frames):
    mel_power = torch.arange(frames * SMALL.n_mels).reshape(frames, SMALL.n_mels)

    cut = windows(mel_power, SMALL)

    starts = window_starts(frames, SMALL)
    assert cut.shape == (len(starts), SMALL.window_frames, SMALL.n_mels)
    for window, start in zip(cut, starts, strict=True):
        assert torch.equal(window, mel_power[start : start + SMALL.window_frames])


@given(st.lists(st.integers(min_value=0, max_value=40), min_size=1, max_size=12))
def test_windows_cut_while_the_song_comes_in_are_those_of_the_whole(lengths):
    whole = torch.arange(sum(lengths) * SMALL.n_mels).reshape(-1, SMALL.n_mels).float()
    stream = WindowStream(SMALL)

    cut = [window for piece in whole.split(lengths) for window in stream.feed(piece)]

    assert stream.frames == len(whole)
    if len(whole) < SMALL.window_frames:
        assert not cut
    else:
        assert torch.equal(torch.stack([*cut, *stream.finish()]), windows(whole, SMALL))


def test_a_long_song_keeps_no_more_than_the_frames_that_the_next_windows_need():
    stream = WindowStream(SMALL)

    for _ in range(1_000):
        stream.feed(torch.zeros(3, SMALL.n_mels))

    assert len(stream._kept) <= SMALL.window_frames + 3


@given(st.integers(min_value=1, max_value=27))
def test_a_short_song_is_repeated_up_to_one_window(samples):
    song = torch.arange(samples)

    filled = repeat_to_window(song, SMALL)

    assert len(filled) == (SMALL.window_frames - 1) * SMALL.hop_length
    assert torch.equal(filled, torch.arange(len(filled)) % samples)
    assert 1 + len(filled) // SMALL.hop_length == SMALL.window_frames


@given(st.integers(min_value=28, max_value=200))
def test_a_song_as_long_as_a_window_stays_as_it_is(samples):
    song = torch.arange(samples)

    assert torch.equal(repeat_to_window(song, SMALL), song)


@given(st.floats(min_value=29.8, max_value=1_200))
def test_windows_last_thirty_seconds_and_never_end_after_the_song(seconds):
    frames = 1 + int(seconds * SETTINGS.sample_rate) // SETTINGS.hop_length

    times = window_times(frames, seconds, SETTINGS)

    assert times[0].start_seconds == 0.0
    for time in times:
        assert time.end_seconds <= seconds
        assert time.end_seconds - time.start_seconds == pytest.approx(29.7, abs=0.1)


def test_the_one_window_of_a_short_song_ends_when_the_song_does():
    (time,) = window_times(SETTINGS.window_frames, 4.5, SETTINGS)

    assert (time.start_seconds, time.end_seconds) == (0.0, 4.5)
