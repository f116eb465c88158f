"""Instruments of pitch: a note in, its waveform out, loudest at about 1."""

import numpy as np
from numpy.random import Generator
from sound import (
    Waveform,
    band_pass,
    hertz,
    high_pass,
    loudest_at_one,
    low_pass,
    picked,
    plucked,
    saturated,
    saw,
    swell,
    times,
    vibrato_saw,
)


def power_chord(note: int, seconds: float, random: Generator, *, muted: bool) -> Waveform:
    """Root, fifth and octave on the strings alone, muted by the palm or ringing; an amplifier comes after."""
    damping = 0.97 if muted else 0.9995
    chord = np.sum([picked(note + step, seconds, random, damping=damping) for step in (0, 7, 12)], axis=0)
    palm = np.exp((-15 if muted else 0) * times(seconds))
    return loudest_at_one(chord * palm * swell(seconds, attack=0.001, release=0.012))


def amplified(strings: Waveform, *, gain: float) -> Waveform:
    """Through two stages of valves, and a cabinet with a loudspeaker that gives up at 5 kHz."""
    driven = np.tanh(gain * high_pass(strings, 110) + 0.2)
    driven = np.tanh(3 * high_pass(driven, 60))
    speaker = low_pass(high_pass(driven, 80), 5_000, order=4)
    return speaker + 0.8 * band_pass(speaker, 1_800, 3_800) - 0.35 * band_pass(speaker, 350, 700)


def lead_guitar(note: int, seconds: float) -> Waveform:
    """A note held long with a shaking finger; an amplifier comes after."""
    return vibrato_saw(note, seconds, depth=0.35, rate=5.8) * swell(seconds, attack=0.004, release=0.02)


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


def strings(
    notes: tuple[int, ...],
    seconds: float,
    *,
    attack: float = 0.9,
    release: float = 1.1,
    bright: float = 1_700,
) -> Waveform:
    """A section of bowed strings: each note by three players who do not quite agree."""
    players = [saw(hertz(note) * (1 + drift), seconds) for note in notes for drift in (-0.0021, 0.0, 0.0017)]
    return loudest_at_one(
        low_pass(np.sum(players, axis=0), bright) * swell(seconds, attack=attack, release=release)
    )


def brass(notes: tuple[int, ...], seconds: float) -> Waveform:
    """Trumpets and trombones: the harder they blow, the brighter they are."""
    horns = np.sum([saw(hertz(note) * drift, seconds) for note in notes for drift in (0.998, 1.003)], axis=0)
    blown = swell(seconds, attack=0.03, release=0.06) * (0.6 + 0.4 * np.exp(-8 * times(seconds)))
    return loudest_at_one(blown**2 * low_pass(horns, 4_500) + blown * (1 - blown) * low_pass(horns, 900))


def bass(note: int, seconds: float, *, bright: float = 700) -> Waveform:
    """An electric bass: round, or with the string's growl."""
    time = times(seconds)
    tone = low_pass(saw(hertz(note), seconds, overtones=40), bright)
    tone += 0.6 * np.sin(2 * np.pi * hertz(note) * time)
    return loudest_at_one(tone * np.exp(-2.5 * time) * swell(seconds, attack=0.004, release=0.03))


def electric_piano(notes: tuple[int, ...], seconds: float) -> Waveform:
    """Tines: a sine whose phase another one shakes, the more the harder it is struck."""
    time = times(seconds)
    fade = np.exp(-2.5 * time)
    tines = [
        np.sin(2 * np.pi * hertz(n) * time + 1.2 * fade * np.sin(2 * np.pi * hertz(n) * time)) for n in notes
    ]
    return loudest_at_one(np.sum(tines, axis=0) * fade * swell(seconds, attack=0.003, release=0.05))


def wah_chop(notes: tuple[int, ...], seconds: float, random: Generator, *, opening: float) -> Waveform:
    """A scratch over a guitar's strings through a pedal that is open from 0 (dull) to 1 (bright)."""
    chord = np.sum([plucked(n, seconds, random, damping=0.985) for n in notes], axis=0)
    centre = 600 * 4**opening
    wah = 0.3 * chord + 2 * band_pass(chord, centre / 1.3, centre * 1.3)
    return loudest_at_one(saturated(wah, 1.5) * swell(seconds, attack=0.001, release=0.015))


def choir(notes: tuple[int, ...], seconds: float) -> Waveform:
    """Voices that sing "ah": sawtooths through what a throat lets pass."""
    out = np.zeros(len(times(seconds)))
    for index, note in enumerate(notes):
        voice = vibrato_saw(note + 0.06 * (index % 3 - 1), seconds, depth=0.3, rate=5.2 + 0.3 * index)
        for low, high, share in ((650, 950, 1.0), (1_050, 1_400, 0.7), (2_500, 3_200, 0.3)):
            out += share * band_pass(voice, low, high)
        out += 0.3 * low_pass(voice, 500)
    return loudest_at_one(out * swell(seconds, attack=0.06, release=0.12))
