"""Levels as a PNG."""

import io
from itertools import pairwise

import av
import numpy as np
import pytest
import torch
from PIL import Image

from worker.png import palette, png

LEVELS = torch.arange(128 * 300, dtype=torch.int64).remainder(251).to(torch.uint8).view(128, 300)


def luminance(colour) -> float:
    """Relative luminance of sRGB, as WCAG defines it."""
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in np.array(colour) / 255
    ]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def test_a_pixel_is_a_level_and_its_colour_that_of_the_palette():
    image = Image.open(io.BytesIO(png(LEVELS)))

    assert (image.format, image.mode, image.size) == ("PNG", "P", (300, 128))
    assert np.array_equal(np.asarray(image), LEVELS.numpy())
    assert image.getpalette() == [part for colour in palette() for part in colour]
    assert np.array_equal(np.asarray(image.convert("RGB")), np.array(palette(), np.uint8)[LEVELS.numpy()])


def test_another_decoder_reads_the_same():
    with av.open(io.BytesIO(png(LEVELS)), format="png_pipe") as file:
        [frame] = file.decode(video=0)

    assert np.array_equal(frame.to_ndarray(format="rgb24"), np.array(palette(), np.uint8)[LEVELS.numpy()])


@pytest.mark.parametrize("shape", [(128, 1), (128, 2_000)])
def test_any_width_will_do(shape):
    assert Image.open(io.BytesIO(png(torch.zeros(shape, dtype=torch.uint8)))).size == (shape[1], 128)


def test_rows_that_lie_otherwise_in_memory_are_drawn_as_they_are():
    image = Image.open(io.BytesIO(png(LEVELS.T.contiguous().T.flip(0))))

    assert np.array_equal(np.asarray(image), LEVELS.numpy()[::-1])


def test_louder_is_always_lighter_for_every_eye():
    light = [luminance(colour) for colour in palette()]

    assert all(later >= earlier for earlier, later in pairwise(light))
    assert all(later > earlier for earlier, later in pairwise(light[::3]))
    assert light[-1] > 0.7
    assert light[0] < 0.03


def test_the_palette_is_viridis():
    from matplotlib import colormaps

    published = colormaps["viridis"](np.arange(256))[:, :3] * 255

    assert np.abs(np.array(palette()) - published).max() < 5
