"""The sample "Medley": from metal over disco to a piano."""

from functools import partial, reduce

import numpy as np
from nightdrive import nightdrive
from nocturne import nocturne
from riff import riff
from sound import SAMPLE_RATE, Waveform, loudest_at_one

CROSSFADE_SECONDS = 4
RETURN_SECONDS = 2  # a bar of Nightdrive: its last chord is the first of its return


def medley() -> Waveform:
    """The three, of which one twice, each fading into the next: genres change over it."""
    metal, disco, piano = (loudest_at_one(song()) for song in (riff, nightdrive, nocturne))
    dance = crossfaded(disco, disco, seconds=RETURN_SECONDS)
    return reduce(partial(crossfaded, seconds=CROSSFADE_SECONDS), (metal, dance, piano))


def crossfaded(first: Waveform, second: Waveform, *, seconds: float) -> Waveform:
    """One into the other, as loud on the way as before and after."""
    length = round(seconds * SAMPLE_RATE)
    angle = np.linspace(0, np.pi / 2, length)
    overlap = first[-length:] * np.cos(angle) + second[:length] * np.sin(angle)
    return np.concatenate([first[:-length], overlap, second[length:]])
