"""A waveform in pieces -> the windows that the model sees, each as soon as it is full.

Pure. The windows are those of the whole song's spectrogram, however it is cut into pieces.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from worker.features import FeatureSettings
from worker.spectrogram import MelStream, log_mel
from worker.windows import WindowStream, repeat_to_window, samples_of_window


class SongMel:
    """One song's mel power, frame by frame; a song shorter than a window is repeated up to one."""

    def __init__(self, filterbank: Tensor, settings: FeatureSettings) -> None:
        """filterbank: (n_mels, 1 + n_fft // 2), on the device of the waveform that comes."""
        self._settings = settings
        self._mel = MelStream(filterbank, settings)
        self._start: Tensor | None = torch.zeros(0, device=filterbank.device)  # until it is a window's worth

    def feed(self, waveform: Tensor) -> Tensor:
        """(samples,) -> (frames, n_mels): the frames that are full with this piece, often none."""
        if self._start is None:
            return self._mel.feed(waveform)
        self._start = torch.cat([self._start, waveform])
        if len(self._start) < samples_of_window(self._settings):
            return self._mel.feed(waveform[:0])
        return self._begin(self._start)

    def finish(self) -> Tensor:
        """(frames, n_mels): the rest. At least one sample was fed."""
        if self._start is None:
            return self._mel.finish()
        return torch.cat([self._begin(repeat_to_window(self._start, self._settings)), self._mel.finish()])

    def _begin(self, start: Tensor) -> Tensor:
        self._start = None
        return self._mel.feed(start)


class SongWindows:
    """One song on its way to the model."""

    def __init__(
        self,
        filterbank: Tensor,
        settings: FeatureSettings,
        *,
        on_power: Callable[[Tensor], None] = lambda _: None,
    ) -> None:
        """filterbank: (n_mels, 1 + n_fft // 2), on the device of the waveform that comes.

        on_power hears of each piece of mel power, (frames, n_mels), and changes nothing of it.
        """
        self._settings = settings
        self._on_power = on_power
        self._mel = SongMel(filterbank, settings)
        self._windows = WindowStream(settings)

    @property
    def frames(self) -> int:
        """Of the spectrogram so far."""
        return self._windows.frames

    def feed(self, waveform: Tensor) -> list[Tensor]:
        """(samples,) -> windows (window_frames, n_mels) in dB that are full with this piece."""
        return self._windows_of(self._mel.feed(waveform))

    def finish(self) -> list[Tensor]:
        """The rest: a song shorter than a window is repeated up to one. At least one sample was fed."""
        rest = self._windows_of(self._mel.finish())
        return [*rest, *self._seen(self._windows.finish())]

    def _windows_of(self, mel_power: Tensor) -> list[Tensor]:
        self._on_power(mel_power)
        return self._seen(self._windows.feed(mel_power))

    def _seen(self, windows: list[Tensor]) -> list[Tensor]:
        return [log_mel(window[None], top_db=self._settings.top_db)[0] for window in windows]
