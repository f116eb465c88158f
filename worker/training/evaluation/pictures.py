"""A list's part of an evaluation as pictures: what is taken for what, what confidence is worth.

Parsed JSON in, PNG files out as bytes: it computes no score. Each says whose songs and which checkpoint it
shows, with units, and tells its marks apart by form as well as by colour (Okabe and Ito's, which colour-blind
people tell apart). Each is 1600 pixels wide, where many genres need no more.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from worker.training.evaluation.abstention import FEWEST_ANSWERS
from worker.training.evaluation.drawing import (
    BLUE,
    DARK,
    GREY,
    LIGHT,
    ORANGE,
    WIDTH,
    blank,
    fonts,
    ink_on,
    legend_below,
    one_line,
    percent,
    png,
)
from worker.training.evaluation.intervals import of_share
from worker.training.evaluation.page_parts import Json, list_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

MOST_WIDTH, MOST_HEIGHT = 20.0, 17.5  # inches, however many genres there are
FIELD = 0.4  # inches that a genre's field is wide and high while there is room
NAMES_WIDTH, NAMES_HEIGHT = 3.0, 2.4  # inches beside the fields, and above and below them, about
LABEL_POINTS = 16  # a slanted name and the gap to the next
LARGEST_FONT, SMALLEST_FONT = 11.0, 5.0  # points, of numbers in fields; smaller ones are left out
SHORT_HASH = 8  # digits
BEFORE = 0.25  # of a bin, by which what was before the temperature stands beside what is after
PICTURES = ("confusion.png", "reliability.png", "coverage.png")


@dataclass(frozen=True, kw_only=True)
class Pictured:
    """A list's part of an evaluation, and what the whole says of it."""

    entry: Json
    genres: Sequence[str]
    title: str  # whose songs, how many, and the checkpoint
    recommended: float | None = None  # min_confidence, read off the validation list


def pictured(evaluation: Json, name: str) -> Pictured:
    """What pictures of this list of an evaluation show."""
    entry, checkpoint = evaluation["lists"][name], evaluation["checkpoint"]
    count = entry["scores"]["songs"]
    songs = f"{list_name(name).capitalize()}: {count} {'song' if count == 1 else 'songs'}"
    model = f"{one_line(checkpoint['name'])} {one_line(checkpoint['version'])}"
    recommended = evaluation.get("recommended")
    return Pictured(
        entry=entry,
        genres=evaluation["genres"],
        title=f"{songs}\n{model}, {checkpoint['sha256'][:SHORT_HASH]}",
        recommended=recommended["valid"]["min_confidence"] if recommended else None,
    )


def pictures_of(shown: Pictured) -> dict[str, bytes]:
    """File name -> PNG."""
    return {name: picture(name, shown) for name in PICTURES}


def picture(name: str, shown: Pictured) -> bytes:
    """One of PICTURES as PNG."""
    drawn: dict[str, Callable[[Pictured], Figure]] = {
        "confusion.png": confusion_picture,
        "reliability.png": reliability_picture,
        "coverage.png": coverage_picture,
    }
    return png(drawn[name](shown))


def confusion_picture(shown: Pictured) -> "Figure":
    """The confusion matrix, coloured by share of the true genre, with the number of songs in each field.

    It grows with the genres up to a bound; then only some are named, and the numbers are left to the table.
    """
    genres, matrix = shown.genres, shown.entry["scores"]["confusion"]
    width = min(MOST_WIDTH, max(WIDTH, NAMES_WIDTH + FIELD * len(genres)))
    height = min(MOST_HEIGHT, max(7.2, NAMES_HEIGHT + FIELD * len(genres)))
    figure, axes = blank(shown.title, width=width, height=height)
    totals = [max(1, sum(row)) for row in matrix]
    image = axes.imshow(
        [percent([songs / total for songs in row]) for row, total in zip(matrix, totals, strict=True)],
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
                ink = ink_on(*image.cmap(image.norm(100 * songs / totals[row]))[:3])
                axes.text(column, row, str(songs), ha="center", va="center", color=ink, fontsize=font)
    step = math.ceil(LABEL_POINTS / room)
    named = range(0, len(genres), step)
    called = [one_line(genres[each]) for each in named]
    counted = [f"{genre} ({sum(matrix[each])})" for each, genre in zip(named, called, strict=True)]
    # A genre between dollar signs is a name, not a formula.
    axes.set_xticks(
        named, called, rotation=40, ha="right", rotation_mode="anchor", parse_math=False, family=fonts()
    )
    axes.set_yticks(named, counted, parse_math=False, family=fonts())
    axes.set_xlabel("genre that the model names")
    axes.set_ylabel("genre (songs)" if step == 1 else f"genre (songs); one of {step} is named")
    figure.colorbar(
        image, ax=axes, fraction=0.046, pad=0.03, aspect=30, label="share of the genre's songs, %"
    )
    return figure


def reliability_picture(shown: Pictured) -> "Figure":
    """How often answers are right, by how sure the model is: before and after the temperature.

    A column for each bin, not a place on a scale of confidence: most bins would share its upper end. The
    ECE is the mean of the lines from what the model claims to what came out.
    """
    figure, axes = blank(shown.title)
    after, uncalibrated = shown.entry["reliability"], shown.entry["before_temperature"]
    columns = list(range(len(after)))
    low, high = zip(*(percent(each["accuracy_if_calibrated"]) for each in after), strict=True)
    band = axes.bar(
        columns,
        [top - bottom for bottom, top in zip(low, high, strict=True)],
        bottom=low,
        width=0.8,
        color=LIGHT,
        edgecolor=GREY,  # where both ends are the same, the edge is seen
        linewidth=0.5,
        label="where a calibrated model's bin lies, 95 %",
    )
    claimed = percent([each["confidence"] for each in after])
    target = axes.hlines(
        claimed,
        [column - 0.4 for column in columns],
        [column + 0.4 for column in columns],
        color=DARK,
        linewidth=1.5,
        label="mean confidence: what the accuracy should be",
    )
    before_marks = _gaps(
        axes,
        [column + BEFORE for column in columns],
        uncalibrated["reliability"],
        line_width=0.8,
        color=ORANGE,
        marker="s",
        markersize=4,
        markerfacecolor="white",
        label=f"accuracy before it; mean line (ECE) {100 * uncalibrated['ece']:.1f} %",
    )
    after_marks = _gaps(
        axes,
        columns,
        after,
        line_width=1.5,
        color=BLUE,
        marker="o",
        markersize=8,
        label=f"accuracy after the temperature; mean line (ECE) {100 * shown.entry['scores']['ece']:.1f} %",
    )
    axes.set_xticks(columns, [f"{each:.0f}" for each in claimed])
    sizes = " or ".join(str(size) for size in sorted({each["songs"] for each in after}))
    axes.set_xlabel(f"mean confidence in each bin of {sizes} songs, the least sure first, %")
    axes.set_ylabel("accuracy in the bin, %")
    axes.set_xlim(-0.6, len(columns) - 0.4)
    _scaled(axes)
    axes.grid(visible=False, axis="x")
    legend_below(figure, [after_marks, before_marks, target, band])
    return figure


def coverage_picture(shown: Pictured) -> "Figure":
    """Coverage and accuracy of the answers over `min_confidence`.

    Both change at the songs' own confidences and nowhere between: steps, up to and with each confidence.
    """
    figure, axes = blank(shown.title)
    steps = _answered(shown.entry["songs"])
    total = len(shown.entry["songs"])
    sure = sorted(steps)
    (coverage,) = axes.plot(
        [0, *sure, 1],
        percent([1, *(steps[each][0] / total for each in sure), 0]),
        color=BLUE,
        linestyle="--",
        drawstyle="steps-pre",
        label="coverage: songs that get an answer",
    )
    judged = [each for each in sure if steps[each][0] >= FEWEST_ANSWERS]
    # From 0 to the least sure song everything is answered, as at that song.
    at = [0.0, *judged] if judged else []
    counts = [steps[each] for each in judged[:1] + judged]
    (accuracy,) = axes.plot(
        at,
        percent([right / answered for answered, right in counts]),
        color=ORANGE,
        drawstyle="steps-pre",
        label=f"accuracy of the answers, while they are {FEWEST_ANSWERS} or more",
    )
    ranges = [of_share(right, answered) for answered, right in counts]
    interval = axes.fill_between(
        at,
        percent([low for low, _ in ranges]),
        percent([high for _, high in ranges]),
        step="pre",
        color=ORANGE,
        alpha=0.2,
        linewidth=0,
        label="its 95 % interval over songs, at each threshold",
    )
    if shown.recommended is not None:
        _mark(axes, shown.recommended)
    axes.set_xlabel("min_confidence: the probability (0 to 1) under which no answer is given")
    axes.set_ylabel("share of the songs, or of the answers, %")
    axes.set_xlim(-0.01, 1.01)
    _scaled(axes)
    legend_below(figure, [accuracy, interval, coverage])
    return figure


def _gaps(
    axes: "Axes", columns: Sequence[float], bins: Sequence[Json], *, line_width: float, **marks: Any
) -> "Line2D":
    """A mark at the accuracy of each bin, and a line to it from the confidence."""
    right = percent([each["accuracy"] for each in bins])
    claimed = percent([each["confidence"] for each in bins])
    axes.vlines(columns, claimed, right, color=marks["color"], linewidth=line_width)
    (drawn,) = axes.plot(columns, right, linestyle="", **marks)
    return drawn


def _answered(songs: Sequence[Json]) -> dict[float, tuple[int, int]]:
    """Each song's confidence -> how many are answered with it as threshold, how many of these are right."""
    answers = sorted((max(song["probabilities"]), song["label"] == song["genre"]) for song in songs)
    steps: dict[float, tuple[int, int]] = {}
    right = 0
    # From the most confident down; of equally confident songs all are answered or none.
    for answered, (confidence, hit) in enumerate(reversed(answers), start=1):
        right += hit
        steps[confidence] = (answered, right)
    return steps


def _mark(axes: "Axes", threshold: float) -> None:
    """A line at the recommended threshold, with its words above the frame, where nothing is drawn."""
    axes.axvline(threshold, color=DARK, linewidth=0.8)
    axes.text(
        threshold,
        1.01,
        f"recommended, from the validation list: {threshold:.2f}",
        transform=axes.get_xaxis_transform(),
        ha="right" if threshold > 0.5 else "left",
        va="bottom",
        fontsize=9,
        color=DARK,
    )


def _scaled(axes: "Axes") -> None:
    """The scale of shares, with a little room: what lies at 0 and 100 % is seen whole."""
    axes.set_ylim(-2, 102)
    axes.grid(color=GREY, alpha=0.25)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
