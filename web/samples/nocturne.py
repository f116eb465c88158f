"""The sample "Nocturne": a piano piece."""

import numpy as np
from instruments import piano, strings
from sound import Waveform, reverberant, swell
from tape import SECONDS, Tape


def nocturne() -> Waveform:
    """Eight slow bars in A minor: broken chords, a melody above, strings beneath."""
    random = np.random.default_rng(2)
    tape = Tape(beats_per_minute=64)
    chords = [(45, 52, 57, 60), (41, 53, 57, 60), (48, 52, 55, 60), (43, 50, 55, 59)]
    chords += [(45, 52, 57, 60), (38, 50, 53, 57), (40, 52, 56, 59), (45, 52, 57, 60)]
    # (beat, note, length in beats)
    melody = [
        (0, 76, 2),
        (2, 74, 1),
        (3, 72, 1),
        (4, 72, 1.5),
        (5.5, 74, 0.5),
        (6, 69, 2),
        (8, 67, 1),
        (9, 72, 1),
    ]
    melody += [(10, 76, 2), (12, 74, 3), (15, 71, 1), (16, 72, 1), (17, 76, 1), (18, 81, 2), (20, 77, 1.5)]
    melody += [
        (21.5, 76, 0.5),
        (22, 74, 2),
        (24, 76, 1),
        (25, 74, 0.5),
        (25.5, 72, 0.5),
        (26, 71, 2),
        (28, 69, 4),
    ]
    for bar, chord in enumerate(chords):
        tape.lay(strings(chord[1:], 4.6 * tape.beat_seconds), beat=4 * bar, gain=0.2)
        last = bar == len(chords) - 1
        for quaver, voice in enumerate((0, 1, 2, 3, 2, 1, 2, 3)[: 4 if last else 8]):
            # A hand is never quite in time.
            beat = 4 * bar + quaver / 2 + random.normal(0, 0.008)
            tape.lay(piano(chord[voice], 2.6, 0.35 + 0.1 * (quaver == 0)), beat=max(beat, 0), gain=0.5)
    for beat, note, beats in melody:
        seconds = beats * tape.beat_seconds + 1.2
        tape.lay(piano(note, seconds, random.uniform(0.55, 0.7)), beat=beat, gain=0.8)
    room = reverberant(tape.waveform, random, seconds=2.6, share=0.3)
    return room * swell(SECONDS, attack=0.01, release=1.5)
