"""The JSON of the ablations as Markdown.

Pure: everything on the page stands in the JSON.
"""

from collections.abc import Iterable
from statistics import mean

from worker.training.evaluation.page_parts import Json, percent, table


def ablations_page(written: Json) -> str:
    """The page, ending in a line break."""
    variants = written["variants"]
    base, *others = variants.values()
    seeds = list(base["seeds"])
    headings = (
        "what is different",
        *(f"seed {seed}" for seed in seeds),
        "accuracy",
        "change",
        "macro-F1",
        *(f"NLL, seed {seed}" for seed in seeds),
        "NLL",
    )
    rows = [[each["what"], *_row(each["seeds"], base["seeds"])] for each in (base, *others)]
    parts = [
        "# What each part of the recipe is worth",
        f"By `{written['command']}`, with the code `{written['code_sha256'][:8]}`: the released recipe in "
        f"{written['epochs']} epochs instead of its own, and runs that differ from it in one part, each with "
        f"{len(seeds)} seeds; {written['songs']} songs to learn from, {written['valid']} of the validation "
        f"list to measure on. Figures are means over the last {written['last']} epochs; NLL is before the "
        "temperature. So short a run favours what learns quickly, and a part that pays late can look like a "
        "loss here: [what was tried](experiments.md) draws the conclusions, with runs of full length.",
        table(headings, rows),
        _swing(base["seeds"], written["valid"]),
        "## Windows and their average",
        "The networks of the first row, hearing parts of the songs:",
        table(
            ("what is heard", "accuracy", "macro-F1", "NLL"),
            [[way, *_means(by_seed[way] for by_seed in written["heard"].values())] for way in _ways(written)],
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _ways(written: Json) -> list[str]:
    return list(next(iter(written["heard"].values())))


def _row(seeds: Json, base: Json) -> list[str]:
    accuracies = [each["accuracy"] for each in seeds.values()]
    change = mean(accuracies) - mean(each["accuracy"] for each in base.values())
    accuracy, *others = _means(seeds.values())
    points = "-" if seeds is base else f"{100 * change:+.1f}"
    macro_f1, nll = others
    losses = [f"{each['nll']:.3f}" for each in seeds.values()]
    return [*(percent(each) for each in accuracies), accuracy, points, macro_f1, *losses, nll]


def _means(figures: Iterable[Json]) -> list[str]:
    rows = list(figures)
    accuracy, macro_f1, nll = (mean(row[name] for row in rows) for name in ("accuracy", "macro_f1", "nll"))
    return [percent(accuracy), percent(macro_f1), f"{nll:.3f}"]


def _swing(base: Json, songs: int) -> str:
    """How much of a difference means nothing."""
    apart = {
        name: max(each[name] for each in base.values()) - min(each[name] for each in base.values())
        for name in ("accuracy", "nll")
    }
    return (
        f"One song is {100 / songs:.1f} points of accuracy, and the two seeds of the first row lie "
        f"{100 * apart['accuracy']:.1f} points of accuracy and {apart['nll']:.3f} of NLL apart: differences "
        "of that size say little, in whichever direction."
    )
