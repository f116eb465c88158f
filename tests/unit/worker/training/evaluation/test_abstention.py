import pytest
import torch

from worker.training.evaluation.abstention import abstention, recommended_threshold


def sure_of(confidences, *, right):
    """Probabilities (songs, 2) with these confidences, and labels that make the answers right or wrong."""
    sure = torch.tensor(confidences, dtype=torch.float64)
    return torch.stack([sure, 1 - sure], dim=1), torch.tensor([0 if each else 1 for each in right])


def test_a_threshold_leaves_the_answers_at_it_and_above():
    probabilities, labels = sure_of([0.6, 0.75, 0.9], right=[False, False, True])

    (row,) = abstention(probabilities, labels, (0.75,))

    assert (row.answered, row.coverage, row.accuracy) == (2, pytest.approx(2 / 3), 0.5)


def test_where_nothing_is_answered_there_is_no_accuracy():
    (row,) = abstention(*sure_of([0.6], right=[True]), (0.9,))

    assert (row.answered, row.coverage, row.accuracy) == (0, 0, None)


def test_the_lowest_threshold_that_makes_answers_right_often_enough_is_recommended():
    probabilities, labels = sure_of([0.52] * 30 + [0.72] * 30 + [0.92] * 30, right=[False] * 30 + [True] * 60)

    found = recommended_threshold(probabilities, labels)

    assert (found.min_confidence, found.coverage, found.accuracy) == (0.55, pytest.approx(2 / 3), 1)


def test_a_threshold_that_leaves_a_handful_of_songs_is_not_recommended():
    probabilities, labels = sure_of([0.52] * 30 + [0.92] * 5, right=[False] * 30 + [True] * 5)

    assert recommended_threshold(probabilities, labels) is None


def test_nothing_is_recommended_for_a_model_that_is_sure_and_wrong():
    assert recommended_threshold(*sure_of([0.99] * 50, right=[False] * 50)) is None
