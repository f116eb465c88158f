"""Songs of hours, made in a second: short ones whose frames are repeated."""

from functools import cache

from support.audio import music_like
from support.muxing import mux, quantised

_RATE = 8_000  # Hz, in mono: the fewest frames there can be to an hour
_SAMPLES = 576  # a frame of MPEG-2.5 layer III
_BITS_PER_SECOND = 16_000
_FRAME_BYTES = _SAMPLES * _BITS_PER_SECOND // 8 // _RATE
_PERIOD_FRAMES = 250  # 18 seconds


def long_mp3(*, hours: float) -> bytes:
    """An MP3 of so many hours, 7.2 MB each, without a header that tells how many."""
    frames = round(hours * 3_600 * _RATE / _SAMPLES)
    period = _period()
    whole, rest = divmod(frames, _PERIOD_FRAMES)
    return period * whole + period[: rest * _FRAME_BYTES]


@cache
def _period() -> bytes:
    """Frames that need no others: without a reservoir of bits each stands alone."""
    song = music_like(seconds=(_PERIOD_FRAMES + 8) * _SAMPLES / _RATE, sample_rate=_RATE)
    file = mux(
        quantised(song[None], "s16"),
        "mp3",
        "libmp3lame",
        "s16p",
        sample_rate=_RATE,
        bit_rate=_BITS_PER_SECOND,
        options={"write_xing": "0", "id3v2_version": "0"},
        codec_options={"reservoir": "0"},
    )
    return file[: _PERIOD_FRAMES * _FRAME_BYTES]
