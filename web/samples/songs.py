"""Three original compositions, half a minute each, as notes for the instruments.

They know nothing of files: a song is a function without arguments that gives a waveform.
"""

import numpy as np
from instruments import (
    SAMPLE_RATE,
    Waveform,
    bass,
    cymbal,
    distorted_chord,
    kick,
    piano,
    reverberant,
    snare,
    stab,
    strings,
    swell,
)

SECONDS = 30


class Tape:
    """Where the notes of a song are laid down, in beats."""

    def __init__(self, *, beats_per_minute: float) -> None:
        self.beat_seconds = 60 / beats_per_minute
        self.waveform: Waveform = np.zeros(SECONDS * SAMPLE_RATE)

    def lay(self, sound: Waveform, *, beat: float, gain: float = 1.0) -> None:
        """Mix a sound in; what hangs over the end is cut."""
        start = round(beat * self.beat_seconds * SAMPLE_RATE)
        room = self.waveform[start : start + len(sound)]
        room += gain * sound[: len(room)]


def riff() -> Waveform:
    """Sixteen bars in E minor: palm-muted quavers against open chords, with a drummer who means it."""
    random = np.random.default_rng(1)
    guitar, drums = Tape(beats_per_minute=128), Tape(beats_per_minute=128)
    # (quaver within two bars, semitones above E2, length in quavers, muted)
    verse = [(q, 0, 1, True) for q in (0, 1, 2, 4, 5, 8, 9, 10, 12)]
    verse += [
        (3, 3, 1, False),
        (6, 5, 1, False),
        (7, 6, 1, False),
        (11, 3, 1, False),
        (13, 5, 2, False),
        (15, 1, 1, False),
    ]
    chorus = [
        (0, 0, 3, False),
        (3, 8, 3, False),
        (6, 10, 2, False),
        (8, 3, 3, False),
        (11, 10, 3, False),
        (14, 7, 2, False),
    ]
    low_e = 40
    for pair in range(8):
        part = chorus if pair in (3, 6, 7) else verse
        for quaver, step, length, muted in part:
            beat = 8 * pair + quaver / 2
            seconds = length / 2 * guitar.beat_seconds
            for _ in range(2):  # played twice, as on records: no two takes are the same
                guitar.lay(distorted_chord(low_e + step, seconds, random, muted=muted), beat=beat, gain=0.4)
            guitar.lay(bass(low_e - 12 + step, seconds), beat=beat, gain=0.6)
        drums.lay(cymbal(random, seconds=2.0), beat=8 * pair, gain=0.5)
    for quaver in range(128):
        drums.lay(cymbal(random, seconds=0.08), beat=quaver / 2, gain=0.22 if quaver % 2 else 0.32)
        if quaver % 16 in (0, 3, 4, 8, 10, 11):
            drums.lay(kick(punch=0.8), beat=quaver / 2)
        if quaver % 4 == 2 or quaver % 64 in (61, 63):
            drums.lay(snare(random), beat=quaver / 2, gain=0.8)
    return reverberant(0.7 * guitar.waveform + drums.waveform, random, seconds=0.6, share=0.06)


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


def nightdrive() -> Waveform:
    """Fourteen bars of disco in F minor: a drum on each beat, octaves in the bass, chords off the beat."""
    random = np.random.default_rng(3)
    drums, band, pad = (Tape(beats_per_minute=120) for _ in range(3))
    chords = [(53, 60, 63, 68), (49, 56, 60, 65), (51, 58, 61, 67), (48, 58, 64, 67)]
    hook = [
        (0, 80),
        (0.75, 79),
        (1.5, 77),
        (2.5, 75),
        (3, 77),
        (4, 72),
        (4.75, 75),
        (5.5, 77),
        (6.5, 79),
        (7, 75),
    ]
    for bar in range(14):
        chord = chords[bar % 4]
        for beat in range(4):
            at = 4 * bar + beat
            drums.lay(kick(), beat=at, gain=0.8)
            drums.lay(cymbal(random, seconds=0.3), beat=at + 0.5, gain=0.5)
            if beat % 2:
                drums.lay(snare(random), beat=at, gain=0.7)
            for quarter in (0, 0.25, 0.5, 0.75):
                drums.lay(cymbal(random, seconds=0.06), beat=at + quarter, gain=0.2)
            if bar >= 2:
                band.lay(bass(chord[0] - 24, 0.22), beat=at, gain=0.55)
                band.lay(bass(chord[0] - 12, 0.2), beat=at + 0.5, gain=0.55)
            if bar >= 4:
                band.lay(stab(chord[1:], 0.25), beat=at + 0.5, gain=0.45)
        pad.lay(strings(chord, 2.2), beat=4 * bar, gain=0.4)
        if bar >= 6 and bar % 2 == 0:
            for offset, note in hook:
                band.lay(stab((note,), 0.4), beat=4 * bar + offset, gain=0.45)
    drums.lay(kick(), beat=56)
    band.lay(stab(chords[0], 1.8), beat=56, gain=0.5)
    pad.lay(strings(chords[0], 2.0), beat=56, gain=0.3)
    # The pad ducks under every drum: the breathing of dance music.
    since_beat = (np.arange(len(pad.waveform)) / SAMPLE_RATE / pad.beat_seconds) % 1
    music = band.waveform + pad.waveform * (0.35 + 0.65 * np.clip(since_beat * 1.6, 0, 1))
    return drums.waveform + reverberant(music, random, seconds=1.2, share=0.18)
