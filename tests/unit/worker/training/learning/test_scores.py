import pytest
import torch
from sklearn.metrics import f1_score, top_k_accuracy_score

from worker.checkpoint import GENRES
from worker.training.learning.scores import expected_calibration_error, fit_temperature, is_at_an_end, score


@pytest.fixture
def guesses():
    """Logits (400, 10) of a model that is honest: labels are drawn from its own probabilities."""
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(4000, 10, generator=generator)
    labels = torch.multinomial(torch.softmax(logits, dim=1), 1, generator=generator).squeeze(1)
    return logits, labels


def test_macro_f1_and_top_3_are_scikit_learns(guesses):
    logits, labels = guesses

    scores = score(logits, labels, GENRES)

    assert scores.macro_f1 == pytest.approx(f1_score(labels, logits.argmax(dim=1), average="macro"))
    assert scores.top_3 == pytest.approx(top_k_accuracy_score(labels, logits, k=3, labels=range(10)))


def test_perfect_logits_have_perfect_scores():
    labels = torch.arange(10).repeat(3)

    scores = score(100 * torch.eye(10)[labels], labels, GENRES)

    assert scores.accuracy == scores.macro_f1 == scores.top_3 == 1
    assert (scores.ece, scores.nll, scores.brier) == pytest.approx((0, 0, 0), abs=1e-9)
    assert all(each.songs == 3 and each.recall == 1 for each in scores.genres.values())


def test_genres_that_a_list_lacks_do_not_pull_macro_f1_down():
    scores = score(torch.eye(10)[:2], torch.arange(2), GENRES)

    assert scores.macro_f1 == 1
    assert scores.genres["rock"].songs == 0


def test_rows_of_the_confusion_are_the_true_genres():
    scores = score(torch.eye(10)[[3]], torch.tensor([7]), GENRES)

    assert scores.confusion[7][3] == 1


def test_an_honest_model_has_a_small_calibration_error_and_an_overconfident_one_a_large(guesses):
    logits, labels = guesses

    honest = expected_calibration_error(torch.softmax(logits, dim=1), labels)
    overconfident = expected_calibration_error(torch.softmax(4 * logits, dim=1), labels)

    assert honest < 0.03
    assert overconfident > 0.2


def test_an_honest_model_is_within_the_range_of_calibrated_ones_and_an_overconfident_one_is_not(guesses):
    logits, labels = guesses

    honest = score(logits, labels, GENRES)
    overconfident = score(4 * logits, labels, GENRES)

    assert honest.ece_if_calibrated[0] < honest.ece < honest.ece_if_calibrated[1]
    assert overconfident.ece > overconfident.ece_if_calibrated[1]


def test_a_short_list_has_a_calibration_error_even_of_a_perfectly_calibrated_model(guesses):
    logits, labels = guesses

    low, high = score(logits[:100], labels[:100], GENRES).ece_if_calibrated

    assert 0.02 < low < high < 0.3


def test_the_temperature_undoes_overconfidence(guesses):
    logits, labels = guesses

    assert fit_temperature(3 * logits, labels) == pytest.approx(3, rel=0.05)
    assert fit_temperature(logits / 2, labels) == pytest.approx(0.5, rel=0.05)


def test_a_temperature_is_at_an_end_where_no_loss_is_the_smallest(guesses):
    logits, labels = guesses
    always_right = torch.nn.functional.one_hot(labels, 10).float()

    assert not is_at_an_end(fit_temperature(logits, labels))
    assert is_at_an_end(fit_temperature(always_right, labels))
    assert is_at_an_end(fit_temperature(20 * torch.randn(4000, 10), labels))
