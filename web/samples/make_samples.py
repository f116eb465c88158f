"""Writes the songs that the page offers to those who have none at hand.

Computed from notes, and so free of anyone else's rights. Run it from the root
(`python web/samples/make_samples.py`) after a change. What it writes is committed: an MP3 encoder of another
version writes other bytes.
"""

import io
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from medley import medley
from nightdrive import nightdrive
from nocturne import nocturne
from riff import riff
from sound import SAMPLE_RATE, Waveform, loudest_at_one

FOLDER = Path(__file__).parents[2] / "api" / "static" / "samples"
BITS_PER_SECOND = 48_000
PEAK = 0.89  # -1 dBFS: room for what the encoder adds

SONGS: dict[str, tuple[str, Callable[[], Waveform]]] = {
    "riff": ("Riff in E minor", riff),
    "nocturne": ("Nocturne in A minor", nocturne),
    "nightdrive": ("Nightdrive", nightdrive),
    "medley": ("Medley", medley),
}


def mp3(waveform: Waveform, *, title: str) -> bytes:
    """The waveform as a mono MP3 with its title."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp3") as container:
        container.metadata.update({"title": title, "artist": "GenreWiz", "copyright": "MIT"})
        stream = container.add_stream("libmp3lame", rate=SAMPLE_RATE, layout="mono", format="fltp")
        stream.bit_rate = BITS_PER_SECOND
        samples = (PEAK * loudest_at_one(waveform)).astype(np.float32)
        for start in range(0, len(samples), 1_152):
            piece = samples[np.newaxis, start : start + 1_152]
            frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, start, Fraction(1, SAMPLE_RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, (title, compose) in SONGS.items():
        (FOLDER / f"{name}.mp3").write_bytes(mp3(compose(), title=title))
