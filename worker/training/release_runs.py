"""The trainings that a release consists of, which of them are finished, and how the others get there.

Trains; it scores nothing and looks at no test list.
"""

import csv
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from shared.errors import SetupError
from worker.checkpoint import Checkpoint, load_checkpoint
from worker.training.recipe import Recipe, load_recipe
from worker.training.state import epochs_without_gain

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
    recipe = checkpoint.provenance["recipe"]
    for key, planned in asdict(run.recipe).items():
        if recipe.get(key) != planned:
            raise SetupError(f"{path} was trained with {key} {recipe.get(key)!r} and not {planned!r}.")
    return checkpoint


def check_one_recipe(checkpoints: Mapping[str, Checkpoint]) -> None:
    """SetupError where trainings that are shown as one recipe's differ in more than their seed."""
    recipes = {
        name: {key: value for key, value in checkpoint.provenance["recipe"].items() if key != "seed"}
        for name, checkpoint in checkpoints.items()
    }
    first = next(iter(recipes))
    for name, recipe in recipes.items():
        for key in sorted(recipe.keys() | recipes[first].keys()):
            if recipe.get(key) != recipes[first].get(key):
                raise SetupError(
                    f"{name} was trained with {key} {recipe.get(key)!r} and {first} with "
                    f"{recipes[first].get(key)!r}: they are not one recipe."
                )
