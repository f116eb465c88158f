import pytest
import torch

from worker.checkpoint import GENRES
from worker.training.evaluation.report import confused, report_on


@pytest.fixture
def answers():
    """Logits (200, 10), labels and names; the logits are twice as sure as they may be."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(200, 10, generator=generator)
    labels = torch.multinomial(torch.softmax(logits, dim=1), 1, generator=generator).squeeze(1)
    return 2 * logits, labels, tuple(f"song.{number:05d}" for number in range(200))


def test_each_song_has_its_calibrated_probabilities_and_the_likeliest_genre(answers):
    logits, labels, names = answers

    songs = report_on(logits, labels, names, GENRES, temperature=2.0).songs

    assert [song.name for song in songs] == list(names)
    assert [song.genre for song in songs] == [GENRES[label] for label in labels]
    for song, row in zip(songs, torch.softmax(logits / 2, dim=1), strict=True):
        assert song.probabilities == pytest.approx(row.tolist(), abs=1e-6)
        assert song.label == GENRES[int(row.argmax())]


def test_what_is_said_before_and_after_the_temperature_is_of_the_same_answers(answers):
    report = report_on(*answers, GENRES, temperature=2.0)

    assert report.scores.nll < report.before_temperature.nll
    assert report.scores.ece < report.scores.ece_if_calibrated[1]
    assert report.before_temperature.ece > report.before_temperature.ece_if_calibrated[1]


def test_the_bins_of_reliability_add_up_to_the_calibration_error(answers):
    report = report_on(*answers, GENRES, temperature=1.3)

    gaps = sum(each.songs * abs(each.accuracy - each.confidence) for each in report.reliability)
    assert gaps / 200 == pytest.approx(report.scores.ece)
    assert [each.songs for each in report.reliability] == [20] * 10


def test_bins_of_an_honest_model_lie_mostly_within_their_ranges(answers):
    bins = report_on(*answers, GENRES, temperature=2.0).reliability

    within = [low <= each.accuracy <= high for each in bins for low, high in [each.accuracy_if_calibrated]]
    assert sum(within) >= 8


def test_a_list_with_fewer_songs_than_bins_can_be_reported_on(answers):
    logits, labels, names = answers

    report = report_on(logits[:3], labels[:3], names[:3], GENRES, temperature=1.0)

    assert sum(each.songs for each in report.reliability) == 3


def test_a_model_of_two_genres_can_be_reported_on():
    report = report_on(torch.eye(2), torch.arange(2), ("a", "b"), ("loud", "quiet"), temperature=1.0)

    assert (report.scores.accuracy, report.scores.top_3, report.confused) == (1, 1, ())


def test_confusions_are_told_in_each_direction_and_the_most_frequent_first():
    pairs = confused([[5, 2, 0], [3, 1, 0], [0, 0, 4]], ("blues", "country", "disco"))

    assert [(pair.genre, pair.heard_as, pair.songs, pair.share) for pair in pairs] == [
        ("country", "blues", 3, 0.75),
        ("blues", "country", 2, pytest.approx(2 / 7)),
    ]
