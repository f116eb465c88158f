"""The trainings that a release consists of, which of them are finished, and how the others get there.

Trains; it scores nothing and looks at no test list.
"""

import csv
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from shared.errors import SetupError
from worker.checkpoint import Checkpoint, load_checkpoint
from worker.training.learning.recipe import Recipe, load_recipe
from worker.training.learning.state import epochs_without_gain

SEEDS = range(5)
FOLDS = (1, 2, 3)


@dataclass(frozen=True, kw_only=True)
class Run:
    """One training."""

    name: str  # of its folder
    lists: str  # whose train and validation lists it learns from
    recipe: Recipe

    def checkpoint(self, runs: Path) -> Path:
        """The file that it ends in."""
        return runs / self.name / f"{self.recipe.architecture}.safetensors"


def release_runs(recipes: Mapping[str, Recipe]) -> tuple[Run, ...]:
    """All of them, from the recipes `released` and `original`: what is shown first is trained first."""
    released, original = recipes["released"], recipes["original"]
    return (
        *(Run(name=f"seed-{seed}", lists="filtered", recipe=replace(released, seed=seed)) for seed in SEEDS),
        Run(name="original", lists="filtered", recipe=replace(original, seed=0)),
        *(Run(name=f"fold-{fold}", lists=f"fold{fold}", recipe=replace(released, seed=0)) for fold in FOLDS),
    )


def epochs_of(run: Run, runs: Path) -> list[dict[str, float]]:
    """Its rows of metrics.csv so far; none where it has not begun."""
    try:
        with (runs / run.name / "metrics.csv").open(newline="", encoding="utf-8") as file:
            return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError) as error:
        raise SetupError(f"{runs / run.name / 'metrics.csv'} cannot be read.") from error


def is_finished(run: Run, runs: Path) -> bool:
    """Whether it has come to its end and its checkpoint is there.

    A checkpoint alone does not say so: a run keeps its best one while it goes on. A finished run is not gone
    on with, for that would write its checkpoint again with the hash of the code of today.
    """
    rows = epochs_of(run, runs)
    if not rows or not run.checkpoint(runs).exists():
        return False
    recipe = load_recipe(runs / run.name / "recipe.toml", [])
    try:
        waited = epochs_without_gain(rows)
    except KeyError as error:
        raise SetupError(f"{runs / run.name / 'metrics.csv'} lacks the column {error}.") from error
    patient = recipe.patience or recipe.epochs
    return len(rows) >= recipe.epochs or waited >= patient


def train_missing(runs: Path, plan: tuple[Run, ...], start: Callable[[Run, Path], Any]) -> None:
    """Train what is not finished, each in its folder; `start` goes on where one was interrupted."""
    for run in plan:
        if not is_finished(run, runs):
            start(run, runs / run.name)


def load_run(run: Run, runs: Path) -> Checkpoint:
    """Its checkpoint; SetupError where it was trained on other lists or by another recipe than the plan's."""
    path = run.checkpoint(runs)
    checkpoint = load_checkpoint(path)
    learned = checkpoint.provenance.get("lists", "filtered")
    if learned != run.lists:
        raise SetupError(f"{path} was trained on the lists {learned} and not {run.lists}.")
    planned, recipe = asdict(run.recipe), checkpoint.provenance.get("recipe")
    if not isinstance(recipe, dict):
        raise SetupError(f"{path} does not say by which recipe it was trained.")
    for key in [*planned, *sorted(recipe.keys() - planned.keys())]:
        if recipe.get(key) != planned.get(key):
            raise SetupError(
                f"{path} was trained with {key} {recipe.get(key)!r} and not {planned.get(key)!r}."
            )
    if (seed := checkpoint.provenance.get("seed")) != run.recipe.seed:
        raise SetupError(f"{path} says that its seed is {seed!r} and not {run.recipe.seed}.")
    return checkpoint


def check_no_copies(checkpoints: Mapping[str, Checkpoint], runs: Path) -> None:
    """SetupError where two runs are one: copies would make a recipe look surer than it is.

    The weights are compared and not the files, whose headers may have been written anew.
    """
    for (first, one), (second, other) in combinations(checkpoints.items(), 2):
        if _same(one.weights, other.weights):
            raise SetupError(f"{runs / second} holds the weights of {runs / first}: a copy is no run.")


def _same(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
