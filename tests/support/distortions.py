"""What happens to a song between its master and an upload: codecs, level, narrow bands, excerpts.

Each takes a mono waveform and gives a file; nothing here knows a spectrogram or a model.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import soxr
from scipy.signal import butter, resample, sosfiltfilt

from support.audio import Waveform, encode
from support.muxing import mux

SAMPLE_RATE = 22_050  # Hz, of the waveform that comes
CODEC_SAMPLE_RATE = {"libopus": 48_000}  # Hz; the others get what music is sold at
MUSIC_SAMPLE_RATE = 44_100
TELEPHONE_HZ = (300, 3_400)
TELEPHONE_SAMPLE_RATE = 8_000
EXCERPT_SECONDS = 5
HEADROOM_DB = 1.0  # that a resampled or coded song keeps under full scale, as a careful encoder does


@dataclass(frozen=True, kw_only=True)
class Distortion:
    """One way to the service."""

    name: str
    what: str
    apply: Callable[[Waveform], bytes]
    same_moments: bool = True  # whether frame k of the result is heard at the same moment as before


def coded(waveform: Waveform, *, codec: str, container: str, bit_rate: int, channels: int = 2) -> bytes:
    """Through a lossy encoder, at the rate that music is sold at; two channels are the same one twice."""
    rate = CODEC_SAMPLE_RATE.get(codec, MUSIC_SAMPLE_RATE)
    numbers = np.tile(_raised(waveform, rate), (channels, 1))
    sample_format = "flt" if codec == "libopus" else "fltp"
    return mux(numbers, container, codec, sample_format, sample_rate=rate, bit_rate=bit_rate)


def resampled(waveform: Waveform) -> bytes:
    """At the rate that music is sold at: what the service's own resampler does to every such song."""
    return _wav(_raised(waveform, MUSIC_SAMPLE_RATE), sample_rate=MUSIC_SAMPLE_RATE)


def quieter(waveform: Waveform, *, decibels: float) -> bytes:
    """Less level, again in 16 bits."""
    return _wav(waveform * 10 ** (-decibels / 20))


def telephone(waveform: Waveform) -> bytes:
    """The band of a telephone, at the telephone's sample rate."""
    low, high = TELEPHONE_HZ
    sections = butter(4, (low, high), btype="bandpass", fs=SAMPLE_RATE, output="sos")
    narrow = sosfiltfilt(sections, waveform).astype(np.float32)
    return _wav(_lowered(narrow), sample_rate=TELEPHONE_SAMPLE_RATE)


def low_rate(waveform: Waveform) -> bytes:
    """Sampled 8,000 times a second: nothing above 4 kHz is left."""
    return _wav(_lowered(waveform), sample_rate=TELEPHONE_SAMPLE_RATE)


def excerpt(waveform: Waveform) -> bytes:
    """The seconds in the middle."""
    samples = EXCERPT_SECONDS * SAMPLE_RATE
    start = (len(waveform) - samples) // 2
    return _wav(waveform[start : start + samples])


def _codec(name: str, what: str, **options: object) -> Distortion:
    return Distortion(name=name, what=what, apply=partial(coded, **options))


MP3 = {"codec": "libmp3lame", "container": "mp3"}
AAC = {"codec": "aac", "container": "ipod"}
OPUS = {"codec": "libopus", "container": "ogg"}

DISTORTIONS = (
    Distortion(name="resampled", what="at 44.1 kHz, not coded", apply=resampled),
    _codec("mp3_128k", "MP3, 128 kbit/s, stereo", **MP3, bit_rate=128_000),
    _codec("mp3_64k", "MP3, 64 kbit/s, stereo", **MP3, bit_rate=64_000),
    _codec("mp3_32k_mono", "MP3, 32 kbit/s, mono", **MP3, bit_rate=32_000, channels=1),
    _codec("aac_128k", "AAC, 128 kbit/s, stereo", **AAC, bit_rate=128_000),
    _codec("aac_32k_mono", "AAC, 32 kbit/s, mono", **AAC, bit_rate=32_000, channels=1),
    _codec("opus_64k", "Opus, 64 kbit/s, stereo", **OPUS, bit_rate=64_000),
    _codec("opus_16k_mono", "Opus, 16 kbit/s, mono", **OPUS, bit_rate=16_000, channels=1),
    Distortion(name="quieter_12_db", what="12 dB quieter", apply=partial(quieter, decibels=12)),
    Distortion(name="low_rate", what="sampled at 8 kHz", apply=low_rate),
    Distortion(name="telephone", what="300 to 3,400 Hz, at 8 kHz", apply=telephone),
    Distortion(name="excerpt", what="5 s from the middle", apply=excerpt, same_moments=False),
)


def _raised(waveform: Waveform, sample_rate: int) -> Waveform:
    """At a higher rate, with every frequency as it was: a filter would thin the highest band once more."""
    raised = resample(waveform, round(len(waveform) * sample_rate / SAMPLE_RATE))
    return (raised * 10 ** (-HEADROOM_DB / 20)).clip(-1, 1).astype(np.float32)


def _lowered(waveform: Waveform) -> Waveform:
    lowered: Waveform = soxr.resample(waveform, SAMPLE_RATE, TELEPHONE_SAMPLE_RATE, quality="HQ")
    return lowered


def _wav(waveform: Waveform, *, sample_rate: int = SAMPLE_RATE) -> bytes:
    return encode(waveform.clip(-1, 1), "wav16", sample_rate=sample_rate)
