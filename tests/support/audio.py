"""Sounds made of formulas, and the files that hold them.

Every waveform is float32 in [-1, 1]: (samples,) when mono, (channels, samples) otherwise.
"""

import io

import numpy as np
import soundfile
from numpy.typing import NDArray

from support.muxing import mux, quantised

Waveform = NDArray[np.float32]

SAMPLE_RATE = 44_100  # Hz

# How libsndfile writes a format: its name for the container and for the codec.
_BY_SOUNDFILE = {
    "wav8": ("WAV", "PCM_U8"),
    "wav16": ("WAV", "PCM_16"),
    "wav24": ("WAV", "PCM_24"),
    "wav32": ("WAV", "PCM_32"),
    "wav_float": ("WAV", "FLOAT"),
    "wav_double": ("WAV", "DOUBLE"),
    "wav_mulaw": ("WAV", "ULAW"),
    "rf64": ("RF64", "PCM_16"),
    "flac16": ("FLAC", "PCM_16"),
    "flac24": ("FLAC", "PCM_24"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "ogg": ("OGG", "VORBIS"),
    "aiff16": ("AIFF", "PCM_16"),
    "aiff24": ("AIFF", "PCM_24"),
    "aiff_float": ("AIFF", "FLOAT"),
    "au16": ("AU", "PCM_16"),
}
# How FFmpeg does: container, codec, sample format.
_BY_FFMPEG = {
    "mp3_ffmpeg": ("mp3", "libmp3lame", "fltp"),
    "opus": ("ogg", "libopus", "flt"),
    "m4a": ("ipod", "aac", "fltp"),
    "alac": ("ipod", "alac", "s16p"),
    "aac": ("adts", "aac", "fltp"),
    "webm": ("webm", "libopus", "flt"),
    "mka_flac": ("matroska", "flac", "s16"),
    "wma": ("asf", "wmav2", "fltp"),
    "wv": ("wv", "wavpack", "s16p"),
    "mov": ("mov", "pcm_s16le", "s16"),
}
FORMATS = (*_BY_SOUNDFILE, *_BY_FFMPEG)
OPUS_SAMPLE_RATE = 48_000  # Hz, the only one these take here


def sine(hz: float, *, seconds: float, sample_rate: int = SAMPLE_RATE, amplitude: float = 0.5) -> Waveform:
    """A pure tone."""
    return (amplitude * np.sin(2 * np.pi * hz * _times(seconds, sample_rate))).astype(np.float32)


def noise(
    *, seconds: float, sample_rate: int = SAMPLE_RATE, amplitude: float = 0.1, seed: int = 0
) -> Waveform:
    """White noise, hardly ever beyond 4 amplitudes."""
    samples = len(_times(seconds, sample_rate))
    return (amplitude * np.random.default_rng(seed).standard_normal(samples)).clip(-1, 1).astype(np.float32)


def chirp(
    from_hz: float, to_hz: float, *, seconds: float, sample_rate: int = SAMPLE_RATE, amplitude: float = 0.5
) -> Waveform:
    """A tone whose frequency rises (or falls) evenly."""
    time = _times(seconds, sample_rate)
    turns = from_hz * time + (to_hz - from_hz) * time**2 / (2 * seconds)
    return (amplitude * np.sin(2 * np.pi * turns)).astype(np.float32)


def music_like(
    *, seconds: float, sample_rate: int = SAMPLE_RATE, channels: int = 1, seed: int = 0
) -> Waveform:
    """Two decaying notes a second with overtones, and a noise on each beat; every channel is different."""
    random = np.random.default_rng(seed)
    time = _times(seconds, sample_rate)
    since_note = time % 0.5
    note = np.floor(time / 0.5).astype(int)
    out = []
    for _ in range(channels):
        pitch = 110 * 2 ** (random.integers(0, 25, note[-1] + 1)[note] / 12)
        tone = sum(np.sin(2 * np.pi * pitch * n * since_note) / n for n in range(1, 6)) * np.exp(
            -4 * since_note
        )
        beat = random.standard_normal(len(time)) * np.exp(-60 * since_note)
        out.append((0.25 * tone + 0.1 * beat).clip(-1, 1))
    waveform = np.stack(out).astype(np.float32)
    return waveform if channels > 1 else waveform[0]


def encode(
    waveform: Waveform, kind: str, *, sample_rate: int = SAMPLE_RATE, options: dict[str, str] | None = None
) -> bytes:
    """A file of one of FORMATS; the options are those of FFmpeg's muxer."""
    channels = np.atleast_2d(waveform)
    if kind in _BY_SOUNDFILE:
        file = io.BytesIO()
        container, codec = _BY_SOUNDFILE[kind]
        soundfile.write(file, channels.T, sample_rate, format=container, subtype=codec)
        return file.getvalue()
    container, codec, sample_format = _BY_FFMPEG[kind]
    numbers = quantised(channels, sample_format)
    return mux(numbers, container, codec, sample_format, sample_rate=sample_rate, options=options)


def _times(seconds: float, sample_rate: int) -> NDArray[np.float64]:
    return np.arange(round(seconds * sample_rate)) / sample_rate
