"""A list's part of an evaluation as pictures: what is taken for what, what confidence is worth.

Parsed JSON in, PNG files out as bytes. Each is 800 pixels wide, where many genres need no more, says its
units, and tells its lines apart by form as well as by colour (Okabe and Ito's, which colour-blind people tell
apart).
"""

import io
import math
import unicodedata
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from worker.training.evaluation.page_parts import Json

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DOTS_PER_INCH = 100
WIDTH, HEIGHT = 8.0, 5.6  # inches
MOST_WIDTH, MOST_HEIGHT = 20.0, 17.5  # inches, however many genres there are
FIELD = 0.4  # inches that a genre's field is wide and high while there is room
NAMES_WIDTH, NAMES_HEIGHT = 3.0, 2.0  # inches beside and below the fields, about
NAME_COLUMNS = 18  # a Latin letter takes one, a Chinese character two
LABEL_POINTS = 16  # a slanted name and the gap to the next
LARGEST_FONT, SMALLEST_FONT = 11.0, 5.0  # points, of numbers in fields; smaller ones are left out
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#777777"
PICTURES = ("confusion.png", "reliability.png", "coverage.png")
FEWEST_ANSWERS = 10  # the accuracy of fewer is not drawn: it jumps with every song


def pictures_of(entry: Json, genres: Sequence[str]) -> dict[str, bytes]:
    """File name -> PNG."""
    return {name: picture(name, entry, genres) for name in PICTURES}


def picture(name: str, entry: Json, genres: Sequence[str]) -> bytes:
    """One of PICTURES as PNG."""
    drawn: dict[str, Callable[[], Figure]] = {
        "confusion.png": lambda: confusion_picture(entry, genres),
        "reliability.png": lambda: reliability_picture(entry),
        "coverage.png": lambda: coverage_picture(entry),
    }
    return _png(drawn[name]())


def confusion_picture(entry: Json, genres: Sequence[str]) -> "Figure":
    """The confusion matrix, coloured by share of the true genre, with the number of songs in each field.

    It grows with the genres up to a bound; then only some are named, and the numbers are left to the table.
    """
    width = min(MOST_WIDTH, max(WIDTH, NAMES_WIDTH + FIELD * len(genres)))
    height = min(MOST_HEIGHT, max(6.9, NAMES_HEIGHT + FIELD * len(genres)))
    figure, axes = _figure(width=width, height=height)
    matrix = entry["scores"]["confusion"]
    totals = [max(1, sum(row)) for row in matrix]
    image = axes.imshow(
        [[100 * (songs / total) for songs in row] for row, total in zip(matrix, totals, strict=True)],
        cmap="Blues",
        vmin=0,
        vmax=100,
        aspect="auto",
    )
    room = 72 * min(width - NAMES_WIDTH, height - NAMES_HEIGHT) / len(genres)  # points a field
    digits = len(str(max(map(max, matrix))))
    font = min(LARGEST_FONT, room / (0.75 * digits))
    for row, counts in enumerate(matrix if font >= SMALLEST_FONT else ()):
        for column, songs in enumerate(counts):
            if songs:
                ink = "white" if songs / totals[row] > 0.5 else "black"
                axes.text(column, row, str(songs), ha="center", va="center", color=ink, fontsize=font)
    step = math.ceil(LABEL_POINTS / room)
    named = range(0, len(genres), step)
    called = [_short(genres[each]) for each in named]
    counted = [f"{genre} ({sum(matrix[each])})" for each, genre in zip(named, called, strict=True)]
    # A genre between dollar signs is a name, not a formula.
    axes.set_xticks(named, called, rotation=40, ha="right", rotation_mode="anchor", parse_math=False)
    axes.set_yticks(named, counted, parse_math=False)
    axes.set_xlabel("genre that the model names")
    axes.set_ylabel("genre (songs)" if step == 1 else f"genre (songs); one of {step} is named")
    figure.colorbar(image, ax=axes, fraction=0.046, pad=0.03, label="share of the genre's songs, %")
    return figure


def reliability_picture(entry: Json) -> "Figure":
    """How often answers are right, by how sure the model is: before and after the temperature."""
    figure, axes = _figure()
    after, before = entry["reliability"], entry["before_temperature"]["reliability"]
    sure = _percent([each["confidence"] for each in after])
    low, high = zip(*(_percent(each["accuracy_if_calibrated"]) for each in after), strict=True)
    axes.fill_between(sure, low, high, color=GREY, alpha=0.25, label="95 % of calibrated models")
    axes.plot([0, 100], [0, 100], color=GREY, linestyle=":", label="confidence = accuracy")
    for bins, colour, marker, style, words in (
        (
            before,
            ORANGE,
            "s",
            "--",
            f"before the temperature, ECE {100 * entry['before_temperature']['ece']:.1f} %",
        ),
        (after, BLUE, "o", "-", f"after, ECE {100 * entry['scores']['ece']:.1f} %"),
    ):
        axes.plot(
            _percent([each["confidence"] for each in bins]),
            _percent([each["accuracy"] for each in bins]),
            color=colour,
            marker=marker,
            linestyle=style,
            label=words,
            clip_on=False,
        )
    axes.set_xlabel(f"mean confidence of {len(after)} bins with equally many songs, %")
    axes.set_ylabel("accuracy in the bin, %")
    _scaled(axes, most=100)
    axes.legend(loc="upper left", frameon=False)
    return figure


def coverage_picture(entry: Json) -> "Figure":
    """Coverage and accuracy of the answers over `min_confidence`.

    Both change at the songs' own confidences and nowhere between: steps, up to and with each confidence.
    """
    figure, axes = _figure()
    answers = sorted((max(song["probabilities"]), song["label"] == song["genre"]) for song in entry["songs"])
    total = len(answers)
    # From the most confident down; of equally confident songs all are answered or none.
    steps: dict[float, tuple[int, int]] = {}
    right = 0
    for answered, (confidence, hit) in enumerate(reversed(answers), start=1):
        right += hit
        steps[confidence] = (answered, right)
    sure = sorted(steps)
    coverage = [steps[confidence][0] / total for confidence in sure]
    accuracy = [steps[confidence][1] / steps[confidence][0] for confidence in sure]
    drawn = max(1, sum(answered >= FEWEST_ANSWERS for answered, _ in steps.values()))
    axes.plot(
        [0, *sure, 1],
        _percent([1, *coverage, 0]),
        color=BLUE,
        linestyle="--",
        drawstyle="steps-pre",
        label="coverage: songs that get an answer",
    )
    axes.plot(
        [0, *sure[:drawn]],
        _percent([accuracy[0], *accuracy[:drawn]]),
        color=ORANGE,
        clip_on=False,
        drawstyle="steps-pre",
        label=f"accuracy of the answers (while there are {FEWEST_ANSWERS} or more)",
    )
    axes.set_xlabel("min_confidence (a probability)")
    axes.set_ylabel("share of songs, %")
    _scaled(axes, most=1)
    axes.legend(loc="lower left", frameon=False)
    return figure


def _figure(*, width: float = WIDTH, height: float = HEIGHT) -> "tuple[Figure, Axes]":
    # Not pyplot: it keeps every figure and asks for a screen.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DOTS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def _short(name: str) -> str:
    """A name on one line, with an ellipsis for what is too long."""
    # What a file system calls a folder need not be text that a font can be asked for.
    line = " ".join(name.encode(errors="replace").decode().split())
    if sum(map(_columns, line)) <= NAME_COLUMNS:
        return line
    while sum(map(_columns, line)) >= NAME_COLUMNS:
        line = line[:-1]
    return f"{line.rstrip()}…"


def _columns(letter: str) -> int:
    if unicodedata.combining(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def _scaled(axes: "Axes", *, most: float) -> None:
    axes.set_xlim(0, most)
    axes.set_ylim(0, 100)
    axes.grid(color=GREY, alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def _percent(shares: Sequence[float]) -> list[float]:
    return [100 * share for share in shares]


def _png(figure: "Figure") -> bytes:
    file = io.BytesIO()
    with warnings.catch_warnings():
        # A letter that no font has is drawn as a box; a line on each says no more.
        warnings.filterwarnings("ignore", "Glyph |Matplotlib currently does not support", UserWarning)
        # Without the library's version in it, the same figures give the same file.
        figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()
