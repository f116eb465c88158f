"""Instruments made of formulas: a note in, its waveform out.

Every waveform is float64, mono, at SAMPLE_RATE, and loudest at about 1. What is random takes the song's own
generator, so that a song is the same on every run.
"""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, lfilter, sosfilt

SAMPLE_RATE = 44_100  # Hz
Waveform = NDArray[np.float64]  # (samples,)


def hertz(note: int) -> float:
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


def swell(seconds: float, *, attack: float, release: float) -> Waveform:
    """An envelope: up within `attack` seconds, down within the last `release` seconds."""
    time = times(seconds)
    return np.clip(time / attack, 0, 1) * np.clip((seconds - time) / release, 0, 1)


def saw(hz: float, seconds: float, *, overtones: int = 24) -> Waveform:
    """A sawtooth of as many overtones as fit under 16 kHz, so that nothing folds back."""
    time = times(seconds)
    count = max(1, min(overtones, int(16_000 / hz)))
    return loudest_at_one(sum((np.sin(2 * np.pi * hz * n * time) / n for n in range(1, count + 1)), 0 * time))


def plucked(note: int, seconds: float, random: Generator, *, damping: float = 0.996) -> Waveform:
    """A string after Karplus and Strong (Computer Music Journal 7:2): noise in a comb that dulls it."""
    period = round(SAMPLE_RATE / hertz(note))
    burst = np.zeros(round(seconds * SAMPLE_RATE))
    burst[:period] = low_pass(random.uniform(-1, 1, period), 6_000)
    comb = np.zeros(period + 2)
    comb[0], comb[period], comb[period + 1] = 1, -damping / 2, -damping / 2
    return loudest_at_one(np.asarray(lfilter([1.0], comb, burst)))


def distorted_chord(note: int, seconds: float, random: Generator, *, muted: bool) -> Waveform:
    """Root, fifth and octave through an overdriven amplifier and its cabinet; muted by the palm or open."""
    damping = 0.9 if muted else 0.999
    strings = sum(plucked(note + step, seconds, random, damping=damping) for step in (0, 7, 12))
    driven = np.tanh(14 * high_pass(np.asarray(strings), 90))
    return loudest_at_one(low_pass(driven, 4_200, order=4) * swell(seconds, attack=0.002, release=0.02))


def piano(note: int, seconds: float, loudness: float) -> Waveform:
    """Stretched overtones, each dying sooner than the one below; a harder touch has more of them."""
    time = times(seconds)
    hz = hertz(note)
    out = 0 * time
    for n in range(1, 13):
        partial = hz * n * np.sqrt(1 + 4e-4 * n**2)
        if partial < 12_000:
            decay = 0.5 + 0.35 * n * (hz / 262) ** 0.5
            out += np.sin(2 * np.pi * partial * time) * np.exp(-decay * time) / n ** (2.1 - 0.9 * loudness)
    return loudness * loudest_at_one(out * swell(seconds, attack=0.004, release=0.25))


def strings(notes: tuple[int, ...], seconds: float) -> Waveform:
    """A section of bowed strings: each note by three players who do not quite agree."""
    players = [saw(hertz(note) * (1 + drift), seconds) for note in notes for drift in (-0.0021, 0.0, 0.0017)]
    return loudest_at_one(low_pass(np.sum(players, axis=0), 1_700) * swell(seconds, attack=0.9, release=1.1))


def bass(note: int, seconds: float) -> Waveform:
    """A round electric bass."""
    time = times(seconds)
    tone = low_pass(saw(hertz(note), seconds, overtones=12), 700) + 0.6 * np.sin(
        2 * np.pi * hertz(note) * time
    )
    return loudest_at_one(tone * np.exp(-2.5 * time) * swell(seconds, attack=0.004, release=0.03))


def stab(notes: tuple[int, ...], seconds: float) -> Waveform:
    """A short bright chord of an electric piano played through a filter that closes."""
    chord = np.sum([saw(hertz(note) * drift, seconds) for note in notes for drift in (0.997, 1.003)], axis=0)
    fade = np.exp(-7 * times(seconds))
    return loudest_at_one((fade * chord + (1 - fade) * low_pass(chord, 1_200)) * fade**0.6)


def kick(*, punch: float = 0.3) -> Waveform:
    """A membrane whose pitch falls from 160 to 48 Hz, and the beater's click."""
    time = times(0.4)
    phase = 2 * np.pi * (48 * time + 112 * 0.035 * (1 - np.exp(-time / 0.035)))
    return loudest_at_one(np.sin(phase) * np.exp(-9 * time) + punch * np.exp(-400 * time))


def snare(random: Generator) -> Waveform:
    """A drum of 190 Hz and the wires under it."""
    time = times(0.3)
    wires = high_pass(random.standard_normal(len(time)), 1_500) * np.exp(-16 * time)
    return loudest_at_one(np.sin(2 * np.pi * 190 * time) * np.exp(-22 * time) + 0.6 * wires)


def cymbal(random: Generator, *, seconds: float) -> Waveform:
    """Metal: a closed hi-hat within 0.08 s, an open one within 0.3, a crash within 2."""
    time = times(seconds)
    return loudest_at_one(high_pass(random.standard_normal(len(time)), 6_500) * np.exp(-5 * time / seconds))


def reverberant(waveform: Waveform, random: Generator, *, seconds: float, share: float) -> Waveform:
    """The same in a room whose echoes die within so many seconds; as long as before."""
    time = times(seconds)
    echoes = low_pass(random.standard_normal(len(time)), 5_000) * np.exp(-6 * time / seconds)
    wet = np.asarray(fftconvolve(waveform, echoes))[: len(waveform)]
    return (1 - share) * waveform + share * loudest_at_one(wet) * float(np.abs(waveform).max())
