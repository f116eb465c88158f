"""Waveform -> mel power -> log-mel spectrogram.

Pure: no I/O, no clock, no globals. Training and serving both call this module and only this module, so the
model never sees features it was not trained on. It equals `librosa.feature.melspectrogram` followed by
`librosa.power_to_db` to 1e-4 dB, on whatever device its tensors are.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from worker.features import FeatureSettings

_FRAMES_PER_PIECE = 512  # 24 s: some 20 MB of bins at a time, however long the song
_LEAST_POWER = 1e-10  # power_to_db's amin: 100 dB under a power of 1, and what keeps silence finite


def mel_filterbank(settings: FeatureSettings) -> Tensor:
    """The Slaney mel filterbank of `librosa.filters.mel`, (n_mels, 1 + n_fft // 2).

    For whoever makes a checkpoint: librosa takes seconds to import, so serving reads it from there.
    """
    from librosa.filters import mel

    return torch.from_numpy(mel(sr=settings.sample_rate, n_fft=settings.n_fft, n_mels=settings.n_mels))


def mel_power(waveform: Tensor, filterbank: Tensor, settings: FeatureSettings) -> Tensor:
    """The power in each mel band, (frames, n_mels), with frames = 1 + samples // hop_length.

    waveform: (samples,); filterbank: (n_mels, 1 + n_fft // 2), on the same device. Frame k is the n_fft
    samples around sample k * hop_length under a periodic Hann analysis window; beyond its ends the waveform
    is zero. |STFT|^2 summed over bins with the filterbank's weights.
    """
    # In single precision rounding shows (1e-3 dB) in bands far under the loudest; double costs 4 ms a clip.
    hann_window = torch.hann_window(settings.n_fft, dtype=torch.float64, device=waveform.device)
    padded = F.pad(waveform, (settings.n_fft // 2, settings.n_fft // 2))
    frames = 1 + len(waveform) // settings.hop_length
    pieces = []
    for first in range(0, frames, _FRAMES_PER_PIECE):
        last = min(first + _FRAMES_PER_PIECE, frames) - 1
        stft = torch.stft(
            padded[first * settings.hop_length : last * settings.hop_length + settings.n_fft].double(),
            n_fft=settings.n_fft,
            hop_length=settings.hop_length,
            window=hann_window,
            center=False,  # the padding is there already, once for the whole and not for each piece
            return_complex=True,
        )  # (1 + n_fft // 2, frames of the piece)
        power = (stft.real.square() + stft.imag.square()).to(filterbank.dtype)
        pieces.append((filterbank @ power).T)
    return torch.cat(pieces)


def log_mel(windows: Tensor, *, top_db: float) -> Tensor:
    """dB under each window's own loudest point, in [-top_db, 0]; the shape stays (windows, frames, n_mels).

    windows: mel power. As `librosa.power_to_db(ref=np.max, amin=1e-10, top_db=top_db)` of each: a silent
    window is 0 dB throughout.
    """
    decibels = 10 * windows.clamp_min(_LEAST_POWER).log10()
    loudest = decibels.amax(dim=(1, 2), keepdim=True)
    return (decibels - loudest).clamp_min(-top_db)
