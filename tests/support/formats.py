"""A shape of a file -> how far off its decoding is, in dB.

One signal, a rising tone of its own in each channel, goes into a file and back through `worker.decode`. The
reference is the plain mean of the channels, resampled in one piece. `format_families.py` has the shapes.
"""

import io
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache

import av
import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from support.audio import Waveform, chirp
from support.muxing import FULL_SCALE, mux, quantised
from worker.decode import DecodedAudio, decode

SAMPLE_RATE = 22_050  # Hz, what everything is decoded to
SECONDS = 2.2
EXACT = -math.inf
RATES = (
    8_000,
    11_025,
    12_000,
    16_000,
    22_050,
    24_000,
    32_000,
    44_100,
    48_000,
    88_200,
    96_000,
    176_400,
    192_000,
)
CHANNELS = (1, 2, 3, 4, 6, 8)
_EDGE_SECONDS = 0.1  # at either end, where codecs fade in and out
_MUXER = {"rf64": "wav"}  # where FFmpeg's name is another
_MUXER_OPTIONS = {"rf64": {"rf64": "always"}}
_VORBIS = "vorbis"  # FFmpeg writes it in stereo alone, so libsndfile does


@dataclass(frozen=True, kw_only=True)
class Form:
    """A file's shape. Bits are those of one sample, 0 where a codec has no such thing."""

    container: str
    codec: str
    sample_format: str
    bits: int = 0
    channels: int = 2
    sample_rate: int = 44_100
    layout: str | None = None  # FFmpeg's name, None for the ordinary one

    def __str__(self) -> str:
        depth = f"-{self.bits}bit" if self.bits else ""
        return f"{self.container}-{self.codec}{depth}-{self.channels}ch-{self.sample_rate}Hz"


@dataclass(frozen=True, kw_only=True)
class Family:
    """A container with a codec, what the two can hold, and how well."""

    name: str
    container: str
    depths: tuple[tuple[str, str, int], ...]  # codec, sample format, bits; the first is the ordinary one
    channels: tuple[int, ...] = CHANNELS
    rates: tuple[int, ...] = RATES
    ordinary_rate: int = 44_100
    layouts: dict[int, str] = field(default_factory=dict)
    bound: float = EXACT  # dB from the signal to the largest error that is allowed
    delay: Callable[[int], int] = lambda _: 0  # samples that it comes too late, at a rate; < 0: too early
    cannot: str = "–"  # what it cannot hold

    def forms(self) -> Iterator[Form]:
        """Each channel count at the ordinary rate, each rate in stereo, each depth in mono."""
        codec, sample_format, bits = self.depths[0]
        plain = Form(
            container=self.container,
            codec=codec,
            sample_format=sample_format,
            bits=bits,
            sample_rate=self.ordinary_rate,
        )
        for channels in self.channels:
            yield replace(plain, channels=channels, layout=self.layouts.get(channels))
        for rate in self.rates:
            if rate != self.ordinary_rate:
                yield replace(plain, sample_rate=rate)
        for codec, sample_format, bits in self.depths[1:]:
            yield replace(plain, codec=codec, sample_format=sample_format, bits=bits, channels=1)


def error_decibels(form: Form, family: Family) -> float:
    """From the signal down to what decoding a file of this form is off by; EXACT where every bit is right.

    Raises AssertionError where the file is taken for another shape or length than it has.
    """
    signal = _signal(form.channels, form.sample_rate, form.codec == _VORBIS)
    numbers = quantised(signal, form.sample_format, bits=form.bits or None)
    lossless = family.bound == EXACT
    audio = decode(io.BytesIO(_file(form, numbers)), sample_rate=SAMPLE_RATE, max_seconds=60)
    _check_shape(audio, form, lossless=lossless)
    if not lossless:
        delay = family.delay(form.sample_rate)
        reference = _resampled(_late(signal.mean(axis=0), delay), form.sample_rate)
        return _off_by(audio.waveform, reference, after_seconds=max(0, delay) / form.sample_rate)
    reference = _resampled(_as_float(numbers, form.sample_format).mean(axis=0), form.sample_rate)
    return EXACT if np.array_equal(audio.waveform, reference) else _off_by(audio.waveform, reference)


def _check_shape(audio: DecodedAudio, form: Form, *, lossless: bool) -> None:
    opus = form.codec == "libopus"  # always decoded at 48 kHz, whatever went in
    assert audio.channels == form.channels
    assert audio.source_sample_rate == (48_000 if opus else form.sample_rate)
    assert not audio.truncated
    samples = round(SECONDS * form.sample_rate)
    allowed = 0 if lossless else 0.25  # seconds: frames of 1,024 samples last long at 8 kHz
    assert abs(audio.duration_seconds - samples / form.sample_rate) <= allowed + 1e-9


@cache
def _signal(channels: int, sample_rate: int, vorbis: bool) -> Waveform:
    """(channels, samples). The sub-bass channel of 5.1 and 7.1 gets what it can carry."""
    sub_bass = {6: 5 if vorbis else 3, 8: 7 if vorbis else 3}.get(channels)
    bands = [(30, 90) if n == sub_bass else (200 * n + 200, 200 * n + 1_200) for n in range(channels)]
    return np.stack([chirp(*band, seconds=SECONDS, sample_rate=sample_rate) for band in bands])


def _file(form: Form, numbers: NDArray) -> bytes:
    if form.codec == _VORBIS:
        ogg = _by_soundfile(numbers, form, "OGG", "VORBIS")
        return ogg if form.container == "ogg" else _remuxed(ogg, form.container)
    if form.codec == "flac" and form.bits == 8:  # FFmpeg's encoder has no such depth
        return _by_soundfile((numbers.astype(np.int32) - 128) / 128, form, "FLAC", "PCM_S8")
    return mux(
        numbers,
        _MUXER.get(form.container, form.container),
        form.codec,
        form.sample_format,
        sample_rate=form.sample_rate,
        bit_rate=_bit_rate(form),
        layout=form.layout,
        options=_MUXER_OPTIONS.get(form.container),
        codec_options=_codec_options(form),
    )


def _by_soundfile(samples: NDArray, form: Form, container: str, codec: str) -> bytes:
    file = io.BytesIO()
    level = 0.0 if codec == "VORBIS" else None  # the best
    soundfile.write(
        file, samples.T, form.sample_rate, format=container, subtype=codec, compression_level=level
    )
    return file.getvalue()


def _remuxed(ogg: bytes, container: str) -> bytes:
    file = io.BytesIO()
    with av.open(io.BytesIO(ogg)) as source, av.open(file, "w", format=container) as target:
        stream = target.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    return file.getvalue()


def _bit_rate(form: Form) -> int:
    """Bits a second with which the encoder, which is not what is measured, does its best."""
    most = {
        "aac": min(160_000, 4 * form.sample_rate) * form.channels,
        "libopus": 256_000 * form.channels,
        "libmp3lame": 320_000
        if form.sample_rate >= 32_000
        else 160_000
        if form.sample_rate >= 16_000
        else 64_000,
        "mp2": 384_000 if form.sample_rate >= 32_000 else 160_000,
        "ac3": 640_000,
    }
    return most.get(form.codec, 128_000)


def _codec_options(form: Form) -> dict[str, str]:
    if form.codec == "aac":  # these put noise of the same loudness where the ear would not tell
        return {"aac_pns": "0", "aac_is": "0", "aac_ms": "0"}
    if form.codec == "flac" and form.bits == 32:
        return {"bits_per_raw_sample": "32", "strict": "experimental"}
    return {}


def _as_float(numbers: NDArray, sample_format: str) -> Waveform:
    kind = sample_format.removesuffix("p")
    samples = numbers.astype(np.float32)
    if kind == "u8":
        samples = samples - np.float32(128)
    return samples / np.float32(FULL_SCALE.get(kind, 1))


def _late(mono: Waveform, delay: int) -> Waveform:
    return np.concatenate([np.zeros(max(delay, 0), np.float32), mono[max(-delay, 0) :]])


def _resampled(mono: Waveform, sample_rate: int) -> Waveform:
    return mono if sample_rate == SAMPLE_RATE else soxr.resample(mono, sample_rate, SAMPLE_RATE, quality="HQ")


def _off_by(waveform: Waveform, reference: Waveform, *, after_seconds: float = 0) -> float:
    begin = round((after_seconds + _EDGE_SECONDS) * SAMPLE_RATE)
    end = min(len(waveform), len(reference)) - round(_EDGE_SECONDS * SAMPLE_RATE)
    there = reference[begin:end].astype(np.float64)
    error = waveform[begin:end] - there
    return 10 * math.log10((error**2).sum() / (there**2).sum() + 1e-40)
