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


def repeat_to_window(waveform: Tensor, settings: FeatureSettings) -> Tensor:
    """A song shorter than a window repeated until it fills one exactly; any other as it is. (samples,).

    waveform: at least one sample. A spectrogram with centred frames has one more frame than the song has
    hops, so a window of 640 frames is filled by 639 hops.
    """
    samples = (settings.window_frames - 1) * settings.hop_length
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


def window_times(frames: int, duration_seconds: float, settings: FeatureSettings) -> list[WindowTime]:
    """When each window of a spectrogram of so many frames is in the song; none ends after the song does."""
    return [
        WindowTime(
            start_seconds=start / settings.frames_per_second,
            end_seconds=min((start + settings.window_frames) / settings.frames_per_second, duration_seconds),
        )
        for start in window_starts(frames, settings)
    ]
