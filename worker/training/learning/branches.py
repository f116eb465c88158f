"""An answer of each branch alone, for the training: without it the joint answer soon rests on one of them.

The layers that give them are made for a run and released with nothing.
"""

import torch
from torch import Tensor, nn

from worker.model import PCRNN
from worker.training.learning.recipe import Recipe


def branch_heads(model: nn.Module, recipe: Recipe) -> nn.ModuleList:
    """A linear layer for each branch, or none where the recipe trains the joint answer alone."""
    if not recipe.branch_loss:
        return nn.ModuleList()
    assert isinstance(model, PCRNN)  # `sizes_of` lets no other have a branch loss
    genres = model.linear.out_features
    followed = model.gru_features
    return nn.ModuleList(
        [nn.Linear(model.linear.in_features - followed, genres), nn.Linear(followed, genres)]
    )


def answers(model: nn.Module, heads: nn.ModuleList, windows: Tensor) -> tuple[Tensor, ...]:
    """Logits (batch, genres) of the network, then of each branch that has a head.

    windows: (batch, 1, frames, mel bands) in dB under their maximum.
    """
    if not heads:
        return (model(windows),)
    assert isinstance(model, PCRNN)
    branches = model.branches(windows)
    joint = model.join(*branches)
    with torch.autocast(windows.device.type, enabled=False):
        alone = [head(model.dropout(each)) for head, each in zip(heads, branches, strict=True)]
    return (joint, *alone)
