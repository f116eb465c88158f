"""Tables of Markdown that say what a list's part of an evaluation holds.

Pure: parsed JSON in, text out, the same text for the same JSON. Tables are aligned, so that they can be read
in a terminal too.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

Json = dict[str, Any]  # what the JSON of an evaluation holds

LIST_NAMES = {
    "test_filtered": "test list, fault-filtered",
    "valid_filtered": "validation list, fault-filtered",
    "real_audio_outside_train": "real audio outside the train list",
    "real_audio_outside_train_and_test": "real audio outside the train and test lists",
    "audio_folder": "folder of songs",
}
MARKUP = re.compile(r"[\\|`*<\[]")  # what would end a cell, or begin code, emphasis, HTML or a link
NOTES = {
    "on_the_validation_list": "{} of its songs are on the validation list, which chose the epoch and the "
    "temperature",
}


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The first column to the left, the others to the right."""
    cells = [list(headings), *(list(row) for row in rows)]
    widths = [max(3, *(len(row[column]) for row in cells)) for column in range(len(headings))]

    def line(row: Sequence[str]) -> str:
        first, *others = (text.rjust(width) for text, width in zip(row, widths, strict=True))
        return "| " + " | ".join([first.strip().ljust(widths[0]), *others]) + " |"

    rule = "|" + "|".join(["-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])]) + "|"
    return "\n".join([line(cells[0]), rule, *(line(row) for row in cells[1:])])


def plain(name: str) -> str:
    """A name that anyone may have given, for a table's cell: one line, and none of it markup."""
    return MARKUP.sub(r"\\\g<0>", " ".join(name.split()))


def percent(share: float | None) -> str:
    """A share as "64.1 %"; a dash where there is none."""
    return "-" if share is None else f"{100 * share:.1f} %"


def percent_range(interval: Sequence[float] | None) -> str:
    """An interval of shares as "58.6-69.7 %"."""
    return "-" if interval is None else f"{100 * interval[0]:.1f}-{100 * interval[1]:.1f} %"


def list_name(name: str) -> str:
    """What people call a list; the JSON's name where they have no other."""
    return LIST_NAMES.get(name, name.replace("_", " "))


def quality_table(lists: Json, names: dict[str, str] | None = None) -> str:
    """A row for each list, or for each of `names`, with the words that it gives."""
    genres = min((len(entry["scores"]["genres"]) for entry in lists.values()), default=3)
    headings = (
        "list",
        "songs",
        "accuracy",
        "95 %",
        "macro-F1",
        "95 %",
        f"top-{min(3, genres)}",
        "NLL",
        "Brier",
        "ECE",
        "calibrated",
    )
    shown = names or {name: list_name(name) for name in lists}
    return table(headings, [[words, *_quality(lists[name])] for name, words in shown.items()])


def genre_table(entry: Json) -> str:
    """The classification report: precision, recall and F1 of every genre."""
    return table(
        ("genre", "songs", "precision", "recall", "F1"),
        [
            [
                plain(genre),
                str(each["songs"]),
                # Without songs there is nothing to find and nothing to be right about.
                *(percent(each[key] if each["songs"] else None) for key in ("precision", "recall", "f1")),
            ]
            for genre, each in entry["scores"]["genres"].items()
        ],
    )


def confusion_table(entry: Json) -> str:
    """Counts of songs; rows are what they are, columns what they were called."""
    genres = list(entry["scores"]["genres"])
    rows = zip(genres, entry["scores"]["confusion"], strict=True)
    return table(
        ("", *map(plain, genres)),
        [[plain(genre), *(str(songs or "·") for songs in row)] for genre, row in rows],
    )


def confused_table(entry: Json) -> str:
    """The pairs of genres with the most mistakes."""
    return table(
        ("genre", "called", "songs", "of the genre"),
        [
            [plain(pair["genre"]), plain(pair["heard_as"]), str(pair["songs"]), percent(pair["share"])]
            for pair in entry["confused"]
        ],
    )


def calibration_table(entry: Json) -> str:
    """Before and after the temperature, beside what a perfectly calibrated model would have."""
    rows = (("before", entry["before_temperature"]), ("after", entry["scores"]))
    return table(
        ("temperature", "NLL", "Brier", "ECE", "ECE if calibrated, 95 %"),
        [
            [
                words,
                f"{part['nll']:.3f}",
                f"{part['brier']:.3f}",
                percent(part["ece"]),
                percent_range(part["ece_if_calibrated"]),
            ]
            for words, part in rows
        ],
    )


def abstention_table(rows: list[Json]) -> str:
    """Who gets an answer at a threshold, and how often it is right."""
    return table(
        ("min_confidence", "answered", "coverage", "accuracy of the answers"),
        [
            [
                f"{row['min_confidence']:.2f}",
                str(row["answered"]),
                percent(row["coverage"]),
                percent(row["accuracy"]),
            ]
            for row in rows
        ],
    )


def notes(entry: Json) -> str:
    """A sentence on what is worth knowing of how the list was chosen; empty where nothing is."""
    said = [NOTES[key].format(count) for key, count in entry.get("notes", {}).items() if count]
    return f"{'; '.join(said)}." if said else ""


def _quality(entry: Json) -> list[str]:
    scores, intervals = entry["scores"], entry["intervals"]
    return [
        str(scores["songs"]),
        percent(scores["accuracy"]),
        percent_range(intervals["accuracy"]),
        percent(scores["macro_f1"]),
        percent_range(intervals["macro_f1"]),
        percent(scores["top_3"]),
        f"{scores['nll']:.3f}",
        f"{scores['brier']:.3f}",
        percent(scores["ece"]),
        percent_range(scores["ece_if_calibrated"]),
    ]
