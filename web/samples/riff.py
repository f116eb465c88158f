"""The sample "Riff": metal."""

import numpy as np
from drums import cymbal, kick, snare, tom
from instruments import amplified, bass, lead_guitar, power_chord
from numpy.random import Generator
from sound import Waveform, loudest_at_one, mixed, reverberant, saturated, swell
from tape import SECONDS, Tape

BEATS_PER_MINUTE = 168
MASTER_DRIVE = 1.3
BARS = 20
GAIN = 20  # of the amplifiers
# As loud as that beside the drums, which are 1
LEVELS = {"guitars": 0.8, "bass": 0.25, "solo": 0.35}
LOW_E = 40
# (sixteenth within the bar, semitones above E, length in sixteenths, muted by the palm)
GALLOP = [(at, 0, 2 if at % 4 == 0 else 1, True) for at in (0, 2, 3, 4, 6, 7, 8, 10, 11)]
VERSE = (
    [*GALLOP, (12, 3, 2, False), (14, 1, 2, False)],
    [*GALLOP, (12, 6, 2, False), (14, 5, 2, False)],
    [*GALLOP, (12, 3, 2, False), (14, 1, 2, False)],
    [(0, 8, 6, False), (6, 7, 6, False), (12, 3, 2, False), (14, 1, 2, False)],
)
CHORUS = (
    [(0, 0, 12, False), (12, 3, 4, False)],
    [(0, 8, 12, False), (12, 7, 4, False)],
    [(0, 5, 12, False), (12, 3, 4, False)],
    [(0, 10, 8, False), (8, 7, 4, False), (12, 1, 4, False)],
)
PARTS = (VERSE, VERSE, CHORUS, VERSE, CHORUS)  # of four bars each
SOLO_BEAT = 64  # where the last part begins
# (beat of the part, note, length in beats)
SOLO = (
    *((0, 76, 1.5), (1.5, 79, 0.5), (2, 78, 1), (3, 76, 1), (4, 84, 3), (7, 83, 0.5), (7.5, 79, 0.5)),
    *((8, 81, 1), (9, 79, 1), (10, 81, 1), (11, 83, 1), (12, 86, 1), (13, 83, 1), (14, 77, 2), (16, 76, 4)),
)
FILL = (180, 180, 140, 140, 110, 110, 85, 85)  # Hz, in sixteenths


def riff() -> Waveform:
    """Twenty bars in E minor and a last chord."""
    random = np.random.default_rng(1)
    # Played twice, as on records: no two takes are the same.
    guitars = sum((amplified(_guitar(random), gain=GAIN) for _ in range(2)), np.zeros(1))
    kit = reverberant(loudest_at_one(_drums(random)), random, seconds=0.5, share=0.1)
    band = mixed(
        (LEVELS["guitars"], guitars),
        (LEVELS["bass"], saturated(_bass(), 2.5)),
        (LEVELS["solo"], amplified(_solo(), gain=GAIN)),
    )
    return saturated(kit + band, MASTER_DRIVE) * swell(SECONDS, attack=0.001, release=0.3)


def _tape() -> Tape:
    return Tape(beats_per_minute=BEATS_PER_MINUTE)


def _guitar(random: Generator) -> Waveform:
    """A gallop under the palm against open chords; a hand is never quite in time."""
    tape = _tape()
    for bar in range(BARS):
        for sixteenth, step, length, muted in PARTS[bar // 4][bar % 4]:
            beat = 4 * bar + sixteenth / 4 + abs(random.normal(0, 0.01))
            seconds = length / 4 * tape.beat_seconds
            tape.lay(power_chord(LOW_E + step, seconds, random, muted=muted), beat=beat)
    tape.lay(power_chord(LOW_E, 1.5, random, muted=False), beat=4 * BARS)
    return tape.waveform


def _bass() -> Waveform:
    """The guitar's notes, an octave below."""
    tape = _tape()
    for bar in range(BARS):
        for sixteenth, step, length, _ in PARTS[bar // 4][bar % 4]:
            sound = bass(LOW_E - 12 + step, length / 4 * tape.beat_seconds, bright=2_000)
            tape.lay(sound, beat=4 * bar + sixteenth / 4)
    tape.lay(bass(LOW_E - 12, 1.5, bright=2_000), beat=4 * BARS)
    return tape.waveform


def _solo() -> Waveform:
    tape = _tape()
    for beat, note, beats in SOLO:
        tape.lay(lead_guitar(note, beats * tape.beat_seconds), beat=SOLO_BEAT + beat)
    return tape.waveform


def _drums(random: Generator) -> Waveform:
    """Two feet that follow the gallop and run through the chorus; toms into every new part."""
    tape = _tape()
    for bar in range(BARS):
        part = PARTS[bar // 4]
        feet = range(16) if part is CHORUS else [note[0] for note in part[bar % 4]]
        for sixteenth in feet:
            tape.lay(kick(random, hz=58, decay=14, click=0.8), beat=4 * bar + sixteenth / 4, gain=0.75)
        for beat in range(4 * bar, 4 * bar + 4):
            if beat % 2:
                tape.lay(snare(random, ring=0.5), beat=beat, gain=0.9)
            ride = cymbal(random, seconds=0.9 if part is CHORUS else 0.12, lowest=4_000)
            tape.lay(ride, beat=beat, gain=0.5)
            tape.lay(cymbal(random, seconds=0.08), beat=beat + 0.5, gain=0.4)
        if bar % 2 == 0:
            tape.lay(cymbal(random, seconds=2.2, lowest=3_000), beat=4 * bar, gain=0.6)
        if bar % 4 == 3:
            for sixteenth, hz in enumerate(FILL):
                tape.lay(tom(hz), beat=4 * bar + 2 + sixteenth / 4, gain=0.7)
    tape.lay(cymbal(random, seconds=2.2, lowest=3_000), beat=4 * BARS, gain=0.6)
    tape.lay(kick(random, hz=58, decay=14, click=0.8), beat=4 * BARS)
    return tape.waveform
