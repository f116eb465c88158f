"""What every picture of an evaluation shares: size, title, ink, names that anyone may have given, the file.

It knows no figures: what is drawn is for `pictures.py`.
"""

import io
import unicodedata
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.container import Container
    from matplotlib.figure import Figure

DOTS_PER_INCH = 200
WIDTH, HEIGHT = 8.0, 5.9  # inches
NAME_COLUMNS = 18  # a Latin letter takes one, a Chinese character two
BLUE, ORANGE = "#0072B2", "#D55E00"
LIGHT, GREY, DARK = "#DDDDDD", "#777777", "#333333"
# For names in other scripts than Matplotlib's own font has: what systems commonly install.
OTHER_FONTS = (
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "WenQuanYi Micro Hei", "Microsoft YaHei", "PingFang SC"),
    *("Noto Sans Arabic", "Noto Sans Devanagari", "Lohit Devanagari", "Nirmala UI", "Arial Unicode MS"),
)


def blank(title: str, *, width: float = WIDTH, height: float = HEIGHT) -> "tuple[Figure, Axes]":
    """A figure with this title at its upper left, and the axes to draw in."""
    # Not pyplot: it keeps every figure and asks for a screen.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DOTS_PER_INCH, layout="constrained")
    # A name between dollar signs is a name, not a formula.
    figure.suptitle(title, x=0.01, ha="left", fontsize=11, parse_math=False, family=fonts())
    return figure, figure.add_subplot()


def legend_below(figure: "Figure", marks: "Sequence[Artist | Container]") -> None:
    """The legend of these marks where it covers nothing that is drawn, whatever that is."""
    figure.legend(handles=list(marks), loc="outside lower center", ncols=2, frameon=False, fontsize=9)


def one_line(name: str) -> str:
    """A name on one line, with an ellipsis for what is too long."""
    # What a file system calls a folder need not be text that a font can be asked for.
    line = " ".join(name.encode(errors="replace").decode().split())
    if sum(map(_columns, line)) <= NAME_COLUMNS:
        return line
    while sum(map(_columns, line)) >= NAME_COLUMNS:
        line = line[:-1]
    return f"{line.rstrip()}…"


def fonts() -> list[str]:
    """Matplotlib's font, and after it those of other scripts that are installed: it warns of others."""
    from matplotlib import rcParams
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist}
    return [*rcParams["font.family"], *(name for name in OTHER_FONTS if name in installed)]


def ink_on(red: float, green: float, blue: float) -> str:
    """Black or white, whichever reads better on an sRGB colour (0 ... 1): a contrast of 4.5 at least.

    By WCAG's relative luminance; the worst colour for both, 0.18 of white's light, leaves each 4.58.
    """
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (red, green, blue)
    ]
    light = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "white" if 1.05 / (light + 0.05) > (light + 0.05) / 0.05 else "black"


def percent(shares: Sequence[float]) -> list[float]:
    """Shares in 0 ... 1 as an axis shows them."""
    return [100 * share for share in shares]


def png(figure: "Figure") -> bytes:
    """The figure as a file's bytes, in 256 colours: a third of the size, and no eye sees it."""
    from PIL import Image

    drawn, small = io.BytesIO(), io.BytesIO()
    with warnings.catch_warnings():
        # A letter that no font has is drawn as a box; a line on each says no more.
        warnings.filterwarnings("ignore", "Glyph |Matplotlib currently does not support", UserWarning)
        figure.savefig(drawn, format="png")
    with Image.open(drawn) as image:
        # Fewer colours without dithering: areas stay even. Without the library's version in it, the same
        # figures give the same file.
        few = image.convert("RGB").quantize(method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(small, format="png", optimize=True, dpi=(DOTS_PER_INCH, DOTS_PER_INCH))
    return small.getvalue()


def _columns(letter: str) -> int:
    if unicodedata.combining(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1
