"""Untrusted bytes -> mono waveform at one sample rate.

Pure but for reading the file object it is given: no file name, no URL, no clock, no globals. On WAV the
waveform is bit for bit that of `librosa.load(..., sr=sample_rate)`. It bounds seconds alone; bytes, memory
and time of a hostile file are the sandbox's to bound.
"""

from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from shared.errors import AudioSilent, AudioTooShort, CorruptAudio
from worker.completeness import is_cut_off
from worker.ffmpeg import AudioSource, open_container
from worker.resample import Resampler, Waveform

MIN_SECONDS = 3.0  # less says too little about a genre
SILENCE_DBFS = -60.0  # of the loudest sample: even the quietest passages of mastered music are above


@dataclass(frozen=True, kw_only=True)
class DecodedAudio:
    """A song's waveform, and what it was made from."""

    waveform: Waveform  # (samples,), mono, at the sample rate that was asked for
    source_sample_rate: int  # Hz
    channels: int  # of the source
    codec: str  # FFmpeg's name: mp3, pcm_s16le, ...
    duration_seconds: float  # of the source, as far as it was decoded
    truncated: bool  # the file is damaged or cut off; the waveform is what could be decoded


def decode(audio: BinaryIO, *, sample_rate: int, max_seconds: float) -> DecodedAudio:
    """The first audio stream of a file as a mono waveform at `sample_rate` Hz.

    audio: seekable; read from its beginning. What its header says about lengths is not believed: a song ends
    where its samples do.

    Raises UnsupportedFormat, NoAudioStream, AudioTooLong (with the first frame beyond `max_seconds`),
    and CorruptAudio (damaged, with under MIN_SECONDS left). `check_audible` is for the caller to ask.
    """
    with open_container(audio) as container:
        source = AudioSource(container, max_seconds=max_seconds)
        resampler = Resampler(sample_rate)
        pieces: list[Waveform] = []
        for piece, rate in source.pieces():
            pieces += resampler.feed(piece, sample_rate=rate)
        pieces += resampler.finish()
        truncated = source.is_damaged or is_cut_off(
            audio,
            container=container.format.name,
            declared_seconds=source.declared_seconds,
            decoded_seconds=source.seconds,
        )
    if truncated and source.seconds < MIN_SECONDS:
        raise CorruptAudio
    waveform = np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
    return DecodedAudio(
        waveform=waveform,
        source_sample_rate=source.sample_rate,
        channels=source.channels,
        codec=source.codec,
        duration_seconds=source.seconds,
        truncated=truncated,
    )


def check_audible(waveform: Waveform, *, sample_rate: int) -> None:
    """Raises AudioTooShort under MIN_SECONDS, AudioSilent where no sample reaches SILENCE_DBFS.

    waveform: (samples,), mono at `sample_rate` Hz. Channels that cancel out in the mean are silent, too.
    """
    if len(waveform) < MIN_SECONDS * sample_rate:
        raise AudioTooShort(f"At least {MIN_SECONDS:g} seconds of audio are needed.")
    if np.abs(waveform).max() < 10 ** (SILENCE_DBFS / 20):
        raise AudioSilent
