"""Names that people give stay names in tables of Markdown."""

import re

import pytest

from worker.training.page_parts import confused_table, confusion_table, genre_table

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
