"""The JSON of `genrewiz evaluate` as Markdown.

Pure: everything on the page stands in the JSON.
"""

from worker.training.evaluation.page_parts import (
    Json,
    abstention_table,
    calibration_table,
    confused_table,
    confusion_table,
    genre_table,
    list_name,
    notes,
    quality_table,
)

TRAINED_ON = {
    "unknown": "What it was trained on is not known: these songs may be among it, and the figures flatter.",
    "audio": "It was trained on a folder of songs; figures on songs of that folder would flatter.",
}


def evaluation_page(evaluation: Json) -> str:
    """The page, ending in a line break."""
    checkpoint, lists = evaluation["checkpoint"], evaluation["lists"]
    learned = evaluation["trained_on"]
    parts = [
        f"# Evaluation of {checkpoint['name']} {checkpoint['version']}",
        f"By `{evaluation['command']}`. SHA-256 of the checkpoint {checkpoint['sha256']}, temperature "
        f"{evaluation['temperature']:.3f}, gaps filled with seed {evaluation['fill_seed']}.",
        TRAINED_ON.get(learned, f"It was trained on the train list of {learned}."),
        quality_table(lists),
        "Intervals are over songs (bootstrap). `calibrated` is where the ECE of a perfectly calibrated model "
        "would lie on as many songs.",
    ]
    for name, entry in lists.items():
        parts += [f"## {list_name(name).capitalize()}", *_list(entry)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _list(entry: Json) -> list[str]:
    return [
        notes(entry).capitalize(),
        genre_table(entry),
        "Rows are what the songs are, columns what they were called:",
        confusion_table(entry),
        "Confused most often:" if entry["confused"] else "",
        confused_table(entry) if entry["confused"] else "",
        "Probabilities before and after the temperature:",
        calibration_table(entry),
        "Where no answer is given under a confidence:",
        abstention_table(entry["abstention"]),
    ]
