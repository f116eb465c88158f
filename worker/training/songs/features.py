"""The mel filterbank that goes into a checkpoint.

Only training calls this: importing librosa costs seconds that no worker should spend at its start.
"""

import librosa
import torch
from torch import Tensor

from worker.features import FeatureSettings


def mel_filterbank(features: FeatureSettings) -> Tensor:
    """(mel bands, 1 + n_fft / 2) float32: Slaney's scale and area normalisation, librosa's defaults."""
    bank = librosa.filters.mel(sr=features.sample_rate, n_fft=features.n_fft, n_mels=features.n_mels)
    return torch.from_numpy(bank).float()
