"""Names that people give stay names in tables of Markdown."""

import re

import pytest

from worker.training.evaluation.page_parts import confused_table, confusion_table, genre_table, quality_table

ENTRY = {
    "scores": {
        "genres": {
            name: {"songs": 1, "precision": 1.0, "recall": 1.0, "f1": 1.0} for name in ("NAME", "rock")
        },
        "confusion": [[1, 0], [1, 0]],
    },
    "confused": [{"genre": "rock", "heard_as": "NAME", "songs": 1, "share": 1.0}],
}


def with_genre(name):
    scores = ENTRY["scores"]
    named = {name if key == "NAME" else key: value for key, value in scores["genres"].items()}
    pairs = [pair | {"heard_as": name} for pair in ENTRY["confused"]]
    return {"scores": scores | {"genres": named}, "confused": pairs}


@pytest.mark.parametrize("draw", [genre_table, confusion_table, confused_table])
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("R|B", r"R\|B"),
        ("a\\|b", r"a\\\|b"),
        ("`code", r"\`code"),
        ("two\nlines", "two lines"),
        ("two\r\n\u2028lines", "two lines"),
        ("*a*", r"\*a\*"),
        ("<b>", r"\<b>"),
        ("Drum & Bass", "Drum & Bass"),
    ],
)
def test_a_genres_name_is_one_cell_of_plain_text(draw, name, shown):
    lines = draw(with_genre(name)).splitlines()

    assert len(lines) == len(draw(ENTRY).splitlines())
    rows = [[cell.strip() for cell in re.findall(r"((?:\\.|[^|\\])+)(?=\|)", line[1:])] for line in lines]
    assert len({len(row) for row in rows}) == 1
    assert any(shown in row for row in rows)


@pytest.mark.parametrize(("genres", "heading"), [(1, "top-1"), (2, "top-2"), (3, "top-3"), (10, "top-3")])
def test_a_table_says_among_how_many_genres_the_right_one_is(genres, heading):
    scores = {
        "songs": 1,
        "nll": 0.1,
        "ece_if_calibrated": [0, 1],
        "genres": dict.fromkeys(map(str, range(genres))),
    }
    scores |= dict.fromkeys(("accuracy", "macro_f1", "top_3", "brier", "ece"), 1.0)
    entry = {"scores": scores, "intervals": {"accuracy": None, "macro_f1": None}}

    headings = [cell.strip() for cell in quality_table({"songs": entry}).splitlines()[0].split("|")]

    assert [each for each in headings if each.startswith("top-")] == [heading]
