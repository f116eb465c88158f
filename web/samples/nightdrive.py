"""The sample "Nightdrive": disco."""

import numpy as np
from drums import clap, cymbal, kick, snare
from instruments import bass, brass, choir, electric_piano, strings, wah_chop
from numpy.random import Generator
from sound import Waveform, loudest_at_one, mixed, reverberant, saturated, swell
from tape import SECONDS, Tape

BEATS_PER_MINUTE = 120
MASTER_DRIVE = 1.5
BARS = 14
# As loud as that beside the drums, which are 1
LEVELS = {
    "bass": 0.35,
    "guitar": 0.35,
    "keys": 0.3,
    "strings": 0.35,
    "horns": 0.4,
    "voices": 0.35,
}
# F minor, D flat with a major seventh, E flat, C with a seventh: the lowest note first
CHORDS = ((53, 60, 63, 68), (49, 56, 60, 65), (51, 58, 63, 67), (48, 58, 64, 67))
ROOTS = (29, 25, 27, 28)  # for the bass: of the last chord the third, which leads back to the first
# (sixteenth within the bar, semitones above the root)
BASS_LINE = (
    *((0, 0), (2, 12), (3, 0), (4, 0), (6, 12), (8, 0)),
    *((10, 12), (11, 7), (12, 0), (14, 12), (15, 7)),
)
CHOPS = (0, 3, 4, 6, 7, 10, 11, 12, 14, 15)  # sixteenths within the bar
RUN_UP = (64, 65, 67, 68, 70, 72, 73, 76)  # from C with a seventh to F minor
# (beat within two bars, note, length in beats)
CALL = ((0, 80, 0.75), (0.75, 79, 0.75), (1.5, 77, 1), (2.5, 75, 0.5), (3, 77, 1))
ANSWERS = (
    ((4, 72, 0.75), (4.75, 75, 0.75), (5.5, 77, 1), (6.5, 79, 0.5), (7, 77, 1)),
    ((4, 72, 0.75), (4.75, 76, 0.75), (5.5, 79, 1), (6.5, 76, 0.5), (7, 72, 1)),
)


def nightdrive() -> Waveform:
    """Fourteen bars and a last chord."""
    random = np.random.default_rng(3)
    kit = reverberant(loudest_at_one(_drums(random)), random, seconds=0.5, share=0.06)
    band = mixed(
        (LEVELS["guitar"], _guitar(random)),
        (LEVELS["keys"], _keys()),
        (LEVELS["strings"], _strings()),
        (LEVELS["horns"], _horns()),
        (LEVELS["voices"], _voices()),
    )
    room = reverberant(band, random, seconds=1.2, share=0.15)
    mix = kit + LEVELS["bass"] * saturated(_bass(), 1.5) + room
    return saturated(mix, MASTER_DRIVE) * swell(SECONDS, attack=0.001, release=0.3)


def _tape() -> Tape:
    return Tape(beats_per_minute=BEATS_PER_MINUTE)


def _drums(random: Generator) -> Waveform:
    """A kick on each beat, clap and snare on each other, the hi-hat open between them."""
    tape = _tape()
    for beat in range(4 * BARS):
        tape.lay(kick(random, hz=52, decay=10, click=0.5), beat=beat, gain=0.9)
        tape.lay(cymbal(random, seconds=0.32), beat=beat + 0.5, gain=0.65)
        for sixteenth in (0, 0.25, 0.75):
            tape.lay(cymbal(random, seconds=0.06), beat=beat + sixteenth, gain=0.22)
        if beat % 2:
            tape.lay(snare(random, ring=0.3), beat=beat, gain=0.5)
            tape.lay(clap(random), beat=beat, gain=0.8)
        if beat % 16 == 0:
            tape.lay(cymbal(random, seconds=2.0, lowest=4_000), beat=beat, gain=0.35)
    tape.lay(kick(random, hz=52, decay=10, click=0.5), beat=4 * BARS, gain=0.9)
    tape.lay(cymbal(random, seconds=2.0, lowest=4_000), beat=4 * BARS, gain=0.5)
    return tape.waveform


def _bass() -> Waveform:
    """Octaves, some of them before the beat."""
    tape = _tape()
    for bar in range(BARS):
        for sixteenth, step in BASS_LINE:
            note = ROOTS[bar % 4] + step
            tape.lay(bass(note, 0.2, bright=1_400), beat=4 * bar + sixteenth / 4)
    tape.lay(bass(ROOTS[0], 1.8, bright=1_400), beat=4 * BARS)
    return tape.waveform


def _guitar(random: Generator) -> Waveform:
    """Chops in sixteenths; the foot opens and shuts the pedal once every two beats."""
    tape = _tape()
    for bar in range(BARS):
        for sixteenth in CHOPS:
            opening = 0.5 - 0.5 * np.cos(2 * np.pi * sixteenth / 8)
            beat = 4 * bar + sixteenth / 4 + abs(random.normal(0, 0.006))
            tape.lay(wah_chop(CHORDS[bar % 4][1:], 0.1, random, opening=opening), beat=beat)
    return tape.waveform


def _keys() -> Waveform:
    tape = _tape()
    for bar in range(BARS):
        for beat in (0, 1.5, 2.5):
            tape.lay(electric_piano(CHORDS[bar % 4], 0.5), beat=4 * bar + beat)
    tape.lay(electric_piano(CHORDS[0], 1.9), beat=4 * BARS)
    return tape.waveform


def _strings() -> Waveform:
    """High chords, and a run up into each return of the first."""
    tape = _tape()
    for bar in range(BARS):
        high = tuple(note + 12 for note in CHORDS[bar % 4][1:])
        tape.lay(strings(high, 1.9, attack=0.08, release=0.15, bright=5_000), beat=4 * bar, gain=0.8)
        if bar % 4 == 3:
            for sixteenth, note in enumerate(RUN_UP):
                bow = strings((note + 12,), 0.16, attack=0.02, release=0.04, bright=6_000)
                tape.lay(bow, beat=4 * bar + 2 + sixteenth / 4, gain=0.5)
    high = tuple(note + 12 for note in CHORDS[0][1:])
    tape.lay(strings(high, 1.9, attack=0.08, release=0.8, bright=5_000), beat=4 * BARS, gain=0.8)
    return tape.waveform


def _horns() -> Waveform:
    """Three blows at the end of every other bar."""
    tape = _tape()
    for bar in range(1, BARS, 2):
        for beat in (2.5, 3.0, 3.5):
            tape.lay(brass(CHORDS[bar % 4][1:], 0.18), beat=4 * bar + beat)
    tape.lay(brass(CHORDS[0][1:], 0.5), beat=4 * BARS)
    return tape.waveform


def _voices() -> Waveform:
    """From the fifth bar on, men and women an octave apart."""
    tape = _tape()
    for pair in range(2, BARS // 2):
        for beat, note, beats in (*CALL, *ANSWERS[pair % 2]):
            seconds = beats * tape.beat_seconds
            tape.lay(choir((note - 12, note), seconds), beat=8 * pair + beat)
    return tape.waveform
