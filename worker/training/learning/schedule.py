"""How far a step moves the weights: the optimizer, and its learning rate over the epochs.

It takes no step itself: the loop does.
"""

import math

import torch
from torch import nn
from torch.optim.lr_scheduler import ReduceLROnPlateau

from worker.training.learning.recipe import Recipe

OPTIMIZERS: dict[str, type[torch.optim.Optimizer]] = {
    "adamw": torch.optim.AdamW,
    "rmsprop": torch.optim.RMSprop,
}


def make_optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """The recipe's optimizer. Decay pulls weights towards 0; gains and biases have another natural value."""
    parameters = list(model.parameters())
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return OPTIMIZERS[recipe.optimizer](groups, lr=recipe.learning_rate)  # type: ignore[call-arg]  # each takes lr


def make_plateau(optimizer: torch.optim.Optimizer, recipe: Recipe) -> ReduceLROnPlateau | None:
    """What lowers the learning rate after an epoch; None where it follows from the epoch alone.

    One rule for accuracy that stands still and for accuracy that swings: neither finds a new best for some
    epochs, and both want smaller steps.
    """
    if recipe.schedule != "plateau":
        return None
    return ReduceLROnPlateau(
        optimizer,
        mode="max",
        factor=recipe.plateau_factor,
        patience=recipe.plateau_epochs - 1,  # torch counts the epochs that it lets pass
        threshold=0.0,
    )


def cosine(recipe: Recipe, epochs: float) -> float:
    """The learning rate after this many epochs, fractions too: a straight rise, then half a cosine to 0."""
    if epochs < recipe.warmup_epochs:
        return recipe.learning_rate * epochs / recipe.warmup_epochs
    left = (epochs - recipe.warmup_epochs) / max(1, recipe.epochs - recipe.warmup_epochs)
    return recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * min(1.0, left)))
