"""A run's epochs as a picture: loss, accuracy and learning rate.

It draws and neither computes nor writes anything.
"""

import io

from worker.training.learning.state import Row, best_epoch

INCHES = (8.0, 7.5)
DOTS_PER_INCH = 110
COLOURS = ("#0072b2", "#d55e00")  # blue and vermilion: told apart by everyone


def curves(history: list[Row]) -> bytes:
    """PNG with a line for each figure over the epochs; the best epoch is marked."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    best = best_epoch(history)
    epochs = [row["epoch"] for row in history]
    figure = Figure(figsize=INCHES, dpi=DOTS_PER_INCH, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    loss, share, rate = figure.subplots(3, 1, sharex=True, height_ratios=(3, 3, 1))
    panels = (
        (loss, "nats", (("train_loss", "training loss"), ("valid_nll", "validation loss"))),
        (share, "%", (("valid_accuracy", "validation accuracy"), ("valid_macro_f1", "validation macro-F1"))),
        (rate, "learning rate", (("learning_rate", ""),)),
    )
    for axes, unit, lines in panels:
        scale = 100 if unit == "%" else 1
        for (column, label), colour in zip(lines, COLOURS, strict=False):
            values = [scale * row[column] for row in history]
            marker = "o" if len(history) == 1 else ""  # a line of one point is not seen
            (line,) = axes.plot(epochs, values, label=label, color=colour, linewidth=1.5)
            line.set(marker=marker, markersize=4, clip_on=unit != "%")
        if unit == "%":
            # The margin of a good epoch would run over what a share can be.
            low, high = axes.get_ylim()
            axes.set_ylim(max(0, low), min(100, high))
        axes.axvline(best["epoch"], color="0.4", linewidth=1, linestyle=":")
        axes.set_ylabel(unit)
        axes.grid(color="0.9")
        axes.spines[["top", "right"]].set_visible(False)
    loss.legend(frameon=False)
    share.legend(frameon=False, loc="lower right")
    share.set_title(
        f"best: epoch {best['epoch']:.0f}, accuracy {100 * best['valid_accuracy']:.1f} %, "
        f"macro-F1 {100 * best['valid_macro_f1']:.1f} %",
        fontsize="medium",
    )
    rate.set_ylim(bottom=0)
    rate.set_xlabel("epoch")
    rate.xaxis.get_major_locator().set_params(integer=True)
    rate.ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()
