"""What the model sees: the numbers behind the spectrogram and its windows.

Values alone. They travel inside a checkpoint, so that a model never sees features it was not trained on.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class FeatureSettings:
    """The settings of the log-mel spectrogram and of its windows; the defaults are the original project's."""

    sample_rate: int = 22_050  # Hz
    n_fft: int = 2_048  # samples per frame
    hop_length: int = 1_024  # samples from one frame to the next
    n_mels: int = 128  # mel bands
    window_frames: int = 640  # frames that the model sees at once
    window_hop_frames: int = 320  # frames from one window to the next
    top_db: float = 80.0  # dB under a window's loudest point that are kept

    @property
    def frames_per_second(self) -> float:
        """Frames in a second of audio."""
        return self.sample_rate / self.hop_length
