"""Where a training run is, kept on disk between two epochs.

Loading one runs no code from it, and neither changes nor removes a file that does not fit. It holds nothing
random: `songs.epoch_generator` says why.
"""

import io
import pickle
import struct
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import ReduceLROnPlateau

from shared.errors import SetupError
from worker.whole_file import write_whole

Row = dict[str, float]
UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, pickle.UnpicklingError),
    *(RuntimeError, EOFError, ValueError, LookupError, TypeError),
)
"""What reading a file that is damaged or of another kind may raise."""


@dataclass
class Progress:
    """Where a run is; what `save` keeps and `restore` brings back."""

    model: nn.Module
    heads: nn.ModuleList  # of its branches, or none; they learn with it and are no part of what is released
    average: nn.Module  # running average of the weights, the one that is validated and released
    optimizer: torch.optim.Optimizer
    plateau: ReduceLROnPlateau | None
    origin: dict[str, str]  # what a run cannot go on without: the same network and the same songs
    epoch: int = 0  # finished epochs
    best_weights: dict[str, Tensor] = field(default_factory=dict)
    best_logits: Tensor = field(default_factory=lambda: torch.zeros(0))  # (songs, genres) of validation
    history: list[Row] = field(default_factory=list)

    @property
    def learning(self) -> nn.ModuleList:
        """All that a step moves."""
        return nn.ModuleList([self.model, self.heads])

    @property
    def best(self) -> Row:
        """The epoch whose weights are kept."""
        return best_epoch(self.history)


def best_epoch(history: list[Row]) -> Row:
    """The epoch with the highest validation macro-F1; of equals, as in small sets, the least NLL."""
    return max(history, key=lambda row: (row["valid_macro_f1"], -row["valid_nll"]))


def epochs_without_gain(history: list[Row]) -> int:
    """Epochs since the last one with a higher validation macro-F1 than all before it."""
    highest = max(row["valid_macro_f1"] for row in history)
    reached = next(number for number, row in enumerate(history) if row["valid_macro_f1"] == highest)
    return len(history) - 1 - reached


def save(progress: Progress, path: Path) -> None:
    """Whole or not at all: an interruption here must not cost the run."""
    state = io.BytesIO()
    torch.save(
        {
            "origin": progress.origin,
            "epoch": progress.epoch,
            "model": progress.model.state_dict(),
            "heads": progress.heads.state_dict(),
            "average": progress.average.state_dict(),
            "optimizer": progress.optimizer.state_dict(),
            "plateau": progress.plateau and progress.plateau.state_dict(),
            "best_weights": progress.best_weights,
            "best_logits": progress.best_logits,
            "history": progress.history,
        },
        state,
    )
    write_whole(path, state.getvalue())


def restore(progress: Progress, path: Path) -> None:
    """Bring a fresh run of the same recipe to where `save` left it; SetupError where that cannot be."""
    state = _read(path)
    try:
        for part, ours in progress.origin.items():
            if state["origin"][part] != ours:
                raise SetupError(f"{path} is of a run with other {part}; name another --output.")
        progress.model.load_state_dict(state["model"])
        progress.heads.load_state_dict(state["heads"])
        progress.average.load_state_dict(state["average"])
        progress.optimizer.load_state_dict(state["optimizer"])
        if progress.plateau is not None:
            progress.plateau.load_state_dict(state["plateau"])
        progress.epoch = state["epoch"]
        progress.best_weights = state["best_weights"]
        progress.best_logits = state["best_logits"]
        progress.history = state["history"]
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise SetupError(f"{path} is no state of such a run; name another --output.") from error


def _read(path: Path) -> dict[str, Any]:  # the values that `save` wrote, if it was `save`
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}.") from error
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if archive.testzip() is not None:  # torch itself reads changed bytes without a word
                raise zipfile.BadZipFile
        state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        if not isinstance(state, dict):
            raise ValueError
    except UNREADABLE as error:
        raise SetupError(
            f"{path} is damaged or no state of a training run; it is left as it is. Name another --output."
        ) from error
    return state
