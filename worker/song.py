"""A song as decoding leaves it: pieces of waveform, facts, and whether there is anything to hear.

Values alone; who decodes is no concern here, and nothing of FFmpeg is loaded.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from shared.errors import AudioSilent, AudioTooShort

MIN_SECONDS = 3.0  # less says too little about a genre
SILENCE_DBFS = -60.0  # of the loudest sample: even the quietest passages of mastered music are above

LOUDEST = 2.0**31
"""Of any sample: floats that are integers in disguise end here; far louder ones overflow as power."""

Waveform = NDArray[np.float32]  # (samples,), mono, full scale is 1


@dataclass(frozen=True, kw_only=True)
class AudioFacts:
    """What a song turned out to be."""

    source_sample_rate: int  # Hz
    channels: int  # of the source
    codec: str  # FFmpeg's name: mp3, pcm_s16le, ...
    duration_seconds: float  # of the source, as far as it was decoded
    truncated: bool  # the file is damaged or cut off; the waveform is what could be decoded


@dataclass(frozen=True, kw_only=True)
class Piece:
    """The next of a song."""

    waveform: Waveform  # (samples,), mono, at the sample rate that was asked for
    fraction: float  # of the song that is decoded with it, by what its header says of its length; else 0


Decoding = Generator[Piece, None, AudioFacts]
"""A song on its way: its pieces, and at the end what it turned out to be. Closing it ends the work."""

Decode = Callable[[BinaryIO], Decoding]
"""Takes a seekable file."""


class Hearing:
    """Whether there is anything to hear in a song, told from its pieces."""

    def __init__(self, sample_rate: int) -> None:
        """sample_rate: Hz, of the waveform."""
        self._sample_rate = sample_rate
        self.samples = 0  # so far
        self._peak = 0.0

    def feed(self, waveform: Waveform) -> None:
        """The next piece, (samples,). Channels that cancel out in the mean are silent, too."""
        self.samples += len(waveform)
        self._peak = max(self._peak, float(np.abs(waveform).max(initial=0)))

    def check(self) -> None:
        """Raises AudioTooShort under MIN_SECONDS, AudioSilent where no sample reached SILENCE_DBFS."""
        if self.samples < MIN_SECONDS * self._sample_rate:
            raise AudioTooShort(f"At least {MIN_SECONDS:g} seconds of audio are needed.")
        if self._peak < 10 ** (SILENCE_DBFS / 20):
            raise AudioSilent
