"""Untrusted bytes -> mono waveform at one sample rate, piece by piece.

Pure but for reading the file object it is given: no file name, no URL, no clock, no globals. On WAV the
waveform is bit for bit that of `librosa.load(..., sr=sample_rate)`. It bounds seconds alone; memory and time
of a hostile file are the sandbox's to bound.
"""

from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from shared.errors import CorruptAudio
from worker.completeness import is_cut_off
from worker.ffmpeg import AudioSource, open_container
from worker.resample import Resampler
from worker.song import MIN_SECONDS, AudioFacts, Decoding, Piece, Waveform


@dataclass(frozen=True, kw_only=True)
class DecodedAudio(AudioFacts):
    """A whole song."""

    waveform: Waveform  # (samples,), mono, at the sample rate that was asked for


def decode_pieces(audio: BinaryIO, *, sample_rate: int, max_seconds: float) -> Decoding:
    """The first audio stream of a file as a mono waveform at `sample_rate` Hz; memory does not grow with it.

    audio: seekable; read from its beginning. What its header says about lengths is not believed: a song ends
    where its samples do.

    Raises UnsupportedFormat, NoAudioStream, AudioTooLong (with the first frame beyond `max_seconds`),
    and CorruptAudio (damaged, with under MIN_SECONDS left).
    """
    with open_container(audio) as container:
        source = AudioSource(container, max_seconds=max_seconds)
        resampler = Resampler(sample_rate)
        declared_seconds = source.declared_seconds
        for samples, rate in source.pieces():
            fraction = _fraction(source.seconds, of=declared_seconds)
            for waveform in resampler.feed(samples, sample_rate=rate):
                yield Piece(waveform=waveform, fraction=fraction)
        for waveform in resampler.finish():
            yield Piece(waveform=waveform, fraction=1.0)
        truncated = source.is_damaged or is_cut_off(
            audio,
            container=container.format.name,
            declared_seconds=declared_seconds,
            decoded_seconds=source.seconds,
        )
    if truncated and source.seconds < MIN_SECONDS:
        raise CorruptAudio
    return AudioFacts(
        source_sample_rate=source.sample_rate,
        channels=source.channels,
        codec=source.codec,
        duration_seconds=source.seconds,
        truncated=truncated,
    )


def _fraction(seconds: float, *, of: float | None) -> float:
    """How much that is of a length which a header names, and which may be anything."""
    return min(1.0, seconds / of) if of is not None and of > 0 else 0.0


def decode(audio: BinaryIO, *, sample_rate: int, max_seconds: float) -> DecodedAudio:
    """A whole song at once, in this process: for songs that are trusted. As `decode_pieces`."""
    pieces: list[Waveform] = []
    decoding = decode_pieces(audio, sample_rate=sample_rate, max_seconds=max_seconds)
    while True:
        try:
            pieces.append(next(decoding).waveform)
        except StopIteration as end:
            facts: AudioFacts = end.value
            waveform = np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
            return DecodedAudio(**vars(facts), waveform=waveform)
