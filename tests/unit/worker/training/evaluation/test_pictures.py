import itertools
import json
from dataclasses import asdict

import pytest
import torch
from PIL import Image

from worker.checkpoint import GENRES
from worker.training.evaluation.outputs import json_text
from worker.training.evaluation.pictures import (
    FEWEST_ANSWERS,
    confusion_picture,
    coverage_picture,
    picture,
    pictures_of,
    reliability_picture,
)
from worker.training.evaluation.report import report_on


@pytest.fixture
def entry():
    """A list's part of an evaluation: 60 songs, half of them called what they are."""
    labels = torch.arange(60) % 10
    called = torch.where(torch.arange(60) < 30, labels, (labels + 1) % 10)
    logits = torch.nn.functional.one_hot(called, 10) * torch.linspace(5, 1, 60).unsqueeze(1)
    names = tuple(f"song.{number:05d}" for number in range(60))
    return json.loads(json_text(asdict(report_on(logits, labels, names, GENRES, temperature=1.5))))


def test_pictures_are_800_pixels_wide_and_the_same_for_the_same_figures(entry, tmp_path):
    drawn = pictures_of(entry, GENRES)

    assert set(drawn) == {"confusion.png", "reliability.png", "coverage.png"}
    assert drawn == pictures_of(entry, GENRES)
    for name, data in drawn.items():
        assert b"Software" not in data  # another version of the library would make another file
        (tmp_path / name).write_bytes(data)
        with Image.open(tmp_path / name) as image:
            assert image.width == 800


def test_every_axis_of_every_picture_is_labelled(entry):
    for figure in (confusion_picture(entry, GENRES), reliability_picture(entry), coverage_picture(entry)):
        assert figure.axes[0].get_xlabel()
        assert figure.axes[0].get_ylabel()


def test_nothing_of_a_picture_is_cut_off_at_its_edges(entry):
    for figure in (confusion_picture(entry, GENRES), reliability_picture(entry), coverage_picture(entry)):
        figure.draw_without_rendering()
        inside = figure.bbox.padded(1)
        for axes in figure.axes:
            box = axes.get_tightbbox()
            assert inside.x0 <= box.x0
            assert box.x1 <= inside.x1
            assert inside.y0 <= box.y0
            assert box.y1 <= inside.y1


def test_the_confusion_matrix_shows_the_number_of_songs_in_each_field(entry):
    axes = confusion_picture(entry, GENRES).axes[0]

    shown = {text.get_position(): int(text.get_text()) for text in axes.texts}

    matrix = entry["scores"]["confusion"]
    assert shown == {(x, y): songs for y, row in enumerate(matrix) for x, songs in enumerate(row) if songs}


def test_the_curves_begin_with_an_answer_to_every_song(entry):
    coverage, accuracy = coverage_picture(entry).axes[0].lines

    assert coverage.get_ydata()[0] == 100
    assert accuracy.get_ydata()[0] == pytest.approx(50)
    assert accuracy.get_ydata()[-1] == pytest.approx(100)


def drawn_at(line, x):
    """Where a line is drawn at x, in the unit of its axis; what is at x itself, where it jumps there."""
    assert line.get_drawstyle() == "steps-pre"  # a value holds from behind the point before up to its own
    return next(y for each, y in zip(*line.get_data(), strict=True) if each >= x - 1e-12)


def test_the_curves_are_what_a_threshold_gives_between_the_songs_too(entry):
    entry["songs"] = entry["songs"][:20]
    for song in entry["songs"][4:9]:  # songs that are equally sure, some of them wrong
        song["probabilities"] = [0.5] + [0.5 / 9] * 9
        song["genre"] = song["label"] if song["name"] < "song.00007" else "none"
    coverage, accuracy = coverage_picture(entry).axes[0].lines
    sure = sorted({max(song["probabilities"]) for song in entry["songs"]})

    between = [(low + high) / 2 for low, high in itertools.pairwise([0, *sure, 1])]
    for threshold in (*sure, *between):
        hits = [
            song["label"] == song["genre"]
            for song in entry["songs"]
            if max(song["probabilities"]) >= threshold
        ]
        assert drawn_at(coverage, threshold) == pytest.approx(100 * len(hits) / 20)
        if len(hits) >= FEWEST_ANSWERS:
            assert drawn_at(accuracy, threshold) == pytest.approx(100 * sum(hits) / len(hits))
    assert len(set(accuracy.get_xdata())) == len(accuracy.get_xdata())


@pytest.mark.parametrize("name", ["$", "$a$", "$\\frac{$", "A$AP & Ke$ha", "two\nlines", "%", "_x^y"])
def test_a_genre_is_drawn_as_it_is_written_and_never_as_a_formula(entry, name):
    genres = (name, *GENRES[1:])

    assert pictures_of(entry, genres)["confusion.png"]

    figure = confusion_picture(entry, genres)
    figure.draw_without_rendering()
    axes = figure.axes[0]
    shown = " ".join(name.split())
    assert axes.get_xticklabels()[0].get_text() == shown
    assert axes.get_yticklabels()[0].get_text() == f"{shown} (6)"
    assert not any(label.get_parse_math() for label in (*axes.get_xticklabels(), *axes.get_yticklabels()))


def confused(genres):
    """A list with this many genres, whose songs are called everything."""
    return {
        "scores": {
            "confusion": [[1000 + (row == column) for column in range(genres)] for row in range(genres)]
        }
    }


def overlapping(labels):
    """Pairs of neighbours that are drawn over each other."""
    boxes = [label.get_window_extent() for label in labels]
    return [pair for pair in itertools.pairwise(boxes) if pair[0].overlaps(pair[1])]


@pytest.mark.parametrize("genres", [1, 10, 40])
def test_every_genre_is_named_and_every_field_has_its_number_beside_the_others(genres):
    figure = confusion_picture(confused(genres), [f"a long genre {number:02}" for number in range(genres)])
    figure.draw_without_rendering()
    axes = figure.axes[0]

    assert len(axes.get_xticklabels()) == len(axes.get_yticklabels()) == genres
    assert not overlapping(axes.get_yticklabels())
    assert len(axes.texts) == genres**2
    assert not overlapping(axes.texts[:genres])
    assert min(text.get_fontsize() for text in axes.texts) >= 5


def test_a_picture_of_very_many_genres_stays_small_and_its_names_apart(tmp_path):
    names = [f"genre {number}" for number in range(150)]
    (tmp_path / "p.png").write_bytes(picture("confusion.png", confused(150), names))
    figure = confusion_picture(confused(150), names)
    figure.draw_without_rendering()

    with Image.open(tmp_path / "p.png") as image:
        assert max(image.size) <= 2000
    axes = figure.axes[0]
    assert not axes.texts
    assert not overlapping(axes.get_yticklabels())
    shown = [label.get_text() for label in axes.get_xticklabels()]
    step = int(shown[1].split()[1])
    assert shown == names[::step]
    assert f"one of {step} is named" in axes.get_ylabel()


@pytest.mark.parametrize("letters", ["x", "W", "音", "e\u0301", "\u202e", "🎵", "\udcff", "\x00", "ไ", "x "])
def test_a_long_name_ends_in_an_ellipsis_and_leaves_room_for_the_fields(letters, recwarn):
    entry = confused(10)
    genres = [f"{number}{letters * 200}"[:200] for number in range(10)]

    assert picture("confusion.png", entry, genres)

    assert not recwarn.list
    figure = confusion_picture(entry, genres)
    figure.draw_without_rendering()
    axes = figure.axes[0]
    assert all("…" in label.get_text() for label in axes.get_yticklabels())
    assert axes.get_window_extent().width > figure.bbox.width / 3
    assert axes.get_window_extent().height > figure.bbox.height / 3


def test_a_wide_letter_counts_as_two():
    axes = confusion_picture(confused(1), ["音" * 30]).axes[0]

    assert axes.get_xticklabels()[0].get_text() == "音" * 8 + "…"
