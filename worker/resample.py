"""Mono waveform, piece by piece -> the same at another sample rate.

Wraps soxr's high quality resampler, whose output does not depend on how its input is cut. It knows nothing
of containers, channels or limits.
"""

import math

import numpy as np
import soxr

from worker.song import Waveform


class Resampler:
    """Takes pieces of a waveform at whatever rate they come, gives pieces at one rate.

    The length of what comes out is `librosa.resample`'s: n samples in, ceil(n * target / source) out, with
    zeros where soxr gives one fewer. A piece at another rate than its predecessor begins anew.
    """

    def __init__(self, sample_rate: int) -> None:
        """sample_rate: Hz, of what comes out."""
        self._sample_rate = sample_rate
        self._source_rate = sample_rate
        self._stream: soxr.ResampleStream | None = None
        self._samples_in = 0
        self._samples_out = 0

    def feed(self, piece: Waveform, *, sample_rate: int) -> list[Waveform]:
        """What is ready after this piece, which is at `sample_rate` Hz."""
        ready = []
        if sample_rate != self._source_rate:
            ready = self.finish()
            self._begin(sample_rate)
        if self._stream is None:
            return [*ready, piece]
        self._samples_in += len(piece)
        return [*ready, self._counted(self._stream.resample_chunk(piece))]

    def finish(self) -> list[Waveform]:
        """The rest; afterwards the resampler is as new."""
        if self._stream is None:
            return []
        tail = self._counted(self._stream.resample_chunk(np.zeros(0, np.float32), last=True))
        missing = math.ceil(self._samples_in * (self._sample_rate / self._source_rate)) - self._samples_out
        self._begin(self._sample_rate)
        return [tail, np.zeros(missing, np.float32)] if missing > 0 else [tail[: len(tail) + missing]]

    def _begin(self, source_rate: int) -> None:
        self._source_rate = source_rate
        self._samples_in = self._samples_out = 0
        self._stream = (
            None
            if source_rate == self._sample_rate
            else soxr.ResampleStream(source_rate, self._sample_rate, 1, dtype="float32", quality="HQ")
        )

    def _counted(self, piece: Waveform) -> Waveform:
        self._samples_out += len(piece)
        return piece
