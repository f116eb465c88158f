import math

import pytest
import torch
from scipy import stats
from sklearn.metrics import f1_score

from worker.training.evaluation.intervals import of_share, over_seeds, over_songs
from worker.training.learning.scores import confusion_matrix, macro_f1


@pytest.fixture
def answers():
    """400 songs of ten genres, three in four of them called what they are."""
    generator = torch.Generator().manual_seed(1)
    labels = torch.randint(10, (400,), generator=generator)
    wrong = torch.rand(400, generator=generator) < 0.25
    return labels, torch.where(wrong, (labels + 1) % 10, labels)


def test_the_interval_of_the_accuracy_is_as_wide_as_the_binomial_distribution_says(answers):
    labels, predicted = answers

    low, high = over_songs(labels, predicted, genres=10).accuracy

    right = int((labels == predicted).sum())
    assert (low, high) == pytest.approx(
        [q / 400 for q in stats.binom.interval(0.95, 400, right / 400)], abs=0.01
    )


def test_four_times_as_many_songs_halve_the_intervals(answers):
    once = over_songs(*answers, genres=10)
    often = over_songs(*(each.repeat(4) for each in answers), genres=10)

    for name in ("accuracy", "macro_f1"):
        (low, high), (lower, higher) = getattr(often, name), getattr(once, name)
        assert high - low == pytest.approx((higher - lower) / 2, rel=0.1)


def test_the_macro_f1_of_many_lists_at_once_is_scikit_learns_of_each(answers):
    rows = torch.randint(400, (5, 30), generator=torch.Generator().manual_seed(2))
    labels, predicted = (each[rows] for each in answers)

    together = macro_f1(confusion_matrix(labels, predicted, 10))

    each = [
        f1_score(true, answer, average="macro", labels=sorted(set(true.tolist())))
        for true, answer in zip(labels, predicted, strict=True)
    ]
    assert together.tolist() == pytest.approx(each)


def test_the_same_list_has_the_same_intervals(answers):
    assert over_songs(*answers, genres=10) == over_songs(*answers, genres=10)


def test_a_list_without_a_mistake_has_an_interval():
    labels = torch.arange(10)

    assert over_songs(labels, labels, genres=10).accuracy == (1, 1)


def test_the_interval_over_seeds_is_students():
    values = [0.61, 0.64, 0.66, 0.63, 0.65]

    spread = over_seeds(values)

    assert spread.standard_deviation == pytest.approx(stats.tstd(values))
    assert spread.interval == pytest.approx(
        stats.t.interval(0.95, 4, loc=spread.mean, scale=stats.sem(values))
    )


def test_the_interval_over_seeds_holds_nothing_that_the_figure_cannot_be():
    shares = [0.02, 0.99, 0.98]

    assert over_seeds(shares).interval == (0, 1)
    assert over_seeds([1 - share for share in shares]).interval == (0, 1)


def test_the_interval_over_seeds_of_a_figure_without_a_highest_value_is_cut_below_alone():
    low, high = over_seeds([0.02, 1.9, 2.4], highest=math.inf).interval

    assert low == 0
    assert high > 2.4


def test_one_seed_says_nothing_of_others():
    spread = over_seeds([0.6])

    assert (spread.mean, spread.standard_deviation, spread.interval) == (0.6, None, None)


@pytest.mark.parametrize(("hits", "songs"), [(0, 1), (1, 1), (0, 20), (20, 20), (13, 20), (203, 290)])
def test_the_interval_of_a_share_is_scipys_of_wilson(hits, songs):
    interval = of_share(hits, songs)

    assert interval == pytest.approx(stats.binomtest(hits, songs).proportion_ci(method="wilson"))
    assert 0 <= interval[0] < interval[1] <= 1
