"""Where in a song the windows lie that the model sees at once.

Pure tensors and numbers: no audio is decoded here and no spectrogram computed.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from worker.features import FeatureSettings


@dataclass(frozen=True, kw_only=True)
class WindowTime:
    """From when to when in the song a window reaches."""

    start_seconds: float
    end_seconds: float


def samples_of_window(settings: FeatureSettings) -> int:
    """Samples that fill a window: with centred frames a song has one more frame than it has hops."""
    return (settings.window_frames - 1) * settings.hop_length


def repeat_to_window(waveform: Tensor, settings: FeatureSettings) -> Tensor:
    """A song shorter than a window repeated until it fills one exactly; any other as it is. (samples,).

    waveform: at least one sample.
    """
    samples = samples_of_window(settings)
    if len(waveform) >= samples:
        return waveform
    return waveform.repeat(-(-samples // len(waveform)))[:samples]


def window_starts(frames: int, settings: FeatureSettings) -> list[int]:
    """The first frame of each window in a spectrogram of so many frames (at least one window's).

    One every window hop as long as they fit, and one that ends with the song where over half a window hop
    would be seen by none.
    """
    last = frames - settings.window_frames
    if last < 0:
        raise ValueError(f"{frames} frames do not fill a window of {settings.window_frames}")
    starts = list(range(0, last + 1, settings.window_hop_frames))
    return [*starts, last] if last - starts[-1] > settings.window_hop_frames // 2 else starts


def windows(mel_power: Tensor, settings: FeatureSettings) -> Tensor:
    """(frames, n_mels) -> (windows, window_frames, n_mels): the windows, in order."""
    starts = window_starts(mel_power.shape[0], settings)
    return torch.stack([mel_power[start : start + settings.window_frames] for start in starts])


class WindowStream:
    """A song's mel power in pieces -> its windows, each as soon as it is full: those of `windows`."""

    def __init__(self, settings: FeatureSettings) -> None:
        """Nothing of the song is known yet."""
        self._settings = settings
        self._kept = torch.zeros(0, settings.n_mels)  # of all frames those that a window may still need
        self._first_kept = 0
        self._cut = 0  # windows so far
        self.frames = 0  # of the song so far

    def feed(self, mel_power: Tensor) -> list[Tensor]:
        """(frames, n_mels) -> windows (window_frames, n_mels) that are full with this piece."""
        size, hop = self._settings.window_frames, self._settings.window_hop_frames
        self._kept = torch.cat([self._kept.to(mel_power), mel_power])
        self.frames += len(mel_power)
        full = []
        while self._cut * hop + size <= self.frames:
            full.append(self._from(self._cut * hop)[:size])
            self._cut += 1
        # The next window begins a hop after the latest; the one that ends with the song may begin earlier.
        first_needed = max(self._first_kept, min(self._cut * hop, self.frames - size))
        self._kept, self._first_kept = self._from(first_needed).clone(), first_needed
        return full

    def finish(self) -> list[Tensor]:
        """The window that ends with the song, where one is due; ValueError under a window's frames."""
        starts = window_starts(self.frames, self._settings)
        return [self._from(starts[-1])] if len(starts) > self._cut else []

    def _from(self, frame: int) -> Tensor:
        return self._kept[frame - self._first_kept :]


def settled_window_times(frames: int, settings: FeatureSettings, *, first: int) -> list[WindowTime]:
    """When the windows from number `first` on are, of a song with so many frames so far.

    Those that end a second before that: wherever the song ends, `window_times` says the same of them.
    """
    settled = frames - round(settings.frames_per_second)
    return [
        _time_of(start, settings)
        for start in range(
            first * settings.window_hop_frames,
            settled - settings.window_frames + 1,
            settings.window_hop_frames,
        )
    ]


def window_times(frames: int, duration_seconds: float, settings: FeatureSettings) -> list[WindowTime]:
    """When each window of a spectrogram of so many frames is in the song; none ends after the song does."""
    return [
        WindowTime(
            start_seconds=(when := _time_of(start, settings)).start_seconds,
            end_seconds=min(when.end_seconds, duration_seconds),
        )
        for start in window_starts(frames, settings)
    ]


def _time_of(start: int, settings: FeatureSettings) -> WindowTime:
    return WindowTime(
        start_seconds=start / settings.frames_per_second,
        end_seconds=(start + settings.window_frames) / settings.frames_per_second,
    )
