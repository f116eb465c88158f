"""The songs that the page offers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.classification import Classification
from shared.settings import Settings
from worker.build import open_pipeline
from worker.pipeline import Pipeline

SAMPLES = Path(__file__).parents[3] / "api" / "static" / "samples"
LEAST_TO_BE_NAMED = 0.5  # the page says "Not sure" below


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Pipeline]:
    with open_pipeline(Settings(concurrency=1, device="cpu")) as opened:
        yield opened


def classified(pipeline: Pipeline, name: str) -> Classification:
    with (SAMPLES / name).open("rb") as song:
        classification = pipeline.run(song).classification
    assert classification is not None
    return classification


@pytest.mark.parametrize(
    ("name", "genre"), [("nightdrive.mp3", "disco"), ("nocturne.mp3", "classical"), ("riff.mp3", "metal")]
)
def test_the_page_names_the_genre_that_a_sample_was_composed_in(pipeline, name, genre):
    likeliest = classified(pipeline, name).predictions[0]

    assert likeliest.genre == genre
    assert likeliest.probability >= LEAST_TO_BE_NAMED


def test_all_three_genres_come_up_over_the_medley(pipeline):
    genres = [each.genre for each in classified(pipeline, "medley.mp3").timeline]

    assert list(dict.fromkeys(genres)) == ["metal", "disco", "classical"]


def test_every_sample_is_described():
    text = (SAMPLES / "README.md").read_text()

    assert {path.name for path in SAMPLES.iterdir()} == {
        "README.md",
        "medley.mp3",
        "nightdrive.mp3",
        "nocturne.mp3",
        "riff.mp3",
    }
    assert all(f"`{path.name}`" in text for path in SAMPLES.glob("*.mp3"))
