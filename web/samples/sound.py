"""What all instruments are made of: oscillators, envelopes, filters, rooms.

Every waveform is float64, mono, at SAMPLE_RATE. What is random takes the song's own generator, so that a song
is the same on every run.
"""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, lfilter, sosfilt

SAMPLE_RATE = 44_100  # Hz
Waveform = NDArray[np.float64]  # (samples,)


def hertz(note: float) -> float:
    """The frequency of a MIDI note: 69 is A4, 440 Hz."""
    return float(440.0 * 2 ** ((note - 69) / 12))


def times(seconds: float) -> Waveform:
    """When each sample of so many seconds is."""
    return np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE


def loudest_at_one(waveform: Waveform) -> Waveform:
    """The same, scaled."""
    return waveform / max(float(np.abs(waveform).max()), 1e-9)


def low_pass(waveform: Waveform, hz: float, order: int = 2) -> Waveform:
    """Butterworth: what lies above `hz` fades."""
    return np.asarray(sosfilt(butter(order, hz, "low", fs=SAMPLE_RATE, output="sos"), waveform))


def high_pass(waveform: Waveform, hz: float, order: int = 2) -> Waveform:
    """Butterworth: what lies below `hz` fades."""
    return np.asarray(sosfilt(butter(order, hz, "high", fs=SAMPLE_RATE, output="sos"), waveform))


def band_pass(waveform: Waveform, low: float, high: float) -> Waveform:
    """Butterworth: what lies beside the band fades."""
    return np.asarray(sosfilt(butter(2, (low, high), "band", fs=SAMPLE_RATE, output="sos"), waveform))


def swell(seconds: float, *, attack: float, release: float) -> Waveform:
    """An envelope: up within `attack` seconds, down within the last `release` seconds."""
    time = times(seconds)
    return np.clip(time / attack, 0, 1) * np.clip((seconds - time) / release, 0, 1)


def saw(hz: float, seconds: float, *, overtones: int = 24) -> Waveform:
    """A sawtooth of as many overtones as fit under 16 kHz, so that nothing folds back."""
    time = times(seconds)
    count = max(1, min(overtones, int(16_000 / hz)))
    return loudest_at_one(sum((np.sin(2 * np.pi * hz * n * time) / n for n in range(1, count + 1)), 0 * time))


def vibrato_saw(note: float, seconds: float, *, depth: float, rate: float) -> Waveform:
    """A sawtooth whose pitch sways by `depth` semitones, once it has stood a moment."""
    time = times(seconds)
    sway = depth * np.clip(time / 0.25 - 0.5, 0, 1) * np.sin(2 * np.pi * rate * time)
    phase = 2 * np.pi * np.cumsum(hertz(note) * 2 ** (sway / 12)) / SAMPLE_RATE
    count = max(1, min(40, int(14_000 / hertz(note))))
    return loudest_at_one(sum((np.sin(n * phase) / n for n in range(1, count + 1)), 0 * time))


def plucked(note: int, seconds: float, random: Generator, *, damping: float) -> Waveform:
    """A string that is struck anywhere: noise at first, dulled on its way to and fro."""
    period = round(SAMPLE_RATE / hertz(note))
    return _string(low_pass(random.uniform(-1, 1, period), 9_000), seconds, damping=damping)


def picked(note: int, seconds: float, random: Generator, *, damping: float) -> Waveform:
    """A string that a plectrum pulls into a corner near the bridge, scratching it."""
    period = round(SAMPLE_RATE / hertz(note))
    place, corner = np.arange(period) / period, 0.12
    pulled = np.minimum(place / corner, (1 - place) / (1 - corner)) - 0.5
    scratch = low_pass(random.uniform(-1, 1, period), 3_000)
    return _string(pulled + 0.8 * scratch, seconds, damping=damping)


def _string(shape: Waveform, seconds: float, *, damping: float) -> Waveform:
    """What sounds of a string of that first shape, after Karplus and Strong (Computer Music Journal 7:2)."""
    pulse = np.zeros(max(round(seconds * SAMPLE_RATE), len(shape)))
    pulse[: len(shape)] = shape
    comb = np.zeros(len(shape) + 2)
    comb[0], comb[-2], comb[-1] = 1, -damping / 2, -damping / 2
    return loudest_at_one(np.asarray(lfilter([1.0], comb, pulse)))[: round(seconds * SAMPLE_RATE)]


def mixed(*parts: tuple[float, Waveform]) -> Waveform:
    """All of them at once, each as loud as its number says."""
    return np.asarray(sum(level * loudest_at_one(part) for level, part in parts))


def saturated(waveform: Waveform, drive: float) -> Waveform:
    """As by tape or valves: the loud gives way, and so the quiet comes up."""
    return np.tanh(drive * loudest_at_one(waveform)) / np.tanh(drive)


def reverberant(waveform: Waveform, random: Generator, *, seconds: float, share: float) -> Waveform:
    """The same in a room whose echoes die within so many seconds; as long as before."""
    time = times(seconds)
    echoes = low_pass(random.standard_normal(len(time)), 5_000) * np.exp(-6 * time / seconds)
    wet = np.asarray(fftconvolve(waveform, echoes))[: len(waveform)]
    return (1 - share) * waveform + share * loudest_at_one(wet) * float(np.abs(waveform).max())
