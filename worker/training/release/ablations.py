"""`make ablations`: what each part of the recipe is worth, on the validation list.

Trains short runs that differ from the recipe in one part, and writes docs/ablations.json and the page made of
it. It looks at no test list.
"""

import csv
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import mean
from typing import Annotated, Any

import torch
import typer
from torch import Tensor

from shared.errors import GenreWizError
from worker.training.evaluation.outputs import json_text, write_all
from worker.training.learning.allocator import keep_memory
from worker.training.learning.recipe import RECIPES, Recipe, recipe_from
from worker.training.learning.records import Records
from worker.training.learning.run import code_sha256
from worker.training.learning.run_folder import STATE, run_folder
from worker.training.learning.scores import score
from worker.training.learning.sizes import sizes_of
from worker.training.learning.state import Progress
from worker.training.learning.train import train
from worker.training.release.ablations_page import ablations_page
from worker.training.songs.gtzan import MelSongs, find_data, load_gtzan

Json = dict[str, Any]

COMMAND = "make ablations"
EPOCHS = 40
SEEDS = (0, 1)
LAST = 5  # epochs whose figures are averaged: one epoch's swing
FIGURES = ("accuracy", "macro_f1", "nll")
BASE = "released"


@dataclass(frozen=True, kw_only=True)
class Variant:
    """The released recipe with one part changed."""

    name: str  # of its folder, before the seed
    what: str  # is different, for people
    changes: Mapping[str, object] = field(default_factory=dict)
    filled: bool = True  # whether gaps of the songs that are learned from are filled

    def recipe(self, seed: int, base: Recipe) -> Recipe:
        """Its recipe, checked as a user's would be."""
        return recipe_from({**self.changes, "seed": seed}, base=base)


VARIANTS = (
    Variant(name=BASE, what="the released recipe, shortened"),
    Variant(name="unfilled", what="gaps of rebuilt spectrograms left as straight lines", filled=False),
    Variant(name="no-mixup", what="no mixup", changes={"mixup": 0.0}),
    Variant(name="no-masks", what="no SpecAugment", changes={"time_masks": 0, "band_masks": 0}),
    Variant(name="no-pitch", what="no pitch shift", changes={"pitch_bands": 0.0}),
    Variant(
        name="no-mastering",
        what="no tilt, EQ, compression, noise floor",
        changes={"tilt_db": 0.0, "equaliser_db": 0.0, "compression": 0.0, "noise_floor_db": -80.0},
    ),
    Variant(name="no-coding", what="no resampling, low-pass and codec", changes={"coding": 0.0}),
    Variant(name="no-branch-loss", what="no loss of each branch alone", changes={"branch_loss": 0.0}),
    Variant(name="whole-windows", what="whole windows from the first epoch on", changes={"crop_frames": 0}),
    Variant(name="no-whole", what="crops to the last epoch", changes={"whole_share": 0.0}),
    Variant(name="no-average", what="no weight averaging", changes={"average_decay": 0.0}),
    Variant(name="gru-last", what="GRU pooling: each direction's last step", changes={"gru_summary": "last"}),
    Variant(name="gru-mean", what="GRU pooling: mean alone", changes={"gru_summary": "mean"}),
    Variant(name="half-width", what="half as many channels", changes={"width": 0.5}),
    Variant(name="wide", what="1.5 times as many channels", changes={"width": 1.5}),
    Variant(name="kernel-5", what="5 x 5 convolutions", changes={"kernel": 5}),
)
PARTS: Mapping[str, tuple[int, ...]] = {
    "the whole window, 30 s": (),
    "its middle 15 s": (160,),
    "mean over three parts of 15 s": (0, 160, 320),
}
"""Ways to hear the songs with a network that is trained: first frames of parts of PART_FRAMES."""
PART_FRAMES = 320


def shortened(recipe: Recipe = RECIPES["released"], epochs: int = EPOCHS) -> Recipe:
    """The recipe with its schedule in fewer epochs, run to its end."""
    return replace(recipe, epochs=epochs, patience=0)


def run_variant(variant: Variant, base: Recipe, *, songs: MelSongs, valid: MelSongs, run: Path) -> Progress:
    """Train it in this folder, or go on where that was interrupted; a finished one is only read."""
    recipe = variant.recipe(base.seed, base)
    if not variant.filled:
        songs = replace(songs, gap=torch.zeros_like(songs.gap))
    learned = {"songs": songs.sha256(), "valid": valid.sha256(), "filled": variant.filled}
    resume = (run / STATE).exists()
    with run_folder(run, recipe, learned, resume=resume), Records(run) as records:
        return train(
            recipe=recipe,
            code=code_sha256(),
            sizes=sizes_of(recipe, songs.genres),
            songs=songs,
            valid=valid,
            run=run,
            device=torch.device("cpu"),
            resume=resume,
            report=lambda progress: records.add(progress.history),
        )


def last_figures(run: Path) -> dict[str, float]:
    """The means of its last epochs, from metrics.csv."""
    with (run / "metrics.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[-LAST:]
    figures = {name: mean(float(row[f"valid_{name}"]) for row in rows) for name in FIGURES}
    return figures | {"train_loss": mean(float(row["train_loss"]) for row in rows)}


def heard_in_parts(progress: Progress, valid: MelSongs) -> Json:
    """What a trained network gets right by each of the ways to hear a song."""
    progress.average.eval()
    windows = torch.cat([valid.whole(row, seed=0) for row in range(len(valid))])
    heard = {}
    with torch.inference_mode():
        for way, starts in PARTS.items():
            parts = [windows[:, first : first + PART_FRAMES] for first in starts] or [windows]
            logits = torch.stack([_logits(progress, part) for part in parts]).mean(dim=0)
            scores = asdict(score(logits, valid.labels, valid.genres))
            heard[way] = {name: scores[name] for name in FIGURES}
    return heard


def _logits(progress: Progress, windows: Tensor) -> Tensor:
    batches = torch.split(windows.unsqueeze(1), 16)
    return torch.cat([progress.average(batch).float() for batch in batches])


def ablate(
    runs: Path,
    *,
    data: Path | None,
    variants: Sequence[Variant] = VARIANTS,
    seeds: Iterable[int] = SEEDS,
    base: Recipe | None = None,
    say: Callable[[str], None] = typer.echo,
) -> Json:
    """Train what is missing; returns what docs/ablations.json holds."""
    gtzan = load_gtzan(find_data(data))
    songs = gtzan.rebuilt.chosen(gtzan.listed("train"))
    valid = gtzan.rebuilt.chosen(gtzan.listed("valid"))
    short = base or shortened()
    rows: dict[str, Json] = {
        each.name: {"what": each.what, "changes": dict(each.changes), "filled": each.filled, "seeds": {}}
        for each in variants
    }
    heard: Json = {}
    for seed in seeds:
        for variant in variants:
            run = runs / f"{variant.name}-{seed}"
            say(f"{run.name}: {variant.what}")
            progress = run_variant(variant, replace(short, seed=seed), songs=songs, valid=valid, run=run)
            rows[variant.name]["seeds"][str(seed)] = last_figures(run)
            if variant.name == BASE:
                heard[str(seed)] = heard_in_parts(progress, valid)
    return {
        "command": COMMAND,
        "epochs": short.epochs,
        "last": LAST,
        "songs": len(songs),
        "valid": len(valid),
        "code_sha256": code_sha256(),
        "variants": rows,
        "heard": heard,
    }


def main(
    *,
    runs: Annotated[Path, typer.Option("--runs", help="A folder for each training.")] = Path(
        "runs/ablations"
    ),
    data: Annotated[
        Path | None,
        typer.Option("--data", envvar="GENREWIZ_DATA", help="By default the folder beside the checkout."),
    ] = None,
    docs: Annotated[Path, typer.Option("--docs", help="Where the figures go.")] = Path("docs"),
    seed: Annotated[
        int | None,
        typer.Option("--seed", help="Train this seed alone and write no figures: for a core each."),
    ] = None,
    threads: Annotated[int | None, typer.Option("--threads", min=1, max=1024, help="CPU threads.")] = None,
) -> None:
    """Train every variant of the released recipe shortly, and write what each part is worth."""
    if threads is not None:
        torch.set_num_threads(threads)
    keep_memory()
    try:
        written = ablate(runs, data=data, seeds=SEEDS if seed is None else (seed,))
        if seed is None:
            text = json_text(written)
            page = ablations_page(json.loads(text))
            write_all({docs / "ablations.json": text.encode(), docs / "ablations.md": page.encode()})
    except GenreWizError as error:
        typer.echo(f"ablations: {error}", err=True)
        raise typer.Exit(1) from error


if __name__ == "__main__":
    typer.run(main)
