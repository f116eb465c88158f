"""Where a training run is, kept on disk between two epochs.

Loading one runs no code from it. It holds nothing random: `songs.epoch_generator` says why.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

Row = dict[str, float]


@dataclass
class Progress:
    """Where a run is; what `save` keeps and `restore` brings back."""

    model: nn.Module
    average: nn.Module  # running average of the weights, the one that is validated and released
    optimizer: torch.optim.Optimizer
    epoch: int = 0  # finished epochs
    best_weights: dict[str, Tensor] = field(default_factory=dict)
    history: list[Row] = field(default_factory=list)

    @property
    def best(self) -> Row:
        """The epoch with the highest validation macro-F1, the first of equals."""
        return max(self.history, key=lambda row: row["valid_macro_f1"])


def save(progress: Progress, path: Path) -> None:
    """Whole or not at all: an interruption here must not cost the run."""
    partial = path.with_suffix(".partial")
    torch.save(
        {
            "epoch": progress.epoch,
            "model": progress.model.state_dict(),
            "average": progress.average.state_dict(),
            "optimizer": progress.optimizer.state_dict(),
            "best_weights": progress.best_weights,
            "history": progress.history,
        },
        partial,
    )
    os.replace(partial, path)  # noqa: PTH105  # the one call that is atomic on every system


def restore(progress: Progress, path: Path) -> None:
    """Bring a fresh run of the same recipe to where `save` left it."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    progress.model.load_state_dict(state["model"])
    progress.average.load_state_dict(state["average"])
    progress.optimizer.load_state_dict(state["optimizer"])
    progress.epoch = state["epoch"]
    progress.best_weights = state["best_weights"]
    progress.history = state["history"]
