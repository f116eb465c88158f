"""A drum kit made of formulas; each sound is loudest at about 1."""

import numpy as np
from numpy.random import Generator
from sound import Waveform, band_pass, high_pass, loudest_at_one, times


def kick(random: Generator, *, hz: float, decay: float, click: float) -> Waveform:
    """A membrane whose pitch falls to `hz`, and the beater's click on it."""
    time = times(0.4)
    phase = 2 * np.pi * hz * (time + 0.07 * (1 - np.exp(-time / 0.03)))
    beater = band_pass(random.standard_normal(len(time)), 2_000, 6_000) * np.exp(-180 * time)
    return loudest_at_one(np.sin(phase) * np.exp(-decay * time) + click * loudest_at_one(beater))


def snare(random: Generator, *, ring: float) -> Waveform:
    """Two modes of the shell, of which one rings on, and the wires under it."""
    time = times(0.45)
    shell = np.sin(2 * np.pi * 192 * time + 2 * np.exp(-time / 0.01)) * np.exp(-18 * time)
    shell += ring * np.sin(2 * np.pi * 342 * time) * np.exp(-12 * time)
    wires = high_pass(random.standard_normal(len(time)), 1_800) * np.exp(-13 * time)
    stick = high_pass(random.standard_normal(len(time)), 3_000) * np.exp(-150 * time)
    return loudest_at_one(shell + 0.5 * wires + 0.6 * stick)


def clap(random: Generator) -> Waveform:
    """Four pairs of hands that are not quite together, and the room after them."""
    time = times(0.4)
    hands = sum(np.exp(-140 * np.clip(time - at, 0, None)) * (time >= at) for at in (0.0, 0.011, 0.021, 0.03))
    noise = band_pass(random.standard_normal(len(time)), 900, 4_500)
    return loudest_at_one(noise * (hands + 0.35 * np.exp(-11 * time)))


def tom(hz: float) -> Waveform:
    """A drum of that pitch, a little higher where it is struck."""
    time = times(0.5)
    phase = 2 * np.pi * hz * (time + 0.02 * (1 - np.exp(-time / 0.04)))
    return loudest_at_one(np.sin(phase) * np.exp(-7 * time) + 0.4 * np.sin(1.6 * phase) * np.exp(-14 * time))


def cymbal(random: Generator, *, seconds: float, lowest: float = 6_000) -> Waveform:
    """Bronze: a closed hi-hat within 0.08 s, an open one within 0.3, a crash or a wash within 2."""
    time = times(seconds)
    noise = high_pass(random.standard_normal(len(time)), lowest)
    bronze = sum(np.sign(np.sin(2 * np.pi * hz * time)) for hz in (317, 465, 561, 738, 1_047, 1_483))
    return loudest_at_one((noise + 0.25 * high_pass(bronze, lowest)) * np.exp(-5 * time / seconds))
