import pytest
import torch
from torch import nn

from worker.training.learning.recipe import ORIGINAL, Recipe
from worker.training.learning.schedule import cosine, make_optimizer, make_plateau


def rates_after(accuracies, **changes):
    """The learning rate after each epoch, as a share of the first."""
    recipe = Recipe(schedule="plateau", learning_rate=1.0, **changes)
    optimizer = make_optimizer(nn.Linear(2, 2), recipe)
    plateau = make_plateau(optimizer, recipe)
    rates = []
    for accuracy in accuracies:
        optimizer.step()
        plateau.step(accuracy)
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


def test_the_learning_rate_rises_straight_and_falls_to_zero():
    recipe = Recipe(learning_rate=1.0, warmup_epochs=4, epochs=24)

    assert [cosine(recipe, epochs) for epochs in (1, 4)] == [0.25, 1.0]
    assert cosine(recipe, 14) == pytest.approx(0.5)
    assert cosine(recipe, 24) == pytest.approx(0)


@pytest.mark.parametrize(
    "accuracies",
    [[0.5, 0.5, 0.5, 0.5], [0.5, 0.3, 0.5, 0.2], [0.5, 0.4, 0.4, 0.4]],
    ids=["still", "swinging", "falling"],
)
def test_the_learning_rate_falls_where_accuracy_stands_still_or_swings(accuracies):
    rates = rates_after(accuracies, plateau_epochs=2, plateau_factor=0.1)

    assert rates == pytest.approx([1, 1, 0.1, 0.1])


def test_the_learning_rate_stays_while_accuracy_rises_by_however_little():
    assert rates_after([0.5, 0.50001, 0.50002, 0.50003], plateau_epochs=1) == [1, 1, 1, 1]


def test_the_original_recipe_has_rmsprop_and_the_released_one_no_plateau():
    model = nn.Linear(2, 2)

    original, released = make_optimizer(model, ORIGINAL), make_optimizer(model, Recipe())

    assert isinstance(original, torch.optim.RMSprop)
    assert original.param_groups[0]["lr"] == 5e-4
    assert isinstance(released, torch.optim.AdamW)
    assert make_plateau(released, Recipe()) is None


def test_weights_decay_and_biases_do_not():
    decayed, spared = make_optimizer(nn.Linear(2, 2), Recipe(weight_decay=0.1)).param_groups

    assert (decayed["weight_decay"], spared["weight_decay"]) == (0.1, 0)
    assert [len(parameter.shape) for parameter in decayed["params"] + spared["params"]] == [2, 1]
