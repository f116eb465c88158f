"""Levels -> a PNG with a palette, as bytes.

Pure. What a level means is not its business; it draws no axes and writes no text.
"""

import io
from functools import cache

from torch import Tensor

LEVELS = 256

# Matplotlib's viridis (CC0), fitted by polynomials of degree 6 to 0.02: from dark to bright without a step,
# and in the same order for whoever cannot tell red from green.
_VIRIDIS = (
    (0.2745, 0.1077, -0.3272, -4.5999, 6.2037, 4.7518, -5.4321),
    (0.0058, 1.3965, 0.2148, -5.7582, 14.154, -13.7494, 4.6416),
    (0.3327, 1.3868, 0.092, -19.2918, 56.6563, -65.321, 26.2721),
)


@cache
def palette() -> tuple[tuple[int, int, int], ...]:
    """Red, green and blue of each level."""
    return tuple(_colour(level / (LEVELS - 1)) for level in range(LEVELS))


def png(levels: Tensor) -> bytes:
    """uint8 (rows, columns), on the CPU -> a PNG file, a pixel a level."""
    from PIL import Image

    rows, columns = levels.shape
    image = Image.frombytes("P", (columns, rows), levels.numpy().tobytes())
    image.putpalette([part for colour in palette() for part in colour])
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def _colour(share: float) -> tuple[int, int, int]:
    red, green, blue = (
        round(255 * sum(factor * share**power for power, factor in enumerate(factors)))
        for factors in _VIRIDIS
    )
    return red, green, blue
