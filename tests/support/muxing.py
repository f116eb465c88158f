"""Samples -> a file of any container and codec that FFmpeg can write.

The tests' own way out; the way in (`worker/ffmpeg.py`) has nothing of it.
"""

import io
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray

LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 6: "5.1", 8: "7.1"}
FULL_SCALE = {"u8": 2**7, "s16": 2**15, "s32": 2**31, "s64": 2**63}
_DTYPES = {
    "u8": np.uint8, "s16": np.int16, "s32": np.int32, "s64": np.int64, "flt": np.float32, "dbl": np.float64,
}  # fmt: skip


def quantised(waveform: NDArray[np.floating], sample_format: str, *, bits: int | None = None) -> NDArray:
    """(channels, samples) in [-1, 1] as the numbers of one of FFmpeg's sample formats.

    bits: how many of an integer's upper bits are used (24 of s32); all where None.
    """
    kind = sample_format.removesuffix("p")
    if kind not in FULL_SCALE:
        return waveform.astype(_DTYPES[kind])
    width = np.dtype(_DTYPES[kind]).itemsize * 8
    steps = 2.0 ** ((bits or width) - 1)
    numbers = np.floor(waveform.astype(np.float64) * (steps - 1)).astype(np.int64) * 2 ** (
        width - (bits or width)
    )
    return (numbers + 128 if kind == "u8" else numbers).astype(_DTYPES[kind])


def mux(
    numbers: NDArray,
    container: str,
    codec: str,
    sample_format: str,
    *,
    sample_rate: int,
    bit_rate: int = 128_000,
    layout: str | None = None,
    options: dict[str, str] | None = None,
    codec_options: dict[str, str] | None = None,
) -> bytes:
    """A file that holds `numbers`, (channels, samples) as `quantised` gives them.

    The options are those of FFmpeg's muxer and encoder. Raises av.FFmpegError or ValueError where the
    container or the codec cannot hold this.
    """
    planar = sample_format.endswith("p")
    layout = layout or LAYOUTS[len(numbers)]
    file = io.BytesIO()
    with av.open(file, "w", format=container, options=options or {}) as output:
        stream = output.add_stream(codec, rate=sample_rate, layout=layout, format=sample_format)
        stream.bit_rate = bit_rate
        stream.codec_context.options = codec_options or {}
        stream.codec_context.open()
        step = stream.codec_context.frame_size or 4_096
        for start in range(0, numbers.shape[1], step):
            piece = numbers[:, start : start + step]
            array = np.ascontiguousarray(piece if planar else piece.T.reshape(1, -1))
            frame = _frame(array, sample_format, layout)
            frame.sample_rate, frame.pts, frame.time_base = sample_rate, start, Fraction(1, sample_rate)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return file.getvalue()


def _frame(array: NDArray, sample_format: str, layout: str) -> av.AudioFrame:
    """As av.AudioFrame.from_ndarray, which takes no 8 planes."""
    planes = len(array) if sample_format.endswith("p") else 1
    samples = array.shape[1] if sample_format.endswith("p") else array.shape[1] // _channels(layout)
    frame = av.AudioFrame(sample_format, layout, samples, align=1)
    for plane, row in zip(frame.planes[:planes], array, strict=True):
        plane.update(row.tobytes())
    return frame


def _channels(layout: str) -> int:
    return av.AudioLayout(layout).nb_channels
