"""Waveform -> mel power -> log-mel spectrogram.

Pure: no I/O, no clock, no globals. Training and serving both call this module and only this module, so the
model never sees features it was not trained on. It equals `librosa.feature.melspectrogram` followed by
`librosa.power_to_db` to 1e-4 dB, on whatever device its tensors are.
"""

import torch
from torch import Tensor

from worker.features import FeatureSettings

_FRAMES_PER_PIECE = 512  # 24 s: some 20 MB of bins at a time, however long the song
_LEAST_POWER = 1e-10  # power_to_db's amin: 100 dB under a power of 1, and what keeps silence finite


def mel_filterbank(settings: FeatureSettings) -> Tensor:
    """The Slaney mel filterbank of `librosa.filters.mel`, (n_mels, 1 + n_fft // 2).

    For whoever makes a checkpoint: librosa takes seconds to import, so serving reads it from there.
    """
    from librosa.filters import mel

    return torch.from_numpy(mel(sr=settings.sample_rate, n_fft=settings.n_fft, n_mels=settings.n_mels))


class MelStream:
    """A waveform in pieces -> the power in each mel band, frame by frame as frames are full.

    Frame k is the n_fft samples around sample k * hop_length under a periodic Hann analysis window; beyond
    its ends the waveform is zero. |STFT|^2 summed over bins with the filterbank's weights.
    """

    def __init__(self, filterbank: Tensor, settings: FeatureSettings) -> None:
        """filterbank: (n_mels, 1 + n_fft // 2), on the device of the waveform that comes."""
        self._filterbank = filterbank
        self._settings = settings
        # In single precision rounding shows (1e-3 dB) in bands far under the loudest; double costs 4 ms.
        self._hann_window = torch.hann_window(settings.n_fft, dtype=torch.float64, device=filterbank.device)
        self._edge = torch.zeros(settings.n_fft // 2, device=filterbank.device)
        self._rest = self._edge  # samples that wait for the frame they are in to be full

    def feed(self, waveform: Tensor) -> Tensor:
        """(samples,) -> (frames, n_mels): the frames that are full with this piece, often none."""
        n_fft, hop_length = self._settings.n_fft, self._settings.hop_length
        samples = torch.cat([self._rest, waveform])
        frames = max(0, 1 + (len(samples) - n_fft) // hop_length)
        self._rest = samples[frames * hop_length :].clone()  # a view would keep the whole piece in memory
        powers = [
            self._power(samples[first * hop_length : (last - 1) * hop_length + n_fft])
            for first in range(0, frames, _FRAMES_PER_PIECE)
            for last in (min(first + _FRAMES_PER_PIECE, frames),)
        ]
        return torch.cat(powers) if powers else self._filterbank.new_zeros((0, len(self._filterbank)))

    def finish(self) -> Tensor:
        """(frames, n_mels): the last frames, whose second half lies beyond the end."""
        return self.feed(self._edge)

    def _power(self, samples: Tensor) -> Tensor:
        stft = torch.stft(
            samples.double(),
            n_fft=self._settings.n_fft,
            hop_length=self._settings.hop_length,
            window=self._hann_window,
            center=False,  # the padding is there already, once for the whole and not for each piece
            return_complex=True,
        )  # (1 + n_fft // 2, frames of the piece)
        power = (stft.real.square() + stft.imag.square()).to(self._filterbank.dtype)
        return (self._filterbank @ power).T


def mel_power(waveform: Tensor, filterbank: Tensor, settings: FeatureSettings) -> Tensor:
    """The power in each mel band of a whole song, (frames, n_mels), with frames = 1 + samples // hop_length.

    waveform: (samples,); filterbank: (n_mels, 1 + n_fft // 2), on the same device. As `MelStream`.
    """
    stream = MelStream(filterbank, settings)
    return torch.cat([stream.feed(waveform), stream.finish()])


def log_mel(windows: Tensor, *, top_db: float) -> Tensor:
    """dB under each window's own loudest point, in [-top_db, 0]; the shape stays (windows, frames, n_mels).

    windows: mel power. As `librosa.power_to_db(ref=np.max, amin=1e-10, top_db=top_db)` of each: a silent
    window is 0 dB throughout.
    """
    return below_loudest(decibels(windows), top_db=top_db)


def decibels(mel_power: Tensor) -> Tensor:
    """dB over a power of 1, of any shape; silence is -100 dB."""
    return 10 * mel_power.clamp_min(_LEAST_POWER).log10()


def below_loudest(windows_db: Tensor, *, top_db: float) -> Tensor:
    """Windows (windows, frames, n_mels) in dB over anything -> in dB under their own loudest point."""
    loudest = windows_db.amax(dim=(1, 2), keepdim=True)
    return (windows_db - loudest).clamp_min(-top_db)
