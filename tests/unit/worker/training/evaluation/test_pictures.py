import io
import itertools
import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from scipy import stats

from worker.checkpoint import GENRES
from worker.training.evaluation.abstention import FEWEST_ANSWERS
from worker.training.evaluation.outputs import json_text
from worker.training.evaluation.pictures import (
    Pictured,
    confusion_picture,
    coverage_picture,
    picture,
    pictured,
    pictures_of,
    reliability_picture,
)
from worker.training.evaluation.report import report_on

CHECKOUT = Path(__file__).parents[5]
EVERY = (confusion_picture, reliability_picture, coverage_picture)


def evaluated(songs):
    """An evaluation of this many songs, half of them called what they are."""
    labels = torch.arange(songs) % 10
    called = torch.where(torch.arange(songs) < songs / 2, labels, (labels + 1) % 10)
    logits = torch.nn.functional.one_hot(called, 10) * torch.linspace(5, 1, songs).unsqueeze(1)
    names = tuple(f"song.{number:05d}" for number in range(songs))
    entry = asdict(report_on(logits, labels, names, GENRES, temperature=1.5))
    return json.loads(
        json_text(
            {
                "checkpoint": {"name": "pcrnn", "version": "0.1.0", "sha256": "0123456789abcdef" * 4},
                "genres": GENRES,
                "lists": {"valid_filtered": None, "test_filtered": entry},
                "recommended": {"valid": {"min_confidence": 0.35}},
            }
        )
    )


@pytest.fixture
def evaluation():
    return evaluated(60)


@pytest.fixture
def shown(evaluation):
    return pictured(evaluation, "test_filtered")


@pytest.fixture(params=EVERY, ids=lambda each: each.__name__)
def drawn(request, shown):
    """Each picture, laid out."""
    figure = request.param(shown)
    figure.draw_without_rendering()
    return figure


def size(png):
    with Image.open(io.BytesIO(png)) as image:
        return image.size


def test_pictures_are_1600_pixels_wide_and_the_same_for_the_same_figures(shown):
    drawn = pictures_of(shown)

    assert set(drawn) == {"confusion.png", "reliability.png", "coverage.png"}
    assert drawn == pictures_of(shown)
    for data in drawn.values():
        assert b"Software" not in data  # another version of the library would make another file
        assert size(data)[0] == 1600


def test_the_published_pictures_are_as_sharp_and_as_small():
    for path in (CHECKOUT / "docs" / "evaluation").glob("*.png"):
        assert path.stat().st_size < 120_000
        assert size(path.read_bytes())[0] == 1600


def test_a_picture_s_colours_are_those_of_its_marks(shown):
    with Image.open(io.BytesIO(picture("reliability.png", shown))) as image:
        colours = {colour for _, colour in image.convert("RGB").getcolors()}

    # Paper, the band, and the marks after and before the temperature.
    assert {(255, 255, 255), (0xDD, 0xDD, 0xDD), (0x00, 0x72, 0xB2)} <= colours
    assert any(abs(r - 0xD5) + abs(g - 0x5E) + abs(b - 0x00) < 16 for r, g, b in colours)


def test_every_picture_says_which_songs_and_which_checkpoint_it_shows(drawn):
    assert drawn.get_suptitle() == "Test list, fault-filtered: 60 songs\npcrnn 0.1.0, 01234567"


def test_one_song_is_called_a_song_and_can_be_drawn():
    shown = pictured(evaluated(1), "test_filtered")

    assert "fault-filtered: 1 song\n" in shown.title
    assert pictures_of(shown)


@pytest.mark.filterwarnings("ignore:Glyph")
@pytest.mark.parametrize("name", ["$", "$\\frac{$", "two\nlines", "W" * 200, "音" * 200, "\udcff"])
def test_a_checkpoint_of_any_name_fits_into_the_title(evaluation, name):
    evaluation["checkpoint"] |= {"name": name, "version": name}
    figure = confusion_picture(pictured(evaluation, "test_filtered"))
    figure.draw_without_rendering()

    (title,) = figure.texts
    assert title.get_text().count("\n") == 1
    box = title.get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.x1


def test_every_axis_of_every_picture_is_labelled(drawn):
    assert drawn.axes[0].get_xlabel()
    assert drawn.axes[0].get_ylabel()


def parts(figure):
    """Boxes of everything that a figure consists of."""
    return [each.get_tightbbox() for each in (*figure.axes, *figure.texts, *figure.legends)]


@pytest.mark.parametrize("threshold", [None, 0.0, 0.5, 0.55, 0.95])
@pytest.mark.parametrize("draw", EVERY)
def test_nothing_of_a_picture_is_cut_off_at_its_edges(shown, draw, threshold):
    figure = draw(replace(shown, recommended=threshold))
    figure.draw_without_rendering()
    inside = figure.bbox.padded(1)

    for box in parts(figure):
        assert inside.x0 <= box.x0
        assert box.x1 <= inside.x1
        assert inside.y0 <= box.y0
        assert box.y1 <= inside.y1


def test_title_and_legend_cover_nothing_of_what_is_drawn(drawn):
    boxes = parts(drawn)

    assert not [pair for pair in itertools.combinations(boxes, 2) if pair[0].overlaps(pair[1])]


def test_the_confusion_matrix_shows_the_number_of_songs_in_each_field(shown):
    axes = confusion_picture(shown).axes[0]

    shown_at = {text.get_position(): int(text.get_text()) for text in axes.texts}

    matrix = shown.entry["scores"]["confusion"]
    assert shown_at == {(x, y): songs for y, row in enumerate(matrix) for x, songs in enumerate(row) if songs}


def light(colour):
    """WCAG 2's relative luminance."""
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


def test_every_number_stands_out_from_its_field():
    inks = set()
    for begin in range(1, 201, 20):  # shares from 0.5 to 100 %, whatever colours the map gives them
        shares = range(begin, begin + 20)
        matrix = [[0] * row + [songs, 200 - songs] + [0] * (19 - row) for row, songs in enumerate(shares)]
        axes = confusion_picture(confused([*matrix, [0] * 21])).axes[0]
        (image,) = axes.images
        assert len(axes.texts) >= 39
        for text in axes.texts:
            field, ink = image.cmap(image.norm(int(text.get_text()) / 2))[:3], text.get_color()
            darker, lighter = sorted((light(field), {"white": 1.0, "black": 0.0}[ink]))
            assert (lighter + 0.05) / (darker + 0.05) >= 4.5
            inks.add(ink)
    assert inks == {"white", "black"}


def test_a_bin_stands_beside_what_it_claims_and_where_a_calibrated_model_s_would_lie(shown):
    axes = reliability_picture(shown).axes[0]
    after, before = shown.entry["reliability"], shown.entry["before_temperature"]["reliability"]
    dashes, lines_before, lines_after = (
        [part[:, 1] for part in each.get_segments()] for each in axes.collections
    )
    marks_before, marks_after = axes.lines

    def near(shares):
        return pytest.approx([100 * share for share in shares])

    for bins, marks, lines in ((after, marks_after, lines_after), (before, marks_before, lines_before)):
        assert list(marks.get_ydata()) == near(each["accuracy"] for each in bins)
        assert [line[0] for line in lines] == near(each["confidence"] for each in bins)
        assert [line[1] for line in lines] == near(each["accuracy"] for each in bins)
    assert [each[0] for each in dashes] == near(each["confidence"] for each in after)
    for patch, each in zip(axes.patches, after, strict=True):
        assert [patch.get_y(), patch.get_y() + patch.get_height()] == near(each["accuracy_if_calibrated"])


def test_the_mean_length_of_the_reliability_lines_is_the_ece_that_the_legend_names(shown):
    figure = reliability_picture(shown)
    words = [text.get_text() for text in figure.legends[0].get_texts()]

    _, *kinds = figure.axes[0].collections
    for each, of, begins in zip(
        kinds,
        (shown.entry["before_temperature"], shown.entry["scores"]),
        ("accuracy before", "accuracy after"),
        strict=True,
    ):
        lengths = [abs(low - high) for low, high in (part[:, 1] for part in each.get_segments())]
        assert sum(lengths) / len(lengths) == pytest.approx(100 * of["ece"], abs=0.01)
        assert [
            word for word in words if word.startswith(begins) and word.endswith(f"{100 * of['ece']:.1f} %")
        ]


def test_no_line_joins_bins_and_those_before_the_temperature_are_smaller_and_hollow(shown):
    before, after = reliability_picture(shown).axes[0].lines

    assert before.get_linestyle() == after.get_linestyle() == "None"
    assert before.get_markersize() < after.get_markersize()
    assert before.get_markerfacecolor() == "white"
    assert before.get_marker() != after.get_marker()


def test_bins_stand_apart_however_close_their_confidences_are(shown):
    for number, each in enumerate(shown.entry["reliability"]):
        each["confidence"] = 0.99 + number / 1000
    axes = reliability_picture(shown).axes[0]

    assert set(map(float, axes.lines[1].get_xdata())) == set(range(10))
    assert not any(
        one.get_bbox().overlaps(other.get_bbox()) for one, other in itertools.pairwise(axes.patches)
    )


def test_the_bins_say_how_many_songs_they_hold():
    assert (
        "bin of 6 songs,"
        in reliability_picture(pictured(evaluated(60), "test_filtered")).axes[0].get_xlabel()
    )
    assert (
        "bin of 6 or 7 songs,"
        in reliability_picture(pictured(evaluated(63), "test_filtered")).axes[0].get_xlabel()
    )


@pytest.mark.parametrize("draw", [reliability_picture, coverage_picture])
def test_marks_at_0_and_100_per_cent_are_seen_whole(shown, draw):
    axes = draw(shown).axes[0]

    low, high = axes.get_ylim()
    assert low < 0
    assert high > 100
    assert [label for label in axes.get_yticks() if low <= label <= high] == [0, 20, 40, 60, 80, 100]


def test_min_confidence_is_a_probability_as_in_the_api(shown):
    axes = coverage_picture(shown).axes[0]

    assert "min_confidence" in axes.get_xlabel()
    assert "probability (0 to 1)" in axes.get_xlabel()
    low, high = axes.get_xlim()
    assert -0.05 < low < 0
    assert 1 < high < 1.05


def curves(figure):
    """Coverage and accuracy."""
    return figure.axes[0].lines[:2]


def test_the_curves_begin_with_an_answer_to_every_song(shown):
    coverage, accuracy = curves(coverage_picture(shown))

    assert coverage.get_ydata()[0] == 100
    assert accuracy.get_xdata()[0] == 0
    assert accuracy.get_ydata()[0] == pytest.approx(50)
    assert accuracy.get_ydata()[-1] == pytest.approx(100)


def drawn_at(line, x):
    """Where a line is drawn at x, in the unit of its axis; what is at x itself, where it jumps there."""
    assert line.get_drawstyle() == "steps-pre"  # a value holds from behind the point before up to its own
    return next(y for each, y in zip(*line.get_data(), strict=True) if each >= x - 1e-12)


def test_the_curves_are_what_a_threshold_gives_between_the_songs_too(shown):
    songs = shown.entry["songs"] = shown.entry["songs"][:40]
    for song in songs[4:9]:  # songs that are equally sure, some of them wrong
        song["probabilities"] = [0.5] + [0.5 / 9] * 9
        song["genre"] = song["label"] if song["name"] < "song.00007" else "none"
    coverage, accuracy = curves(coverage_picture(shown))
    sure = sorted({max(song["probabilities"]) for song in songs})

    between = [(low + high) / 2 for low, high in itertools.pairwise([0, *sure, 1])]
    for threshold in (*sure, *between):
        hits = [song["label"] == song["genre"] for song in songs if max(song["probabilities"]) >= threshold]
        assert drawn_at(coverage, threshold) == pytest.approx(100 * len(hits) / 40)
        if len(hits) >= FEWEST_ANSWERS:
            assert drawn_at(accuracy, threshold) == pytest.approx(100 * sum(hits) / len(hits))
        else:
            assert threshold > accuracy.get_xdata()[-1]
    assert len(set(accuracy.get_xdata())) == len(accuracy.get_xdata())


def test_the_accuracy_of_too_few_answers_to_recommend_anything_is_not_drawn(shown):
    shown.entry["songs"] = shown.entry["songs"][: FEWEST_ANSWERS - 1]
    figure = coverage_picture(shown)
    coverage, accuracy = curves(figure)

    assert len(coverage.get_xdata()) > 2
    assert len(accuracy.get_xdata()) == 0
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert f"accuracy of the answers, while they are {FEWEST_ANSWERS} or more" in words


def test_the_accuracy_lies_in_its_interval_over_songs(shown):
    figure = coverage_picture(shown)
    _, accuracy = curves(figure)
    (interval,) = figure.axes[0].collections
    (outline,) = interval.get_paths()

    for threshold in (0.0, 0.35, 0.5):
        hits = [
            song["label"] == song["genre"]
            for song in shown.entry["songs"]
            if max(song["probabilities"]) >= threshold
        ]
        low, high = stats.binomtest(sum(hits), len(hits)).proportion_ci(method="wilson")
        assert 100 * low < drawn_at(accuracy, threshold) <= 100 * high
        for inside in (100 * low + 0.1, 100 * high - 0.1):
            assert outline.contains_point((threshold + 1e-6, inside))
        for outside in (100 * low - 0.1, 100 * high + 0.1):
            assert not outline.contains_point((threshold + 1e-6, outside))


def test_the_recommended_threshold_is_marked_and_called_so(shown):
    axes = coverage_picture(shown).axes[0]

    assert [float(x) for x in axes.lines[2].get_xdata()] == [0.35, 0.35]
    assert [text.get_text() for text in axes.texts] == ["recommended, from the validation list: 0.35"]


@pytest.mark.parametrize("threshold", [0.0, 0.5, 0.55, 0.95])
def test_the_words_of_the_recommended_threshold_stand_over_the_frame(shown, threshold):
    figure = coverage_picture(replace(shown, recommended=threshold))
    figure.draw_without_rendering()
    (axes,) = figure.axes
    (words,) = (text.get_window_extent() for text in axes.texts)

    frame = axes.get_window_extent()
    assert frame.x0 <= words.x0
    assert words.x1 <= frame.x1
    assert words.y0 >= frame.y1


@pytest.mark.parametrize("recommended", [{}, {"recommended": None}])
def test_without_a_recommendation_nothing_is_marked(evaluation, recommended):
    del evaluation["recommended"]
    axes = coverage_picture(pictured(evaluation | recommended, "test_filtered")).axes[0]

    assert len(axes.lines) == 2
    assert not axes.texts


@pytest.mark.parametrize("name", ["$", "$a$", "$\\frac{$", "A$AP & Ke$ha", "two\nlines", "%", "_x^y"])
def test_a_genre_is_drawn_as_it_is_written_and_never_as_a_formula(shown, name):
    shown = replace(shown, genres=(name, *GENRES[1:]))

    assert pictures_of(shown)["confusion.png"]

    figure = confusion_picture(shown)
    figure.draw_without_rendering()
    axes = figure.axes[0]
    shown = " ".join(name.split())
    assert axes.get_xticklabels()[0].get_text() == shown
    assert axes.get_yticklabels()[0].get_text() == f"{shown} (6)"
    assert not any(label.get_parse_math() for label in (*axes.get_xticklabels(), *axes.get_yticklabels()))


def confused(matrix, names=None):
    """A list with this confusion of genres."""
    names = names or [f"genre {number}" for number in range(len(matrix))]
    return Pictured(entry={"scores": {"confusion": matrix}}, genres=names, title="Songs")


def all_confused(names):
    """A list with these genres, whose songs are called everything."""
    return confused([[1000 + (one == other) for other in names] for one in names], names)


def overlapping(labels):
    """Pairs of neighbours that are drawn over each other."""
    boxes = [label.get_window_extent() for label in labels]
    return [pair for pair in itertools.pairwise(boxes) if pair[0].overlaps(pair[1])]


@pytest.mark.parametrize("genres", [1, 10, 40])
def test_every_genre_is_named_and_every_field_has_its_number_beside_the_others(genres):
    figure = confusion_picture(all_confused([f"a long genre {number:02}" for number in range(genres)]))
    figure.draw_without_rendering()
    axes = figure.axes[0]

    assert len(axes.get_xticklabels()) == len(axes.get_yticklabels()) == genres
    assert not overlapping(axes.get_yticklabels())
    assert len(axes.texts) == genres**2
    assert not overlapping(axes.texts[:genres])
    assert min(text.get_fontsize() for text in axes.texts) >= 5


def test_a_picture_of_very_many_genres_stays_small_and_its_names_apart():
    names = [f"genre {number}" for number in range(150)]
    figure = confusion_picture(all_confused(names))
    figure.draw_without_rendering()

    assert max(size(picture("confusion.png", all_confused(names)))) <= 4000
    axes = figure.axes[0]
    assert not axes.texts
    assert not overlapping(axes.get_yticklabels())
    shown = [label.get_text() for label in axes.get_xticklabels()]
    step = int(shown[1].split()[1])
    assert shown == names[::step]
    assert f"one of {step} is named" in axes.get_ylabel()


@pytest.mark.parametrize("letters", ["x", "W", "音", "e\u0301", "\u202e", "🎵", "\udcff", "\x00", "ไ", "x "])
def test_a_long_name_ends_in_an_ellipsis_and_leaves_room_for_the_fields(letters, recwarn):
    shown = all_confused([f"{number}{letters * 200}"[:200] for number in range(10)])

    assert picture("confusion.png", shown)

    assert not recwarn.list
    figure = confusion_picture(shown)
    figure.draw_without_rendering()
    axes = figure.axes[0]
    assert all("…" in label.get_text() for label in axes.get_yticklabels())
    assert axes.get_window_extent().width > figure.bbox.width / 3
    assert axes.get_window_extent().height > figure.bbox.height / 3


def test_a_wide_letter_counts_as_two():
    axes = confusion_picture(all_confused(["音" * 30])).axes[0]

    assert axes.get_xticklabels()[0].get_text() == "音" * 8 + "…"
