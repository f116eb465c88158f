"""Where the notes of a song are laid down, in beats."""

import numpy as np
from sound import SAMPLE_RATE, Waveform

SECONDS = 30


class Tape:
    """Half a minute on which sounds are mixed; it knows nothing of loudness."""

    def __init__(self, *, beats_per_minute: float) -> None:
        self.beat_seconds = 60 / beats_per_minute
        self.waveform: Waveform = np.zeros(SECONDS * SAMPLE_RATE)

    def lay(self, sound: Waveform, *, beat: float, gain: float = 1.0) -> None:
        """Mix a sound in; what hangs over the end is cut."""
        start = round(beat * self.beat_seconds * SAMPLE_RATE)
        room = self.waveform[start : start + len(sound)]
        room += gain * sound[: len(room)]
